"""The proving ground: agents of several stations, a broker, hub workers, a database.

All real processes. Between each agent and the broker, each worker and the broker, and each worker
and the database lies a wire of ours that can fail.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from gridwarden import ports
from gridwarden.broker import EmbeddedBroker
from gridwarden.chaos.agent import Orders
from gridwarden.chaos.book import Book, rests
from gridwarden.chaos.hands import Hand, Hands
from gridwarden.chaos.small_disk import SmallDisk
from gridwarden.chaos.store import Store
from gridwarden.chaos.wire import Address, Wire, Wires
from gridwarden.database import EmbeddedDatabase
from gridwarden.errors import StartError
from gridwarden.parts import BrokerPart, DatabasePart, ProgramPart

READY_S = 60.0
LOOK_S = 0.02
WORKERS = 2  # one works, one stands by
POSTGRES_PORT = 5432
QUIET_PORTS = (20_000, 30_000)  # below those the system gives out by itself
SPOOL = "spool"  # an agent's folder within its disk
DISK_BYTES = 32 * 1024 * 1024  # of the one disk that can be filled


@dataclass(frozen=True, slots=True)
class Layout:
    """What a run is made of. broker, database: a user's own; None: embedded ones, which we kill."""

    agents: int = 3
    stations: int = 2
    mosquitto: Path | None = None  # None: the broker of the wheel
    broker: Address | None = None
    database: str | None = None


@dataclass(slots=True)
class AgentHand:
    """An agent and what belongs to it."""

    name: str  # which a twin shares
    hand: Hand
    orders_path: Path
    wire: Wire

    @property
    def orders(self) -> Orders:
        """What it is told."""
        return Orders.load(self.orders_path)

    def order(self, **changes: Any) -> None:
        """Tell it something else; what it reads only at its start holds from the next one."""
        change_orders(self.orders_path, **changes)

    def rests(self) -> bool:
        """Whether it runs and has said that it writes no more."""
        return rests(Path(self.orders.book), self.orders.life)


def change_orders(path: Path, **changes: Any) -> None:
    """Orders with these fields changed."""
    msgspec.structs.replace(Orders.load(path), **changes).save(path)


@dataclass(slots=True)
class WorkerHand:
    """A hub worker and its wires."""

    hand: Hand
    broker_wire: Wire
    database_wire: Wire


@dataclass(slots=True)
class Pages:
    """Where the book is kept: an agent's own pages, and those of twins it had."""

    own: dict[str, Path] = field(default_factory=dict)
    twins: list[tuple[str, Path]] = field(default_factory=list)


class Ground:
    """Everything that runs. For use by the thread that made it."""

    def __init__(self, folder: Path, layout: Layout, tell: Callable[[str], None]) -> None:
        """Start everything in an empty folder. Raises GridwardenError with nothing left behind."""
        self.folder = folder
        self.tell = tell
        self.small_disk: SmallDisk | None = None  # of the first agent
        self._token = secrets.token_hex(3)
        self._mount_small_disk()  # before there is another thread: those begun later see it
        self.hands = Hands(tell)
        self.wires = Wires()
        self.agents: list[AgentHand] = []
        self.workers: list[WorkerHand] = []
        self.broker: Hand | None = None
        self.database: Hand | None = None
        self.spools_taken: dict[str, int] = {}  # by agent: how often it had to begin a new boot
        self._pages = Pages()
        self._embedded: EmbeddedDatabase | None = None
        self._store: Store | None = None
        self.stations = [f"chaos-{self._token}-{n + 1}" for n in range(layout.stations)]
        self.stop = threading.Event()
        try:
            self._begin(layout)
        except BaseException:
            self.close()
            raise

    # --- what runs

    def _mount_small_disk(self) -> None:
        try:
            self.small_disk = SmallDisk(self.folder / "spool" / f"edge-{self._token}-1", DISK_BYTES)
        except OSError as e:
            self.tell(f"no disk can be filled here ({e.strerror}): run as root to see that too")

    def _begin(self, layout: Layout) -> None:
        for part in ("log", "run", "spool", "book", "hub"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        self._broker_at = layout.broker or self._start_broker(layout.mosquitto)
        server = layout.database or self._start_database()
        self._store = Store(server, f"gridwarden_chaos_{self._token}")
        for number in range(WORKERS):
            self.workers.append(self._start_worker(number + 1))
        for number in range(layout.agents):
            self.start_agent(self.stations[number % len(self.stations)])
        self._await_first_records()

    def _start_broker(self, mosquitto: Path | None) -> Address:
        port = _quiet_port()
        broker = EmbeddedBroker(port, self.folder / "broker", mosquitto=mosquitto)
        self.broker = self.hands.add(BrokerPart(broker), is_needed=True)
        return (ports.LOOPBACK, port)

    def _start_database(self) -> str:
        self._embedded = EmbeddedDatabase(
            self.folder / "database", tethered=True, port=_quiet_port()
        )
        self.database = self.hands.add(DatabasePart(self._embedded), is_needed=True)
        return self._embedded.url_of("postgres")

    def _start_worker(self, number: int) -> WorkerHand:
        server = conninfo_to_dict(self.store.url)
        if str(server.get("host", "/")).startswith("/"):  # a socket, where no wire fits between
            raise StartError("the database is not named by host: write postgresql://user@host/")
        address = (str(server["host"]), int(server.get("port") or POSTGRES_PORT))
        wires = self.wires.lay(self._broker_at), self.wires.lay(address)
        url = make_conninfo(self.store.url, host=ports.LOOPBACK, port=wires[1].port)
        settings = self.folder / "run" / f"hub-{number}.toml"
        settings.touch(mode=0o600)  # it names a password
        settings.write_text(
            f"[database]\nurl = {json.dumps(url)}\n"
            f"[broker]\nport = {wires[0].port}\n"
            f"[hub]\ndata_dir = {json.dumps(str(self.folder / 'hub'))}\n"
            f"stations = {json.dumps(self.stations)}\n",
            encoding="utf-8",
        )
        command = ["-m", "gridwarden", "hub", "ingest", "--config", str(settings)]
        hand = self.hands.add(self._program(f"hub worker {number}", command))
        return WorkerHand(hand, *wires)

    def start_agent(self, station: str) -> AgentHand:
        """One more agent, with a name nobody had."""
        name = f"edge-{self._token}-{len(self.agents) + 1}"
        agent = self._start_agent(name, station, name)
        self._pages.own[name] = Path(agent.orders.book)
        self.agents.append(agent)
        return agent

    def start_twin(self, original: AgentHand) -> AgentHand:
        """A second agent of the same name, on a copy of the (stopped) first one's spool."""
        series = len(self._pages.twins) + 1
        place = f"{original.name}-twin-{series}"
        shutil.copytree(original.orders.folder, self.folder / "spool" / place / SPOOL)
        twin = self._start_agent(original.name, original.orders.station, place, series)
        self._pages.twins.append((twin.name, Path(twin.orders.book)))
        return twin

    def _start_agent(self, name: str, station: str, place: str, series: int = 0) -> AgentHand:
        wire = self.wires.lay(self._broker_at)
        orders = Orders(
            name=name,
            station=station,
            folder=str(self.folder / "spool" / place / SPOOL),
            book=str(self.folder / "book" / place),
            broker_port=wire.port,
            series=series,
        )
        path = self.folder / "run" / f"{place}.json"
        orders.save(path)
        command = ["-m", "gridwarden.chaos.agent", str(path)]

        def begin_life() -> None:
            change_orders(path, life=Orders.load(path).life + 1)

        hand = self.hands.add(self._program(f"agent {place}", command, begin_life))
        return AgentHand(name, hand, path, wire)

    def _program(
        self, name: str, arguments: list[str], before_start: Callable[[], None] = lambda: None
    ) -> ProgramPart:
        log = self.folder / "log" / f"{name.replace(' ', '-')}.log"
        command = [sys.executable, *arguments]
        return ProgramPart(name, command, log, lambda: True, before_start=before_start)

    def _await_first_records(self) -> None:
        deadline = time.monotonic() + READY_S
        while self.heard_of() < {agent.name for agent in self.agents}:
            if time.monotonic() > deadline:
                raise StartError(
                    f"not every agent reached the database within {READY_S:.0f} s: "
                    f"look into {self.folder / 'log'}"
                )
            self.wait(0.1)

    @property
    def store(self) -> Store:
        """The hub's database."""
        assert self._store is not None  # made before any worker
        return self._store

    # --- time

    def wait(self, seconds: float) -> None:
        """Let time pass, starting again what is due. Raises KeyboardInterrupt when told to stop."""
        deadline = time.monotonic() + seconds
        while True:
            self.hands.tend()
            if self.stop.is_set():
                raise KeyboardInterrupt
            left = deadline - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(LOOK_S, left))

    def wait_until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Whether it holds within that time. A database that is away is no answer."""
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                if holds():
                    return True
            if time.monotonic() >= deadline:
                return False
            self.wait(LOOK_S)

    def heard_of(self) -> set[str]:
        """Agents the ledger knows, by name."""
        try:
            return {str(a) for (a,) in self.store.ask("SELECT DISTINCT agent FROM ledger")}
        except psycopg.Error:  # the hub has not made its tables yet
            return set()

    def holder(self, patience_s: float = 0.0) -> WorkerHand | None:
        """The worker that holds a station; None where none does within that time."""
        found: list[WorkerHand] = []

        def look() -> bool:
            held = self.store.ask(
                """
                SELECT DISTINCT a.client_port FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                WHERE l.locktype = 'advisory' AND l.granted
                  AND a.application_name = 'station-locks' AND a.datname = current_database()
                """
            )
            taken = {port for (port,) in held}
            found[:] = [w for w in self.workers if w.database_wire.far_ports() & taken]
            return bool(found)

        self.wait_until(look, patience_s)
        return found[0] if found else None

    # --- the book

    def book(self) -> Book:
        """Everything the agents wrote. Twins come first: an agent's present boot is its last."""
        book = Book()
        for name, page in (*self._pages.twins, *self._pages.own.items()):
            book.read(name, page)
        return book

    # --- the end

    def close(self) -> None:
        """End every process and leave nothing in a database that is not ours."""
        if self._store is not None:
            self._store.hang_up()
        self.hands.stop()
        self.wires.close()
        if self.small_disk is not None:
            self.small_disk.close()
        if self._embedded is not None:
            self._embedded.remove()
        elif self._store is not None:
            self._store.remove()


def _quiet_port() -> int:
    """A port that nobody takes while its server is down: far from those that others ask for."""
    return ports.choose(QUIET_PORTS[0] + secrets.randbelow(QUIET_PORTS[1] - QUIET_PORTS[0]))
