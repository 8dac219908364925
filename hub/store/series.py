"""Series: tables that only grow, split by the day (UTC) the hub received their rows.

A series is a TimescaleDB hypertable where the database had that extension when it was migrated,
else a table with a partition for each day and one for everything else. Names, columns and queries
are the same; only this module and `hypertables` know the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection, sql

from hub.store import hypertables

AHEAD = 3  # days made before they come; the timers may be away as long
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Series:
    """A table that is split by day, and how a compressed day of it is laid out."""

    name: str
    segment_by: str  # rows of one value lie together: what queries ask for
    order_by: str


READINGS = Series("reading", "device, metric", "captured_at DESC")
SCORES = Series("score_block", "agent, stream, kind", "started_at DESC")
HEARTBEATS = Series("health", "agent", "received_at DESC")
ALL = (READINGS, SCORES, HEARTBEATS)


def is_hypertable(conn: Connection[Any], series: Series) -> bool:
    """Whether TimescaleDB keeps it."""
    row = conn.execute(
        "SELECT relkind <> 'p' FROM pg_class WHERE oid = to_regclass(%s)", (series.name,)
    ).fetchone()
    return bool(row and row[0])


def make_days(conn: Connection[Any], series: Series, now: datetime) -> list[str]:
    """Make the partitions of today and the days ahead; the names of those that were missing.

    A hypertable makes its own. Waits at most two seconds for a lock; raises psycopg.Error.
    """
    if is_hypertable(conn, series):
        return []
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    made = []
    for n in range(AHEAD + 1):
        with conn.transaction():
            _be_brief(conn)
            if not _is_covered(conn, series, today + n * DAY):
                made.append(_make_day(conn, series, today + n * DAY))
    return made


def drop_before(conn: Connection[Any], series: Series, cutoff: datetime, at_most: int) -> list[str]:
    """Drop the oldest days all of whose rows were received before; their names.

    at_most: days dropped at once. Waits at most two seconds for a lock; raises psycopg.Error.
    """
    with conn.transaction():
        _be_brief(conn)
        if is_hypertable(conn, series):
            return hypertables.drop_chunks(conn, series.name, cutoff, at_most)
        conn.execute(
            sql.SQL("DELETE FROM {} WHERE received_at < %s").format(_default_of(series)), (cutoff,)
        )
        old = [
            str(name)
            for (name,) in conn.execute(
                f"{_PARTITIONS} SELECT name FROM day WHERE upper <= %(cutoff)s "
                "ORDER BY upper LIMIT %(at_most)s",
                {"series": series.name, "cutoff": cutoff, "at_most": at_most},
            )
        ]
        for name in old:
            conn.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
        return old


# The partitions of a series but the default one, with the times they begin and end at.
_PARTITIONS = r"""
WITH day AS (
    SELECT c.relname AS name,
        coalesce((regexp_match(bound, 'FROM \(''([^'']+)''\)'))[1]::timestamptz, '-infinity')
            AS lower,
        (regexp_match(bound, 'TO \(''([^'']+)''\)'))[1]::timestamptz AS upper
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid,
        LATERAL pg_get_expr(c.relpartbound, c.oid) AS bound
    WHERE i.inhparent = to_regclass(%(series)s) AND bound <> 'DEFAULT'
)
"""


def _is_covered(conn: Connection[Any], series: Series, day: datetime) -> bool:
    row = conn.execute(
        f"{_PARTITIONS} SELECT EXISTS (SELECT FROM day WHERE lower <= %(day)s AND upper > %(day)s)",
        {"series": series.name, "day": day},
    ).fetchone()
    return bool(row and row[0])


def _make_day(conn: Connection[Any], series: Series, day: datetime) -> str:
    """Make one partition, and move what the default partition has of that day into it.

    Attaching lets ingestion of other days go on, which CREATE ... PARTITION OF would not.
    """
    name = f"{series.name}_{day:%Y%m%d}"
    parts = {
        "day": sql.Identifier(name),
        "series": sql.Identifier(series.name),
        "default": _default_of(series),
        "lower": sql.Literal(day),
        "upper": sql.Literal(day + DAY),
    }
    for statement in (
        "CREATE TABLE {day} (LIKE {series} INCLUDING ALL)",
        "LOCK TABLE {default} IN ACCESS EXCLUSIVE MODE",
        "WITH moved AS (DELETE FROM {default} WHERE received_at >= {lower}"
        " AND received_at < {upper} RETURNING *) INSERT INTO {day} SELECT * FROM moved",
        "ALTER TABLE {series} ATTACH PARTITION {day} FOR VALUES FROM ({lower}) TO ({upper})",
    ):
        conn.execute(sql.SQL(statement).format(**parts))
    return name


def _default_of(series: Series) -> sql.Identifier:
    return sql.Identifier(f"{series.name}_default")


def _be_brief(conn: Connection[Any]) -> None:
    """Who waits for a table holds up everybody behind: rather give up and come again."""
    conn.execute("SET LOCAL lock_timeout = '2s'")
