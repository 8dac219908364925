"""The hub's parts as processes of their own: database, broker, ingestion; and who sends to them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from gridwarden.broker import EmbeddedBroker, find_mosquitto
from gridwarden.database import EmbeddedDatabase
from gridwarden.ports import choose
from tests.bench.spool_sender import Orders, Sent

STATION = "bench"
# the senders' records are no flood, however fast they come
NO_LIMITS = {
    f"GRIDWARDEN_HUB__LIMITS__{name}_PER_MINUTE": "1000000000"  # still counted, as always
    for name in ("READINGS", "LANE")
}


@dataclass(slots=True)
class Site:
    """A database and a broker that run."""

    folder: Path
    database: EmbeddedDatabase
    broker: EmbeddedBroker
    url: str
    hubs: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def parts(self) -> dict[str, list[int]]:
        """Processes by what they are."""
        assert self.database.pid
        assert self.broker.pid
        return {
            "hub": [h.pid for h in self.hubs],
            "database": [self.database.pid],
            "broker": [self.broker.pid],
        }

    @contextmanager
    def ingesting(self, *workers: Sequence[str]) -> Iterator[None]:
        """A hub process for each of `workers`, the stations it may ingest."""
        try:
            for n, stations in enumerate(workers or ((STATION,),)):
                self.hubs.append(self._hub(n, stations))
            yield
        finally:
            for hub in self.hubs:
                hub.terminate()
            for hub in self.hubs:
                hub.wait(30)
            self.hubs.clear()

    @contextmanager
    def bare_hub(self, records_each: int) -> Iterator[int]:
        """The floor in the hub's place; its process."""
        command = [sys.executable, "-m", "tests.bench.bare_hub"]
        bare = subprocess.Popen(
            [*command, str(self.broker.port), STATION, str(records_each)], stdout=subprocess.PIPE
        )
        try:
            assert bare.stdout is not None
            bare.stdout.readline()
            yield bare.pid
        finally:
            bare.kill()
            bare.wait()

    def _hub(self, n: int, stations: Sequence[str]) -> subprocess.Popen[bytes]:
        environ = {
            **os.environ,
            "GRIDWARDEN_HUB__DATABASE__URL": self.url,
            "GRIDWARDEN_HUB__BROKER__PORT": str(self.broker.port),
            "GRIDWARDEN_HUB__HUB__STATIONS": ",".join(stations),
            "GRIDWARDEN_HUB__HUB__DATA_DIR": str(self.folder / "hub"),
            **NO_LIMITS,
        }
        with (self.folder / f"hub-{n}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "gridwarden", "hub", "ingest"],
                env=environ,
                stdout=log,
                stderr=subprocess.STDOUT,
            )


@contextmanager
def site(settings: Mapping[str, str] = {}) -> Iterator[Site]:
    """A fresh site in a folder of its own. settings: of the database."""
    with tempfile.TemporaryDirectory(prefix="gridwarden-bench-") as name:
        folder = Path(name)
        database = EmbeddedDatabase(folder / "db", settings=settings, tethered=True)
        broker = EmbeddedBroker(choose(18_950), folder, mosquitto=find_mosquitto())
        try:
            url = database.start()
            broker.start()
            yield Site(folder, database, broker, url)
        finally:
            broker.stop()
            database.remove()


class Sender:
    """A sender's process, with its spool full."""

    def __init__(self, site: Site, orders: Orders) -> None:
        self._folder = Path(orders.folder)
        self._folder.mkdir(parents=True)
        told = site.folder / f"{orders.agent}.json"
        told.write_bytes(msgspec.json.encode(orders))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.spool_sender", str(told)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def wait_until_full(self) -> None:
        """Until all records are spooled."""
        self._answer()

    def meet(self) -> None:
        """Have the hub answer it, however long that takes to start."""
        self._tell()
        self._answer()

    def begin(self) -> None:
        """Have it send."""
        self._tell()

    def finish(self) -> Sent:
        """What came of it, once all is committed."""
        return msgspec.json.decode(self._answer(), type=Sent)

    def _tell(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()

    def _answer(self) -> bytes:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a sender ended by code {self._process.wait()}")
        return line

    def close(self) -> None:
        """Clear away."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder)
