"""What the spool costs against a plain segment file: bytes appended, fdatasync, read in order.

The floor keeps no numbers, no budgets and no index, and gives nothing up; it is what a spool in
segment files could be at best. On a disk: TMPDIR decides which.
"""

from __future__ import annotations

import os
import resource
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from contract.envelope import encode_record
from contract.messages import Reading
from contract.taxonomy import Lane
from edge.spool import Entry
from edge.sqlite_spool import SqliteSpool
from tests.bench.measure import Comparison, compare

AT = datetime(2026, 3, 1, tzinfo=UTC)
RECORD = encode_record(Reading(device="cam-01", metric="crossing", value=1.0, captured_at=AT))
READING = Entry(Lane.READING, RECORD, AT)
DETECTION = Entry(Lane.DETECTION, RECORD * 10, AT)
LENGTH = struct.Struct("<I")
GROUP, PACK = 100, 500


@contextmanager
def spool() -> Iterator[SqliteSpool]:
    """An empty one on the disk."""
    with tempfile.TemporaryDirectory(prefix="gridwarden-bench-") as folder:
        opened = SqliteSpool(Path(folder), dict.fromkeys(Lane, 1 << 40), lambda: datetime.now(UTC))
        yield opened
        opened.close()


def _append_rate(count: int, group: int) -> float:
    """Records a second, each group on the disk before the next."""
    batch = [READING] * group
    with spool() as s:
        begun = time.perf_counter()
        for _ in range(count):
            s.append(batch)
        return count * group / (time.perf_counter() - begun)


def _segment_rate(count: int, group: int) -> float:
    """The same into a plain file."""
    batch = (LENGTH.pack(len(RECORD)) + RECORD) * group
    with tempfile.NamedTemporaryFile(prefix="gridwarden-bench-") as file:
        begun = time.perf_counter()
        for _ in range(count):
            os.write(file.fileno(), batch)
            os.fdatasync(file.fileno())
        return count * group / (time.perf_counter() - begun)


def _fill(s: SqliteSpool, count: int) -> None:
    for _ in range(count // 1000):
        s.append([READING] * 1000)


def _drain(s: SqliteSpool, each: Callable[[], None] = lambda: None) -> int:
    """Read and commit all readings, a message at a time; how many."""
    after = 0
    while records := s.peek(Lane.READING, after, PACK, 56_000):
        after = records[-1].seq
        s.advance(Lane.READING, after)
        each()
    return after


def _drain_rate(count: int) -> float:
    """Records a second read and deleted."""
    with spool() as s:
        _fill(s, count)
        begun = time.perf_counter()
        return _drain(s) / (time.perf_counter() - begun)


def _segment_drain_rate(count: int) -> float:
    """Records a second read from a plain file, which is deleted as a whole."""
    with tempfile.NamedTemporaryFile(prefix="gridwarden-bench-") as file:
        file.write((LENGTH.pack(len(RECORD)) + RECORD) * count)
        file.flush()
        begun = time.perf_counter()
        with Path(file.name).open("rb") as reading:
            found = 0
            while head := reading.read(LENGTH.size):
                reading.read(LENGTH.unpack(head)[0])
                found += 1
        return found / (time.perf_counter() - begun)


def _live_ms(backlog: int, count: int) -> float:
    """The 99th percentile of taking a detection, while so many readings are drained."""
    took: list[float] = []

    def take() -> None:
        begun = time.perf_counter()
        s.append([DETECTION])
        took.append(time.perf_counter() - begun)

    with spool() as s:
        if backlog:
            _fill(s, backlog)
            _drain(s, take)
        else:
            for _ in range(count):
                take()
    return sorted(took)[int(0.99 * len(took))] * 1000


class _Memory:
    """Peak memory of this process after a backlog was drained, as a row."""

    def __init__(self, backlog: int) -> None:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with spool() as s:
            _fill(s, backlog)
            _drain(s)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self._row = (
            f"| peak memory grown by draining {backlog:,} records | {after - before} | KiB |"
        )

    def lines(self) -> list[str]:
        """Its row."""
        return [self._row]


def measure(runs: int, quick: bool) -> list[Comparison | _Memory]:
    """Appends one by one and in groups, draining, and detections while a backlog drains."""
    singles, groups, drained = (200, 20, 20_000) if quick else (2000, 200, 100_000)
    backlog = 50_000 if quick else 500_000
    floor = "a plain file, write and fdatasync"
    return [
        _Memory(backlog),
        compare(
            "spool: append one record, on the disk",
            lambda: _append_rate(singles, 1),
            floor,
            lambda: _segment_rate(singles, 1),
            unit="records/s",
            runs=runs,
        ),
        compare(
            f"spool: append {GROUP} records at a time, on the disk",
            lambda: _append_rate(groups, GROUP),
            floor,
            lambda: _segment_rate(groups, GROUP),
            unit="records/s",
            runs=runs,
        ),
        compare(
            f"spool: read and delete, {PACK} records at a time",
            lambda: _drain_rate(drained),
            "a plain file, read record by record",
            lambda: _segment_drain_rate(drained),
            unit="records/s",
            runs=runs,
        ),
        compare(
            f"spool: take a detection while {backlog:,} readings drain, 99th percentile",
            lambda: _live_ms(backlog, 0),
            "the same with nothing to drain",
            lambda: _live_ms(0, backlog // PACK),
            unit="ms",
            runs=min(runs, 3),
        ),
    ]
