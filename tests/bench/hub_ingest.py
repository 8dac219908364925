"""From a full spool to the last commit, against the floor on the same broker and database.

The floor is the lower of what a bare socket reads and acknowledges from the same sender, and what
a bare COPY of the same rows takes. What is measured ends with the commit watermark that covers the
last record: decoded, checked, deduped, rolled up, in PostgreSQL with fsync, acknowledged.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg

from contract.messages import Reading
from hub.store.bulk import copy_statement
from hub.store.readings import TABLE, ReadingRows, copy_blocks
from tests.bench.hub_site import STATION, Sender, Site, site
from tests.bench.measure import Spread
from tests.bench.processes import BUSY, Meter, remembering
from tests.bench.spool_sender import Orders, Sent

SUSTAINED_S = 60.0
FLOOR_S = 10.0  # of each floor, which has nothing that fills up
WARM_UP_S = 3.0


@dataclass(frozen=True, slots=True)
class Shape:
    """How records travel."""

    name: str
    records_each: int  # in a message
    window: int  # records beyond the watermark
    first_guess: int  # records a second
    rows_a_commit: int  # of the bare COPY: as the hub commits


SINGLE = Shape("1 record a message", 1, 8_192, 10_000, 2_000)
PACKED = Shape("100 records a message", 100, 80_000, 50_000, 17_000)


@dataclass(slots=True)
class Run:
    """One run and what it used."""

    rate: float  # records a second
    cpu_us: dict[str, float]  # a record, by part
    memory_mib: tuple[float, ...]  # of the hub: at rest, halfway and at the end
    others: float  # share of the machine that others used


@dataclass(slots=True)
class Sustained:
    """Runs of one shape beside the runs of its floor."""

    shape: Shape
    broker: str
    seconds: float
    ours: list[Run] = field(default_factory=list)
    socket: list[Run] = field(default_factory=list)
    copy: list[float] = field(default_factory=list)  # rows a second

    def lines(self) -> list[str]:
        """Rows of a Markdown table."""
        floors = [min(s.rate, c) for s, c in zip(self.socket, self.copy, strict=True)]
        ratios = [run.rate / floor for run, floor in zip(self.ours, floors, strict=True)]
        last = self.ours[-1]
        cpu = ", ".join(f"{part} {us:.1f}" for part, us in last.cpu_us.items())
        floor_cpu = ", ".join(f"{part} {us:.1f}" for part, us in self.socket[-1].cpu_us.items())
        memory = ", ".join(f"{mib:.0f}" for mib in last.memory_mib)
        took = f"{self.seconds:.0f} s, {self.broker}"
        return [
            f"| hub, {self.shape.name}, {took} | {_spread(self.ours)} | records/s |",
            f"| bare socket, {self.shape.name} | {_spread(self.socket)} | records/s |",
            f"| bare COPY, {self.shape.rows_a_commit:,} rows a commit | {Spread.of(self.copy)} "
            "| records/s |",
            f"| **ratio to the lower floor** | {Spread.of(ratios)} | |",
            f"| CPU a record | {cpu} | us |",
            f"| CPU a record, bare socket | {floor_cpu} | us |",
            f"| hub's memory at rest, halfway, at the end | {memory} | MiB |",
            *busy_lines([*self.ours, *self.socket]),
        ]


def busy_lines(runs: Sequence[Run]) -> list[str]:
    """A row where others used the machine while we measured."""
    worst = max(run.others for run in runs)
    if worst < BUSY:
        return []
    return [f"| **machine was busy: others used up to** | {worst:.0%} | of all cores |"]


def _spread(runs: Sequence[Run]) -> Spread:
    return Spread.of([run.rate for run in runs])


def measure_single(runs: int, quick: bool) -> list[Sustained]:
    """One record a message."""
    return [_measure(SINGLE, runs, 3.0 if quick else SUSTAINED_S)]


def measure_packed(runs: int, quick: bool) -> list[Sustained]:
    """A hundred records a message."""
    return [_measure(PACKED, runs, 3.0 if quick else SUSTAINED_S)]


def _measure(shape: Shape, runs: int, seconds: float) -> Sustained:
    with site() as s:
        out = Sustained(shape, s.broker.name, seconds)
        records = {
            bare: round(_run(s, shape, round(WARM_UP_S * shape.first_guess), bare).rate * long)
            for bare, long in ((True, min(seconds, FLOOR_S)), (False, seconds))
        }
        for _ in range(runs):
            out.socket.append(_run(s, shape, records[True], bare=True))
            out.copy.append(bare_copy(s, shape, min(seconds, FLOOR_S)))
            out.ours.append(_run(s, shape, records[False], bare=False))
    return out


def _run(s: Site, shape: Shape, records: int, bare: bool) -> Run:
    """A spool of so many records, drained."""
    empty_readings(s)
    sender = Sender(s, orders_of(s, shape, max(records // 1000, 1) * 1000))
    try:
        sender.wait_until_full()
        if bare:
            with s.bare_hub(shape.records_each) as pid:
                return drained(s, [sender], {"subscriber": [pid]})
        with s.ingesting():
            return drained(s, [sender], {"hub": s.parts["hub"], "database": s.parts["database"]})
    finally:
        sender.close()


def orders_of(s: Site, shape: Shape, records: int, station: str = STATION) -> Orders:
    """What a sender of that shape is told."""
    agent = f"b-{uuid.uuid4().hex[:8]}"
    return Orders(
        folder=str(s.folder / agent),
        port=s.broker.port,
        station=station,
        agent=agent,
        records=records,
        records_each=shape.records_each,
        window=shape.window,
    )


def drained(s: Site, senders: Sequence[Sender], receivers: dict[str, list[int]]) -> Run:
    """Have these drain their spools at once."""
    parts = {"sender": [x.pid for x in senders], "broker": s.parts["broker"], **receivers}
    receiver = next(iter(receivers.values()))[0]
    for sender in senders:
        sender.meet()
    meter = Meter(parts)
    with remembering(receiver) as memory:
        for sender in senders:
            sender.begin()
        sent: list[Sent] = [sender.finish() for sender in senders]
    used = meter.used()
    records = sum(x.records for x in sent)
    took_s = max(x.ended_s for x in sent) - min(x.begun_s for x in sent)
    return Run(
        rate=records / took_s,
        cpu_us={part: s / records * 1e6 for part, s in used.by_part.items()},
        memory_mib=(memory[0], memory[len(memory) // 2], memory[-1]),
        others=used.others,
    )


def bare_copy(s: Site, shape: Shape, seconds: float) -> float:
    """Rows a second that COPY takes, ready-made, in commits as large as the hub's."""
    rows, now = ReadingRows(), datetime.now(UTC)
    for n in range(shape.rows_a_commit):
        rows.add(
            "bare",
            Reading(
                device=f"meter-{n % 50}",
                metric="temperature",
                value=20.0 + n % 100 / 10,
                unit="Cel",
                captured_at=now + timedelta(milliseconds=20 * n),
            ),
        )
    block = b"".join(copy_blocks(rows, now))
    with psycopg.connect(s.url, autocommit=True) as conn:
        conn.execute("SET synchronous_commit = on")
        begun, n = time.monotonic(), 0
        while time.monotonic() - begun < seconds:
            with conn.cursor() as cur, cur.copy(copy_statement(TABLE)) as copy:
                copy.write(block)
            n += shape.rows_a_commit
        rate = n / (time.monotonic() - begun)
    empty_readings(s)
    return rate


def empty_readings(s: Site) -> None:
    """An empty table, and no checkpoint owed, before what is measured."""
    with psycopg.connect(s.url, autocommit=True) as conn:
        found = conn.execute("SELECT to_regclass('reading') IS NOT NULL").fetchone()
        if found and found[0]:
            conn.execute("TRUNCATE reading, reading_rollup")
        conn.execute("CHECKPOINT")
