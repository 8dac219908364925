"""Measured values and their roll-ups by minute, hour and day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import Connection

from contract.messages import Reading
from hub.store.bulk import BulkTable, Insert

WIDTHS = ("1m", "1h", "1d")


@dataclass(frozen=True, slots=True)
class ReceivedReading:
    """A value as it arrived."""

    agent: str
    record: Reading
    received_at: datetime


@dataclass(slots=True)
class _Sum:
    n: int = 0
    total: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")


_TABLE = BulkTable(
    "reading",
    (
        ("captured_at", "timestamptz"),
        ("received_at", "timestamptz"),
        ("agent", "text"),
        ("device", "text"),
        ("metric", "text"),
        ("label", "text"),
        ("place", "text"),
        ("value", "float8"),
        ("unit", "text"),
    ),
)


def append(
    conn: Connection[Any], readings: Sequence[ReceivedReading], zone: ZoneInfo, insert: Insert
) -> None:
    """Store new values and take them into the roll-ups, exact for late ones too.

    zone: of the district; a day begins at its midnight.
    """
    insert(conn, _TABLE, map(_row, readings))
    _roll_up(conn, readings, zone)


def _row(x: ReceivedReading) -> tuple[Any, ...]:
    r = x.record
    return (
        r.captured_at,
        x.received_at,
        x.agent,
        r.device,
        r.metric,
        r.label,
        r.place,
        r.value,
        r.unit,
    )


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


def _roll_up(conn: Connection[Any], readings: Sequence[ReceivedReading], zone: ZoneInfo) -> None:
    sums: dict[tuple[Any, ...], _Sum] = {}
    for x in readings:
        r = x.record
        for width in WIDTHS:
            key = (
                width,
                bucket(width, r.captured_at, zone),
                x.agent,
                r.device,
                r.metric,
                r.label,
                r.place,
            )
            s = sums.setdefault(key, _Sum())
            s.n += 1
            s.total += r.value
            s.low, s.high = min(s.low, r.value), max(s.high, r.value)
    rows = [(*key, s.n, s.total, s.low, s.high) for key, s in sorted(sums.items(), key=_key)]
    # sorted: two batches that meet in a bucket take its rows in the same order
    conn.execute(
        """
        INSERT INTO reading_rollup AS r (width, bucket, agent, device, metric, label, place,
                                         n, total, low, high)
        SELECT * FROM unnest(%s::text[], %s::timestamptz[], %s::text[], %s::text[], %s::text[],
            %s::text[], %s::text[], %s::bigint[], %s::float8[], %s::float8[], %s::float8[])
        ON CONFLICT (width, bucket, agent, device, metric, label, place) DO UPDATE SET
            n = r.n + excluded.n, total = r.total + excluded.total,
            low = least(r.low, excluded.low), high = greatest(r.high, excluded.high)
        """,
        [list(column) for column in zip(*rows, strict=True)],
    )


def _key(item: tuple[tuple[Any, ...], _Sum]) -> tuple[Any, ...]:
    return item[0]
