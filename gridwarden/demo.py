"""`gridwarden demo`: the whole loop on embedded parts, until it is told to stop."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from gridwarden.cameras import Camera
from gridwarden.datafolder import open_folder
from gridwarden.demo_accounts import FILE, OPERATOR, prepare_accounts
from gridwarden.demo_sensors import demo_sensors
from gridwarden.live import Display, PlainDisplay, TerminalDisplay
from gridwarden.ports import LOOPBACK
from gridwarden.settings import HUB_SETTINGS
from gridwarden.site import Ports, Site, running_site
from gridwarden.watch import Watch

TEND_EVERY_S = 0.1
SHOW_EVERY = 5  # rounds of tending


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What a demo is asked for."""

    data: Path
    fresh: bool = False
    http_port: int | None = None
    mqtt_port: int | None = None


def run_demo(options: DemoOptions, cameras: Sequence[Camera], stop: threading.Event) -> int:
    """Run until `stop`; the exit code. Raises GridwardenError where it cannot start."""
    console = Console()
    folder = open_folder(options.data, fresh=options.fresh)
    try:
        folder.await_leftovers()
        chosen = Ports.choose(
            options.http_port, options.mqtt_port, folder.remembered_ports(), print_line
        )
        folder.remember_ports(chosen.to_remember())
        teller = Teller()
        rendered = any(camera.source.startswith("scene:") for camera in cameras)
        sensors = demo_sensors() if rendered else []
        with running_site(folder, cameras, chosen, teller.tell, stop, sensors=sensors) as site:
            if not stop.is_set():
                secret = _staff(site)
                _attend(site, console, teller, stop, secret)
            print_line("stopping")
    finally:
        folder.close()
    return 0


def print_line(line: str) -> None:
    """Print at once, also into a pipe."""
    print(line, flush=True)


class Teller:
    """Passes lines to a display once there is one, and prints them until then."""

    def __init__(self) -> None:
        self.to: Callable[[str], None] = print_line

    def tell(self, line: str) -> None:
        """Pass the line on."""
        self.to(line)


def _staff(site: Site) -> str | None:
    """Give the demo district its staff and accounts; the secret of a link for the dispatcher.

    The hub has brought the database to its version.
    """
    from gridwarden.demo_staff import give_accounts, populate  # the start need not wait for these
    from gridwarden.received import opened
    from hub.config import load

    with opened(load(site.folder.run / HUB_SETTINGS, os.environ)) as hub:
        if populate(hub):
            print_line("the district has its staff: gridwarden people list")
        secret = prepare_accounts(hub, site.folder.path)
        give_accounts(hub)
    return secret


def _attend(
    site: Site, console: Console, teller: Teller, stop: threading.Event, secret: str | None
) -> None:
    print_line(
        f"console {site.console}  (broker: {site.broker_name} on "
        f"{LOOPBACK}:{site.ports.mqtt.number}, this machine only as it has no access rules; "
        f"data: {site.folder.path})"
    )
    passwords = site.folder.path / FILE
    if secret is not None:
        print_line(
            f"sign in, once and within ten minutes: {site.console}sign-in/once/{secret}  "
            f"(as {OPERATOR}; the other roles and all passwords: {passwords})"
        )
    else:
        print_line(f"sign in with an account of yours; those of the demo: {passwords}")
    watch = Watch(site.agent_status, site.database_url)
    watch.start()
    display: Display
    if console.is_terminal:
        display = TerminalDisplay(console, f"Gridwarden  {site.console}")
    else:
        display = PlainDisplay()
    teller.to = display.tell
    try:
        tend(site, stop, lambda: display.show(site.supervisor.states(), watch.seen))
    finally:
        teller.to = print_line
        display.close()
        watch.close()


def tend(site: Site, stop: threading.Event, show: Callable[[], None]) -> None:
    """Keep the parts running until `stop`, calling `show` twice a second."""
    noted: list[int | None] = []
    rounds = 0
    while not stop.wait(TEND_EVERY_S):
        site.supervisor.tend()
        pids = [state.pid for state in site.supervisor.states()]
        if pids != noted:
            noted = pids
            site.note_processes()
        if rounds % SHOW_EVERY == 0:
            show()
        rounds += 1
