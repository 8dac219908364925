"""`gridwarden demo --scenario pilot`: the pilot replayed, its figures and console to look at."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from gridwarden.database import EmbeddedDatabase
from gridwarden.datafolder import open_folder
from gridwarden.district import write_district
from gridwarden.pilot import PERIOD, Api, Pilot, PilotClock, PilotError, told_figures
from gridwarden.ports import LOOPBACK, hold
from hub.config import DatabaseConfig, HttpConfig, HubConfig, SiteConfig
from hub.domain.actor import Role
from hub.domain.sign_in import login_key
from hub.server import serve
from hub.services.accounts import NewAccount, create_account
from hub.services.context import Hub, open_hub
from hub.services.passwords import new_password
from hub.services.signing_in import make_link
from hub.store import accounts

USUAL_PORT = 8080
OPERATOR = "supervisor"
_COMES_UP_S = 30.0


@dataclass(frozen=True, slots=True)
class PilotOptions:
    """Where the pilot is replayed, and until when its console stays."""

    data: Path
    http_port: int | None = None
    stay: bool = True


def run_pilot(options: PilotOptions, stop: threading.Event, tell: Callable[[str], None]) -> int:
    """Replay, tell the figures, and serve the console until `stop`; the exit code.

    The data folder is begun anew each time: it is the same pilot. Raises GridwardenError.
    """
    folder = open_folder(options.data, fresh=True)
    try:
        folder.await_leftovers()
        database = EmbeddedDatabase(folder.database, tethered=True)
        database.start()
        try:
            _replay(folder.path, folder.hub, database.url, options, stop, tell)
        finally:
            database.stop()
    finally:
        folder.close()
    return 0


def _replay(
    folder: Path,
    data_dir: Path,
    url: str,
    options: PilotOptions,
    stop: threading.Event,
    tell: Callable[[str], None],
) -> None:
    district = folder / "district.geojson"
    write_district(district)
    held = hold(options.http_port or USUAL_PORT)
    config = HubConfig(
        database=DatabaseConfig(url=url),
        http=HttpConfig(port=held.number),
        hub=SiteConfig(data_dir=data_dir, district_file=district),
    )
    clock = PilotClock()
    hub = open_hub(config, clock)
    try:
        held.release()
        with _serving(hub):
            api = Api(LOOPBACK, config.http.port)
            found = Pilot(hub, clock, api, tell).replay()
            api.close()
            for line in told_figures(found):
                tell(line)
            clock.go_on()
            base = f"http://{LOOPBACK}:{config.http.port}"
            where = f"/assessment?{urlencode(PERIOD)}"
            tell(f"look at it: {base}{where}")
            if options.stay:
                tell(f"sign in, once and within ten minutes: {base}/sign-in/once/{_link(hub)}")
                tell("Ctrl-C ends it")
                stop.wait()
    finally:
        hub.close()


@contextlib.contextmanager
def _serving(hub: Hub) -> Iterator[None]:
    """The API of the hub, up when the block begins."""
    ended, failures = threading.Event(), list[BaseException]()

    def run() -> None:
        try:
            serve(hub, ended)
        except BaseException as e:  # noqa: BLE001 - raised in the caller's thread
            failures.append(e)

    thread = threading.Thread(target=run, name="pilot-api")
    thread.start()
    try:
        _await(hub, thread, failures)
        yield
    finally:
        ended.set()
        thread.join()
    if failures:
        raise failures[0]


def _await(hub: Hub, thread: threading.Thread, failures: list[BaseException]) -> None:
    pause = threading.Event()
    for _ in range(int(_COMES_UP_S * 10)):
        if not thread.is_alive():
            raise failures[0] if failures else PilotError("the API ended by itself")
        connection = HTTPConnection(LOOPBACK, hub.config.http.port, timeout=2)
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        pause.wait(0.1)
    raise PilotError(f"the API did not answer within {_COMES_UP_S:g} s")


def _link(hub: Hub) -> str:
    with hub.pool.connection() as conn:
        create_account(
            conn, hub, NewAccount(OPERATOR, Role.SUPERVISOR, new_password()), "gridwarden demo"
        )
        account = accounts.account_of(conn, login_key(OPERATOR))
        assert account is not None
        return make_link(conn, hub, account)
