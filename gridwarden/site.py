"""The demo's parts, assembled over a data folder and running: broker, database, hub, agent."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gridwarden import broker, ports
from gridwarden.broker import EmbeddedBroker, find_mosquitto
from gridwarden.cameras import Camera
from gridwarden.database import EmbeddedDatabase
from gridwarden.datafolder import DataFolder
from gridwarden.errors import StartError
from gridwarden.parts import BrokerPart, DatabasePart, Part, ProgramPart
from gridwarden.settings import write_edge_settings, write_hub_settings
from gridwarden.supervise import Supervisor

DATABASE_SETTING = "GRIDWARDEN_DATABASE_URL"
USUAL_HTTP_PORT = 8080


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the parts listen on the loopback."""

    http: int
    mqtt: int

    @classmethod
    def choose(
        cls,
        http: int | None,
        mqtt: int | None,
        remembered: Mapping[str, int],
        tell: Callable[[str], None],
    ) -> Ports:
        """The ports asked for, else the last run's, the usual ones, or free ones, which it tells.

        Raises StartError where a port that was asked for is taken.
        """
        return cls(
            _choose("console", http, remembered.get("http"), USUAL_HTTP_PORT, tell),
            _choose("broker", mqtt, remembered.get("mqtt"), broker.USUAL_PORT, tell),
        )

    def to_remember(self) -> dict[str, int]:
        """What `choose` takes as remembered."""
        return {"http": self.http, "mqtt": self.mqtt}


def _choose(
    what: str,
    asked: int | None,
    remembered: int | None,
    usual: int,
    tell: Callable[[str], None],
) -> int:
    if asked is not None:
        if not ports.is_free(asked):
            raise StartError(
                f"port {asked} for the {what} is taken by another program: free it, or leave the "
                "choice of a port to us"
            )
        return asked
    if remembered is not None and ports.is_free(remembered):
        port = remembered
    else:
        port = ports.choose(usual)
    if port != usual:
        tell(f"the {what} listens on port {port}, as {usual} is or was taken")
    return port


@dataclass(frozen=True, slots=True)
class Site:
    """A running demo."""

    supervisor: Supervisor
    database_url: str
    broker_name: str
    ports: Ports
    folder: DataFolder

    @property
    def console(self) -> str:
        """The console's address."""
        return f"http://{ports.LOOPBACK}:{self.ports.http}/"

    @property
    def agent_status(self) -> Path:
        """What the agent tells of itself every second."""
        return self.folder.edge / "status.json"

    def note_processes(self) -> None:
        """Write down who runs, for a later run to find."""
        states = self.supervisor.states()
        noted = {s.name: s.pid for s in states if s.pid is not None and s.name != "database"}
        self.folder.remember_processes(noted)


@contextmanager
def running_site(
    folder: DataFolder,
    cameras: Sequence[Camera],
    chosen: Ports,
    tell: Callable[[str], None],
    stop: threading.Event,
    environ: Mapping[str, str] = os.environ,
) -> Iterator[Site]:
    """The parts, running; all ended on leaving. Raises GridwardenError with nothing left behind."""
    with ExitStack() as stack:
        mosquitto = find_mosquitto()
        embedded_broker = EmbeddedBroker(chosen.mqtt, folder.broker, mosquitto=mosquitto)
        parts: list[Part] = [BrokerPart(embedded_broker)]
        url = environ.get(DATABASE_SETTING, "")
        if not url:
            database = EmbeddedDatabase(folder.database, environ=environ)
            stack.callback(database.stop)
            url = database.start()  # before the rest: the hub's settings name its port
            if database.adopted:
                tell("took over the database that an earlier run left running")
            parts.append(DatabasePart(database))
        hub_settings = write_hub_settings(folder, url, chosen.mqtt, chosen.http)
        edge_settings = write_edge_settings(folder, chosen.mqtt, cameras)
        status = folder.edge / "status.json"
        status.unlink(missing_ok=True)
        parts.append(
            _program("hub", hub_settings, folder, lambda: ports.answers(chosen.http)),
        )
        parts.append(_program("edge", edge_settings, folder, status.exists))
        supervisor = Supervisor(parts, tell)
        stack.callback(supervisor.stop)
        supervisor.start(stop)
        yield Site(supervisor, url, embedded_broker.name, chosen, folder)


def _program(
    name: str, settings: Path, folder: DataFolder, ready: Callable[[], bool]
) -> ProgramPart:
    command = [sys.executable, "-m", "gridwarden", name, "--config", str(settings)]
    return ProgramPart(name, command, folder.log / f"{name}.log", ready)
