"""What more of everything does to the rate: stations and workers, agents, rows that are there."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
import psycopg

from contract.control import encode_control
from contract.envelope import Identity, build, encode_record
from contract.messages import Ack, Manifest, Reading
from contract.taxonomy import Lane
from contract.topics import PREFIX, Down, Topic, Up
from hub.store import sensor_views
from hub.store.part import Part
from tests.bench.hub_ingest import (
    PACKED,
    SINGLE,
    Run,
    Shape,
    busy_lines,
    drained,
    empty_readings,
    orders_of,
)
from tests.bench.hub_site import STATION, Sender, Site, site
from tests.bench.measure import Spread
from tests.bench.processes import Meter, memory_mib
from tests.bench.wire import BareClient

FLEET = 500
ROWS = 10_000_000
DEVICES = 500
GIVE_UP_S = 60.0


@dataclass(slots=True)
class Pairs:
    """Runs in two settings, in turn."""

    few: str
    many: str
    unit: str
    of_few: list[Run] = field(default_factory=list)
    of_many: list[Run] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Rows of a Markdown table."""
        few, many = [r.rate for r in self.of_few], [r.rate for r in self.of_many]
        rows = []
        for what, runs in ((self.few, self.of_few), (self.many, self.of_many)):
            cpu = ", ".join(f"{part} {us:.1f}" for part, us in runs[-1].cpu_us.items())
            rows.append(f"| {what} | {Spread.of([r.rate for r in runs])} | {self.unit} |")
            rows.append(f"| CPU for each of them | {cpu} | us |")
        ratio = Spread.of([b / a for a, b in zip(few, many, strict=True)])
        return [*rows, f"| **ratio** | {ratio} | |", *busy_lines([*self.of_few, *self.of_many])]


@dataclass(slots=True)
class Answers:
    """How long a question takes with few rows and with many."""

    what: str
    few_ms: list[float] = field(default_factory=list)
    many_ms: list[float] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Rows of a Markdown table."""
        few, many = Spread.of(self.few_ms), Spread.of(self.many_ms)
        return [
            f"| {self.what}, table begun empty | {few} | ms |",
            f"| {self.what}, {ROWS:,} rows before | {many} | ms |",
            f"| **ratio** | {many.median / few.median:.2f} | |",
        ]


def measure_stations(runs: int, quick: bool) -> list[Pairs]:
    """The same records from one station to one worker, and from two to two."""
    out = []
    for shape, records in ((SINGLE, 600_000), (PACKED, 4_000_000)):
        pairs = Pairs(
            f"one station, one worker, {shape.name}",
            f"two stations, two workers, {shape.name}",
            "records/s",
        )
        with site() as s:
            for _ in range(runs):
                n = records // 20 if quick else records
                pairs.of_few.append(_stations(s, shape, n, (STATION,)))
                pairs.of_many.append(_stations(s, shape, n, ("north", "south")))
        out.append(pairs)
    return out


def _stations(s: Site, shape: Shape, records: int, stations: tuple[str, ...]) -> Run:
    empty_readings(s)
    senders = [Sender(s, orders_of(s, shape, records // len(stations), at)) for at in stations]
    try:
        for sender in senders:
            sender.wait_until_full()
        with s.ingesting(*((at,) for at in stations)):
            parts = {"hub": s.parts["hub"], "database": s.parts["database"]}
            return drained(s, senders, parts)
    finally:
        for sender in senders:
            sender.close()


def measure_fleet(runs: int, quick: bool) -> list[Pairs]:
    """As many messages from one agent, and from 500 in turn: each batch holds them all."""
    messages = 10_000 if quick else 100_000
    pairs = Pairs(
        "one agent, 1 record a message", f"{FLEET} agents, 1 record a message", "messages/s"
    )
    with site() as s, s.ingesting():
        for _ in range(runs):
            pairs.of_few.append(_fleet(s, 1, messages))
            pairs.of_many.append(_fleet(s, FLEET, messages))
    return [pairs]


def _fleet(s: Site, agents: int, messages: int) -> Run:
    """So many messages, an agent after the other, all over one connection."""
    empty_readings(s)
    run, boot = uuid.uuid4().hex[:6], "b1"
    names = [f"f{run}-{n:03}" for n in range(agents)]
    client = BareClient(s.broker.port, f"fleet-{run}")
    client.subscribe(f"{PREFIX}/{STATION}/dn/+/{Down.ACK}")
    now = datetime.now(UTC)
    birth = Manifest(boot=boot, started_at=now, published_at=now, software="bench")
    marks = dict.fromkeys(names, -1)
    while min(marks.values()) < 0:  # the hub may not be there yet
        for name in names:
            if marks[name] < 0:
                client.publish(str(Topic(STATION, name, Up.BIRTH)), [encode_control(birth)])
        again_s = time.monotonic() + 5.0
        _hear(client, marks, lambda t=again_s: min(marks.values()) >= 0 or time.monotonic() > t)  # type: ignore[misc]
    meter, before = Meter(s.parts), memory_mib(s.hubs[0].pid)
    begun_s = time.monotonic()
    for sent in range(0, messages, agents):
        seq = sent // agents + 1
        at = now - timedelta(seconds=messages - sent)
        for name in names:
            record = encode_record(
                Reading(device="meter", metric="rain", value=1.0, captured_at=at)
            )
            who = Identity(STATION, name, boot, Lane.READING, seq)
            client.publish(str(Topic(STATION, name, Up.READING)), [build(who, [record], at)])
        beyond = SINGLE.window // agents  # records of an agent beyond its watermark
        _hear(client, marks, lambda seq=seq, b=beyond: seq - min(marks.values()) < max(b, 1))  # type: ignore[misc]
    _hear(client, marks, lambda: min(marks.values()) * agents >= messages)
    took_s, used = time.monotonic() - begun_s, meter.used()
    client.close()
    return Run(
        rate=messages / took_s,
        cpu_us={part: cpu_s / messages * 1e6 for part, cpu_s in used.by_part.items()},
        memory_mib=(before, memory_mib(s.hubs[0].pid)),
        others=0.0,  # this process sends, and is not metered
    )


def _hear(client: BareClient, marks: dict[str, int], enough: Callable[[], bool]) -> None:
    """Take acknowledgements until it is enough."""
    given_up_s = time.monotonic() + GIVE_UP_S
    while True:
        for topic, payload in client.take_all(0.0):
            agent = topic.split("/")[4]
            ack = msgspec.json.decode(payload, type=Ack)
            lane = ack.lanes.get(Lane.READING)
            if agent in marks:
                marks[agent] = max(marks[agent], lane.watermark if lane else 0)
        if enough():
            return
        if time.monotonic() > given_up_s:
            raise RuntimeError(f"{min(marks.values())} is all that was committed of an agent")
        time.sleep(0.001)


def measure_table(runs: int, quick: bool) -> list[Pairs | Answers]:
    """Ingestion and answers on an empty table, and on ten million rows of today."""
    rows = ROWS // 20 if quick else ROWS
    rate = Pairs("packed, table begun empty", f"packed, {rows:,} rows before", "records/s")
    answers = Answers("readings of a device in an hour"), Answers("its hours of a week")
    records = 200_000 if quick else 3_000_000
    with site() as s:
        with s.ingesting():  # migrates
            drained_once(s, 10_000)
        for _ in range(runs):
            empty_readings(s)
            rate.of_few.append(drained_once(s, records))
            for a, ms in zip(answers, _answer(s), strict=True):
                a.few_ms.append(ms)
            empty_readings(s)
            fill_table(s, rows)
            rate.of_many.append(drained_once(s, records))
            for a, ms in zip(answers, _answer(s), strict=True):
                a.many_ms.append(ms)
    return [rate, *answers]


def drained_once(s: Site, records: int) -> Run:
    """A packed spool drained into the table as it is."""
    sender = Sender(s, orders_of(s, PACKED, records))
    try:
        sender.wait_until_full()
        parts = {"database": s.parts["database"]}
        if s.hubs:
            return drained(s, [sender], {"hub": s.parts["hub"], **parts})
        with s.ingesting():
            return drained(s, [sender], {"hub": s.parts["hub"], **parts})
    finally:
        sender.close()


def fill_table(s: Site, rows: int) -> None:
    """So many readings of the last ten days, received today, with their roll-ups."""
    with psycopg.connect(s.url, autocommit=True) as conn:
        conn.execute(
            """
            INSERT INTO reading (agent, device, metric, label, place, unit, captured_at,
                                 received_at, value)
            SELECT 'old', 'meter-' || n %% %(devices)s, 'temperature', '', '', 'Cel',
                   now() - (%(rows)s - n) * (INTERVAL '10 days' / %(rows)s), now(), n %% 100
            FROM generate_series(1, %(rows)s) n
            """,
            {"rows": rows, "devices": DEVICES},
        )
        for width, unit in (("1m", "minute"), ("1h", "hour"), ("1d", "day")):
            conn.execute(
                """
                INSERT INTO reading_rollup
                SELECT %s, date_trunc(%s, captured_at), agent, device, metric, label, place,
                       count(*), sum(value), min(value), max(value)
                FROM reading GROUP BY 1, 2, 3, 4, 5, 6, 7
                """,
                (width, unit),
            )
        conn.execute("VACUUM (ANALYZE) reading, reading_rollup")
        conn.execute("CHECKPOINT")


def _answer(s: Site) -> tuple[float, float]:
    """Milliseconds, median of several: readings of one device in an hour; its hours of a week."""
    with psycopg.connect(s.url, autocommit=True) as conn:
        conn.execute("VACUUM (ANALYZE) reading, reading_rollup")
        row = conn.execute(
            "SELECT agent, device, max(captured_at) FROM reading WHERE agent <> 'old' "
            "GROUP BY agent, device ORDER BY device LIMIT 1"
        ).fetchone()
        assert row is not None
        agent, device, until = row
        until += timedelta(seconds=1)

        def readings() -> None:
            sensor_views.readings(
                conn,
                agent,
                device,
                since=until - timedelta(hours=1),
                until=until,
                metric=None,
                part=Part(5000),
            )

        def hours() -> None:
            sensor_views.rollups(
                conn, [(agent, device)], width="1h", since=until - timedelta(days=7), until=until
            )

        return _median_ms(readings), _median_ms(hours)


def _median_ms(question: Callable[[], None]) -> float:
    took = []
    for _ in range(21):
        begun = time.perf_counter()
        question()
        took.append((time.perf_counter() - begun) * 1000)
    return sorted(took)[len(took) // 2]
