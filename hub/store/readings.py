"""Measured values and their roll-ups by minute, hour and day."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection

from contract.messages import Reading
from contract.reading_pack import EPOCH, ReadingPack, Series, microseconds
from hub.store.bulk import BulkTable, Insert, by_copy, copy_statement
from hub.store.columns import Floats, Ints, Times

WIDTHS = ("1d", "1h", "1m")  # in the order in which their rows are locked

_MINUTE_US = 60_000_000
# PostgreSQL's binary COPY: https://www.postgresql.org/docs/current/sql-copy.html
_COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END = b"\xff\xff"
_BLOCK = 4000  # pieces, two a row
_FIELDS = struct.Struct(">H")
_SIZE = struct.Struct(">i")
_NUMBERS = struct.Struct(">iqiqid")  # captured_at, received_at, value, each with its size

Numbers = NDArray[np.int64]

TABLE = BulkTable(
    "reading",
    (
        ("agent", "text"),
        ("device", "text"),
        ("metric", "text"),
        ("label", "text"),
        ("place", "text"),
        ("unit", "text"),
        ("captured_at", "timestamptz"),
        ("received_at", "timestamptz"),
        ("value", "float8"),
    ),
)


@dataclass(slots=True)
class ReadingRows:
    """Values to be stored, as columns: a row is made of the values at one place in each."""

    series: list[Series] = field(default_factory=list)
    captured_us: list[int] = field(default_factory=list)  # since 2000, UTC
    values: list[float] = field(default_factory=list)

    def add(self, agent: str, r: Reading) -> None:
        """Take one value of this agent."""
        self.series.append(Series(agent, r.device, r.metric, r.label, r.place, r.unit))
        self.captured_us.append(microseconds(r.captured_at))
        self.values.append(r.value)

    def each(self, received_at: datetime) -> Iterator[tuple[Any, ...]]:
        """Row by row, in the order of the table's columns."""
        for series, us, value in zip(self.series, self.captured_us, self.values, strict=True):
            yield (*series, EPOCH + timedelta(microseconds=us), received_at, value)

    def add_pack(self, pack: ReadingPack) -> None:
        """Take the values of one message."""
        self.series += pack.series
        self.captured_us += pack.captured_us
        self.values += pack.values


def append(
    conn: Connection[Any], rows: ReadingRows, received_at: datetime, zone: ZoneInfo, insert: Insert
) -> None:
    """Store new values and take them into the roll-ups, exact for late ones too.

    zone: of the district; a day begins at its midnight.
    """
    if not rows.values:
        return
    if insert is by_copy:
        with conn.cursor() as cur, cur.copy(copy_statement(TABLE)) as copy:
            for block in copy_blocks(rows, received_at):
                copy.write(block)
            sums = _sums(rows, zone)  # here: the server is still taking the rows in
    else:
        insert(conn, TABLE, rows.each(received_at))
        sums = _sums(rows, zone)
    _roll_up(conn, sums)


def copy_blocks(rows: ReadingRows, received_at: datetime) -> Iterator[bytes]:
    """All that COPY (binary) is sent for these rows: as `insert` does, with no object a cell.

    In blocks: the server takes one in while the next is made.
    """
    pack, prefix, received_us = _NUMBERS.pack, _prefix, microseconds(received_at)
    block = [_COPY_HEAD]
    for series, at, value in zip(rows.series, rows.captured_us, rows.values, strict=True):
        block.append(prefix(series))
        block.append(pack(8, at, 8, received_us, 8, value))
        if len(block) >= _BLOCK:
            yield b"".join(block)
            block = []
    block.append(_COPY_END)
    yield b"".join(block)


@lru_cache(maxsize=50_000)
def _prefix(series: Series) -> bytes:
    """A row of COPY up to and without its numbers."""
    texts = [text.encode() for text in series]
    return _FIELDS.pack(len(texts) + 3) + b"".join(_SIZE.pack(len(t)) + t for t in texts)


def drop_rollups(conn: Connection[Any], width: str, cutoff: datetime) -> None:
    """Delete roll-ups of one width that begin before, in pieces that hold nothing up.

    conn: in autocommit mode.
    """
    while (
        conn.execute(
            """
            DELETE FROM reading_rollup WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM reading_rollup WHERE width = %s AND bucket < %s LIMIT 10000))
            """,
            (width, cutoff),
        ).rowcount
        == 10_000
    ):
        pass


def bucket(width: str, at: datetime, zone: ZoneInfo) -> datetime:
    """The beginning of the minute, hour or day (of the zone) that `at` lies in."""
    local = at.astimezone(zone)
    if width == "1m":
        return local.replace(second=0, microsecond=0)
    if width == "1h":
        return local.replace(minute=0, second=0, microsecond=0)
    return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)


@lru_cache(maxsize=50_000)
def _bucket_us(width: str, minute: int, zone: ZoneInfo) -> int:
    """The bucket of a minute, numbered from 2000; zones have been whole minutes since 1972."""
    return microseconds(bucket(width, EPOCH + timedelta(minutes=minute), zone))


@dataclass(frozen=True, slots=True)
class _Groups:
    """Sums by (bucket, series), in the order of both."""

    series: Numbers  # numbers of series
    bucket: Numbers
    n: Numbers
    total: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def by(self, bucket: Numbers) -> _Groups:
        """These groups again by other buckets."""
        order = np.lexsort((self.series, bucket))
        series, bucket = self.series[order], bucket[order]
        new = (series[1:] != series[:-1]) | (bucket[1:] != bucket[:-1])
        at = np.flatnonzero(np.concatenate(([True], new)))
        return _Groups(
            series[at],
            bucket[at],
            np.add.reduceat(self.n[order], at),
            np.add.reduceat(self.total[order], at),
            np.minimum.reduceat(self.low[order], at),
            np.maximum.reduceat(self.high[order], at),
        )


@dataclass(frozen=True, slots=True)
class _Sums:
    """What a batch adds to the roll-ups."""

    subjects: Sequence[tuple[str, ...]]  # in order: agent, device, metric, label, place
    groups: tuple[_Groups, ...]  # one for each of WIDTHS


def _sums(rows: ReadingRows, zone: ZoneInfo) -> _Sums:
    """What these values add to their minutes, hours and days."""
    subject_of = {series: series[:-1] for series in set(rows.series)}  # whatever the unit
    names = sorted(set(subject_of.values()))
    number = {subject: i for i, subject in enumerate(names)}
    number_of = {series: number[subject] for series, subject in subject_of.items()}
    values = np.array(rows.values)
    one = _Groups(
        np.array([number_of[series] for series in rows.series]),
        np.array(rows.captured_us) // _MINUTE_US,
        np.ones(len(values), np.int64),
        values,
        values,
        values,
    )
    minutes = one.by(one.bucket)
    numbers, where = np.unique(minutes.bucket, return_inverse=True)
    groups = tuple(
        minutes.by(np.array([_bucket_us(width, int(m), zone) for m in numbers])[where])
        for width in WIDTHS
    )
    return _Sums(names, groups)


def _roll_up(conn: Connection[Any], sums: _Sums) -> None:
    """Add the sums to their buckets, in one order everywhere: no two batches wait for each
    other."""
    groups = sums.groups
    conn.execute(
        """
        INSERT INTO reading_rollup AS r (width, bucket, agent, device, metric, label, place,
                                         n, total, low, high)
        SELECT (%s::text[])[g.width], g.bucket, s.agent, s.device, s.metric, s.label, s.place,
               g.n, g.total, g.low, g.high
        FROM unnest(%b, %b, %b, %b, %b, %b, %b) WITH ORDINALITY
                 AS g (width, bucket, series, n, total, low, high, i)
        JOIN unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[]) WITH ORDINALITY
                 AS s (agent, device, metric, label, place, i) ON s.i = g.series
        ORDER BY g.i
        ON CONFLICT (width, bucket, agent, device, metric, label, place) DO UPDATE SET
            n = r.n + excluded.n, total = r.total + excluded.total,
            low = least(r.low, excluded.low), high = greatest(r.high, excluded.high)
        """,
        [
            list(WIDTHS),
            Ints(np.repeat(np.arange(1, len(WIDTHS) + 1), [len(g.n) for g in groups])),
            Times(np.concatenate([g.bucket for g in groups])),
            Ints(np.concatenate([g.series for g in groups]) + 1),
            Ints(np.concatenate([g.n for g in groups])),
            *(
                Floats(np.concatenate([getattr(g, sums) for g in groups]))
                for sums in ("total", "low", "high")
            ),
            *(list(column) for column in zip(*sums.subjects, strict=True)),
        ],
    )
