"""Grid events that a rule has to act on by now.

Each question locks what it finds; what somebody is at just now, another hub's timer for instance,
is left out.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import class_row

from hub.store.events import COLUMNS, SELECT
from hub.store.rows import GridEventRow


def suspected_and_clear(conn: Connection[Any], group: str, before: datetime) -> list[GridEventRow]:
    """Suspected events of a group whose scene has been clear since then, the longest first."""
    with conn.cursor(row_factory=class_row(GridEventRow)) as cur:
        return cur.execute(
            SELECT
            + """
            WHERE state = 'suspected' AND merge_group = %s AND scene_cleared_at <= %s
            ORDER BY scene_cleared_at LIMIT 200 FOR UPDATE SKIP LOCKED
            """,
            (group, before),
        ).fetchall()


def filed_never_dispatched(
    conn: Connection[Any], subcategories: Collection[str], before: datetime, limit: int
) -> list[GridEventRow]:
    """Events of these sub-categories filed before then that no step has dispatched so far, and
    for which the matrix has an entry of any unit, the oldest first.
    """
    with conn.cursor(row_factory=class_row(GridEventRow)) as cur:
        return cur.execute(
            SELECT
            + """
            WHERE state = 'filed' AND filed_at <= %s AND subcategory = ANY (%s)
              AND NOT EXISTS (SELECT FROM grid_event_history h
                              WHERE h.event = grid_event.id AND h.name = 'dispatch')
              AND EXISTS (SELECT FROM responsibility r JOIN unit u ON u.code = r.unit
                          WHERE r.category = grid_event.category AND r.to_at IS NULL
                            AND u.closed_at IS NULL
                            AND (r.subcategory IS NULL OR r.subcategory = grid_event.subcategory)
                            AND starts_with(coalesce(grid_event.cell, r.cell), r.cell))
            ORDER BY filed_at, id LIMIT %s FOR UPDATE SKIP LOCKED
            """,
            (before, sorted(subcategories), limit),
        ).fetchall()


def with_rung_due(conn: Connection[Any], now: datetime, limit: int) -> list[GridEventRow]:
    """Events whose ladder has a rung to climb by now, the longest due first."""
    return _due(conn, "next_rung_at", now, limit)


def with_state_ending(conn: Connection[Any], now: datetime, limit: int) -> list[GridEventRow]:
    """Events whose state a rule ends by now, the longest due first."""
    return _due(conn, "state_ends_at", now, limit)


def _due(conn: Connection[Any], column: str, now: datetime, limit: int) -> list[GridEventRow]:
    statement = sql.SQL(
        "SELECT {columns} FROM grid_event WHERE {due} < %s ORDER BY {due} LIMIT %s "
        "FOR UPDATE SKIP LOCKED"
    ).format(columns=sql.SQL(", ").join(map(sql.Identifier, COLUMNS)), due=sql.Identifier(column))
    with conn.cursor(row_factory=class_row(GridEventRow)) as cur:
        return cur.execute(statement, (now, limit)).fetchall()
