"""An agent of a chaos run: the real one, without cameras, and a writer in their place.

    python -m gridwarden.chaos.agent ORDERS

ORDERS is a JSON file; what may change while it runs is read again several times a second.
"""

from __future__ import annotations

import logging
import random
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from edge.agent import Agent, open_spool
from edge.errors import SpoolError
from edge.mqtt import MqttTransport
from edge.settings import (
    AgentSettings,
    BrokerSettings,
    CaptureSettings,
    EdgeConfig,
    PublishSettings,
    SpoolSettings,
)
from gridwarden.chaos.book import BookedSpool
from gridwarden.chaos.records import Writer
from gridwarden.serving import log_to_stderr, stop_on_signal

log = logging.getLogger(__name__)

NOT_TAKEN = "not taken"  # in the log: how a full disk shows
TICK_S = 0.2
# shorter than the shipped settings, so that a short run sees many of them
PUBLISH = PublishSettings(resend_after_s=5.0, probe_max_s=8.0, heartbeat_s=2.0)
# numbers of records: a series a page of the book, a range in it for each start of its agent
A_SERIES, A_LIFE = 10**12, 10**7


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent is told."""

    name: str
    station: str
    folder: str  # of its spool
    book: str
    broker_port: int
    life: int = 0  # how often it was started before
    series: int = 0  # agents of one name number their records apart by it
    clock_s: float = 0.0  # how far its clock is off
    writing: bool = True

    @classmethod
    def load(cls, path: Path) -> Orders:
        """The orders in a file."""
        return msgspec.json.decode(path.read_bytes(), type=cls)

    def save(self, path: Path) -> None:
        """Put them there in one step: a reader sees the old ones or the new."""
        new = path.with_suffix(".new")
        new.write_bytes(msgspec.json.encode(self))
        new.replace(path)


class Clock:
    """The system's clock, set wrong on purpose."""

    def __init__(self, off_s: float) -> None:
        self.off_s = off_s

    def __call__(self) -> datetime:
        """Its time."""
        return datetime.now(UTC) + timedelta(seconds=self.off_s)


def main(path: Path) -> int:
    """Write and publish until a signal ends it."""
    log_to_stderr(debug=False)
    orders = Orders.load(path)
    clock = Clock(orders.clock_s)
    config = EdgeConfig(
        AgentSettings(name=orders.name, station=orders.station, data_dir=orders.folder, workers=1),
        BrokerSettings(port=orders.broker_port),
        CaptureSettings(),
        SpoolSettings(),
        PUBLISH,
        (),
    )
    folder = config.agent.folder
    folder.mkdir(parents=True, exist_ok=True)
    spool = BookedSpool(open_spool(config, clock), Path(orders.book), orders.life)
    first = orders.series * A_SERIES + orders.life * A_LIFE
    transport = MqttTransport(config.broker, f"{orders.station}.{orders.name}")
    with stop_on_signal() as stop:
        agent = Agent(config, spool, transport, clock)
        agent.start()
        write(path, spool, agent, clock, first, stop)
        agent.stop()
    spool.close()
    return 0


def write(
    path: Path, spool: BookedSpool, agent: Agent, clock: Clock, first: int, stop: threading.Event
) -> None:
    """Spool records of every lane, as ordered, until `stop` is set."""
    chance = random.Random(first)
    writer = Writer(first, clock, chance)
    looking = True
    while not stop.wait(TICK_S):
        orders = Orders.load(path)
        clock.off_s = orders.clock_s
        if not orders.writing:
            if looking:  # no more heartbeats either: the spool can run dry
                agent.health.stop()
                spool.rest()
                looking = False
            continue
        entries = writer.readings(chance.randint(1, 20))
        if chance.random() < 0.4:
            entries += writer.detection()
        if chance.random() < 0.2:
            entries.append(writer.scores())
        try:
            spool.append(entries)
        except SpoolError as e:
            log.warning("%d records were %s: %s", len(entries), NOT_TAKEN, e)
            continue
        agent.publisher.wake()


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
