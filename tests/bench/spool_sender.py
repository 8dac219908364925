"""A spool that is filled, then drained as fast as the other side commits: a process of its own.

    python -m tests.bench.spool_sender ORDERS

The spool is the agent's own, on disk; only its MQTT client is replaced, by a plain socket, so that
the sender is not what is measured. It keeps to the protocol: at most a window beyond the commit
watermark, deleted only under it. Says `full`, waits for a line, says `met` once the other
side has answered it, waits for another; says what came of it as JSON when all is committed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from contract.control import encode_control
from contract.envelope import Identity, build, encode_record
from contract.messages import Ack, Manifest, Reading
from contract.taxonomy import Lane
from contract.topics import Down, Topic, Up
from edge.spool import Entry
from edge.sqlite_spool import SqliteSpool
from tests.bench.wire import BareClient

LANE = Lane.READING
GIVE_UP_S = 60.0  # without a commit


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be sent."""

    folder: str  # of the spool
    port: int
    station: str
    agent: str
    records: int
    records_each: int  # in one message
    window: int  # records beyond the watermark
    devices: int = 50
    spacing_s: float = 0.02  # from capture to capture


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it; times are the system's monotonic clock."""

    begun_s: float  # first PUBLISH
    ended_s: float  # the watermark that covers the last record
    records: int
    messages: int

    @property
    def took_s(self) -> float:
        """From the first PUBLISH to the last commit."""
        return self.ended_s - self.begun_s


def entries(orders: Orders, first_at: datetime) -> Iterator[list[Entry]]:
    """The records in lots of a thousand."""
    lot = []
    for n in range(orders.records):
        at = first_at + timedelta(seconds=n * orders.spacing_s)
        record = Reading(
            device=f"meter-{n % orders.devices}",
            metric="temperature",
            value=20.0 + n % 100 / 10,
            unit="Cel",
            captured_at=at,
        )
        lot.append(Entry(LANE, encode_record(record), at))
        if len(lot) == 1000:
            yield lot
            lot = []
    if lot:
        yield lot


def fill(orders: Orders) -> SqliteSpool:
    """The spool with all records, the last captured now."""
    spool = SqliteSpool(
        Path(orders.folder), dict.fromkeys(Lane, 1 << 40), lambda: datetime.now(UTC)
    )
    first_at = datetime.now(UTC) - timedelta(seconds=orders.records * orders.spacing_s)
    for lot in entries(orders, first_at):
        spool.append(lot)
    return spool


def meet(spool: SqliteSpool, orders: Orders) -> BareClient:
    """A connection that the other side has answered a birth on."""
    client = BareClient(orders.port, f"s-{orders.agent}")
    client.subscribe(str(Topic(orders.station, orders.agent, Down.ACK)))
    topic = str(Topic(orders.station, orders.agent, Up.BIRTH))
    given_up_s = time.monotonic() + GIVE_UP_S
    while time.monotonic() < given_up_s:
        now = datetime.now(UTC)
        birth = Manifest(boot=spool.boot, started_at=now, published_at=now, software="bench")
        client.publish(topic, [encode_control(birth)])
        again_s = time.monotonic() + 1.0
        while time.monotonic() < again_s:
            if list(client.heard(0.1)):
                return client
    raise RuntimeError("nobody answers a birth")


def drain(client: BareClient, spool: SqliteSpool, orders: Orders) -> Sent:
    """Publish everything and see it committed."""
    topic = str(Topic(orders.station, orders.agent, Up.READING))
    watermark = sent = messages = 0
    begun_s = heard_s = time.monotonic()
    while watermark < orders.records:
        room = min(orders.window - (sent - watermark), orders.records - sent)
        if room >= min(orders.records_each, orders.records - sent) and room > 0:
            held = spool.peek(LANE, sent, min(room, max(500, orders.records_each)), 1 << 20)
            payloads = []
            for i in range(0, len(held), orders.records_each):
                part = held[i : i + orders.records_each]
                who = Identity(orders.station, orders.agent, spool.boot, LANE, part[0].seq)
                payloads.append(build(who, [r.record for r in part], part[0].captured_at))
            client.publish(topic, payloads)
            sent, messages = held[-1].seq, messages + len(payloads)
        for raw in client.heard(0.0 if room > orders.window // 4 else 0.05):
            ack = msgspec.json.decode(raw, type=Ack)
            lane = ack.lanes.get(LANE)
            if ack.boot == spool.boot and lane is not None and lane.watermark > watermark:
                watermark, heard_s = lane.watermark, time.monotonic()
                spool.advance(LANE, watermark)
        if time.monotonic() - heard_s > GIVE_UP_S:
            raise RuntimeError(f"{watermark} of {orders.records} records committed, no more come")
    return Sent(begun_s=begun_s, ended_s=heard_s, records=sent, messages=messages)


def main(path: Path) -> int:
    """Obey the orders in a file."""
    orders = msgspec.json.decode(path.read_bytes(), type=Orders)
    spool = fill(orders)
    print("full", flush=True)
    sys.stdin.readline()
    client = meet(spool, orders)
    print("met", flush=True)
    sys.stdin.readline()
    sent = drain(client, spool, orders)
    print(msgspec.json.encode(sent).decode(), flush=True)
    client.close()
    spool.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
