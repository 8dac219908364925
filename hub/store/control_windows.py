"""Control windows and silences: read with each batch of detections, by an index of those that
stand."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from hub.domain.control_window import ControlWindow

_COLUMNS = ", ".join(f.name for f in fields(ControlWindow))


@dataclass(frozen=True, slots=True)
class NewWindow:
    """A window about to be made; the members as in ControlWindow."""

    kind: str
    category: str | None
    subcategory: str | None
    detector: str | None
    cells: tuple[str, ...]
    agent: str | None
    stream: str | None
    from_at: datetime
    until_at: datetime
    reason: str
    permit: str
    event: int | None


def insert(conn: Connection[Any], window: NewWindow, by: str, at: datetime) -> ControlWindow:
    """The window, made."""
    found = _rows(
        conn,
        f"""
        INSERT INTO control_window (kind, category, subcategory, detector, cells, agent, stream,
                                    from_at, until_at, reason, permit, event, made_by, made_at)
        VALUES (%s, %s, %s, %s, %s::text[], %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING {_COLUMNS}
        """,
        (
            window.kind,
            window.category,
            window.subcategory,
            window.detector,
            list(window.cells),
            window.agent,
            window.stream,
            window.from_at,
            window.until_at,
            window.reason,
            window.permit,
            window.event,
            by,
            at,
        ),
    )
    return found[0]


def in_force(conn: Connection[Any], at: datetime) -> list[ControlWindow]:
    """Those that hold at that moment, now or later than their making."""
    return _rows(
        conn,
        f"""
        SELECT {_COLUMNS} FROM control_window
        WHERE ended_at IS NULL AND until_at > %s AND from_at <= %s ORDER BY until_at, id
        """,
        (at, at),
    )


def overlapping(
    conn: Connection[Any], since: datetime, until: datetime, limit: int = 200
) -> list[ControlWindow]:
    """Those that held at some moment of [since, until], the latest first."""
    return _rows(
        conn,
        f"""
        SELECT {_COLUMNS} FROM control_window
        WHERE until_at > %s AND from_at <= %s AND (ended_at IS NULL OR ended_at > %s)
        ORDER BY until_at DESC, id DESC LIMIT %s
        """,
        (since, until, since, limit),
    )


def page(
    conn: Connection[Any], state: str, now: datetime, before: int | None, limit: int
) -> list[ControlWindow]:
    """Windows with an id below `before`, the newest first. state: standing (now or coming), over,
    or all."""
    return _rows(
        conn,
        f"""
        SELECT {_COLUMNS} FROM control_window
        WHERE (%(before)s::bigint IS NULL OR id < %(before)s)
          AND (%(state)s::text NOT IN ('standing', 'over')
               OR (ended_at IS NULL AND until_at > %(now)s) = (%(state)s::text = 'standing'))
        ORDER BY id DESC LIMIT %(limit)s
        """,
        {"before": before, "state": state, "now": now, "limit": limit},
    )


def by_id(conn: Connection[Any], id: int, *, lock: bool = False) -> ControlWindow | None:
    """The window of that id, locked until the transaction ends if asked."""
    found = _rows(
        conn,
        f"SELECT {_COLUMNS} FROM control_window WHERE id = %s" + (" FOR UPDATE" if lock else ""),
        (id,),
    )
    return found[0] if found else None


def end(conn: Connection[Any], id: int, by: str, at: datetime) -> None:
    """The window ends before its time."""
    conn.execute(
        "UPDATE control_window SET ended_at = %s, ended_by = %s WHERE id = %s AND ended_at IS NULL",
        (at, by, id),
    )


def _rows(conn: Connection[Any], statement: str, values: Any) -> list[ControlWindow]:
    with conn.cursor(row_factory=dict_row) as cur:
        found = cur.execute(statement.encode(), values).fetchall()
    return [ControlWindow(**row | {"cells": tuple(row["cells"])}) for row in found]
