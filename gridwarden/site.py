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
from gridwarden.demo_sensors import DemoSensor
from gridwarden.errors import StartError
from gridwarden.parts import BrokerPart, DatabasePart, Part, ProgramPart
from gridwarden.ports import HeldPort
from gridwarden.settings import write_edge_settings, write_hub_settings
from gridwarden.supervise import Supervisor

DATABASE_SETTING = "GRIDWARDEN_DATABASE_URL"
USUAL_HTTP_PORT = 8080


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the parts listen on the loopback; each is kept from others until its part starts."""

    http: HeldPort
    mqtt: HeldPort

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
        console = _hold("console", http, remembered.get("http"), USUAL_HTTP_PORT, tell)
        try:
            return cls(
                console, _hold("broker", mqtt, remembered.get("mqtt"), broker.USUAL_PORT, tell)
            )
        except StartError:
            console.release()
            raise

    def to_remember(self) -> dict[str, int]:
        """What `choose` takes as remembered."""
        return {"http": self.http.number, "mqtt": self.mqtt.number}

    def release(self) -> None:
        """Let go of what no part has taken."""
        self.http.release()
        self.mqtt.release()


def _hold(
    what: str,
    asked: int | None,
    remembered: int | None,
    usual: int,
    tell: Callable[[str], None],
) -> HeldPort:
    if asked is not None:
        try:
            return HeldPort(asked)
        except OSError as e:
            raise StartError(
                f"port {asked} for the {what} cannot be had ({e.strerror}): free it, or leave the "
                "choice of a port to us"
            ) from e
    if remembered is not None and ports.is_free(remembered):
        held = ports.hold(remembered)
    else:
        held = ports.hold(usual)
    if held.number != usual:
        tell(f"the {what} listens on port {held.number}, as {usual} is or was taken")
    return held


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
        return f"http://{ports.LOOPBACK}:{self.ports.http.number}/"

    @property
    def hub_settings(self) -> Path:
        """The hub's settings of this run."""
        return self.folder.run / "hub.toml"

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
    sensors: Sequence[DemoSensor] = (),
) -> Iterator[Site]:
    """The parts, running; all ended on leaving. Raises GridwardenError with nothing left behind."""
    http, mqtt = chosen.http.number, chosen.mqtt.number
    with ExitStack() as stack:
        stack.callback(chosen.release)
        embedded_broker = EmbeddedBroker(mqtt, folder.broker, mosquitto=find_mosquitto())
        parts: list[Part] = [BrokerPart(embedded_broker, chosen.mqtt.release)]
        url = environ.get(DATABASE_SETTING, "")
        if not url:
            database = EmbeddedDatabase(folder.database, environ=environ)
            stack.callback(database.stop)
            url = database.start()  # before the rest: the hub's settings name its port
            if database.adopted:
                tell("took over the database that an earlier run left running")
            parts.append(DatabasePart(database))
        hub_settings = write_hub_settings(folder, url, mqtt, http)
        edge_settings = write_edge_settings(folder, mqtt, cameras, sensors)
        status = folder.edge / "status.json"
        status.unlink(missing_ok=True)
        parts.append(
            ProgramPart(
                "hub",
                _command("hub", hub_settings),
                folder.log / "hub.log",
                lambda: ports.answers(http),
                before_start=chosen.http.release,
            )
        )
        parts.append(
            ProgramPart(
                "edge", _command("edge", edge_settings), folder.log / "edge.log", status.exists
            )
        )
        supervisor = Supervisor(parts, tell)
        stack.callback(supervisor.stop)
        supervisor.start(stop)
        yield Site(supervisor, url, embedded_broker.name, chosen, folder)


def _command(name: str, settings: Path) -> list[str]:
    return [sys.executable, "-m", "gridwarden", name, "--config", str(settings)]
