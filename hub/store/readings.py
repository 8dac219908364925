"""Measured values and their roll-ups by minute, hour and day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import Connection

from contract.messages import Reading

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


def append(conn: Connection[Any], readings: Sequence[ReceivedReading], zone: ZoneInfo) -> None:
    """Store new values and take them into the roll-ups, exact for late ones too.

    zone: of the district; a day begins at its midnight.
    """
    with (
        conn.cursor() as cur,
        cur.copy(
            "COPY reading (captured_at, received_at, agent, device, metric, label, place, value, "
            "unit) FROM STDIN (FORMAT BINARY)"
        ) as copy,
    ):
        copy.set_types(
            ["timestamptz", "timestamptz", "text", "text", "text", "text", "text", "float8", "text"]
        )
        for x in readings:
            r = x.record
            copy.write_row(
                (
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
            )
    _roll_up(conn, readings, zone)


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
