"""Units that help the responsible one with an event, each with its own part."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class CohandlerRow:
    """A unit's part in an event. done_at None: it is not done."""

    event: int
    unit: str
    part: str
    added_at: datetime
    added_by: str
    done_at: datetime | None
    done_by: str | None
    note: str


def add(conn: Connection[Any], event: int, unit: str, part: str, by: str, at: datetime) -> None:
    """The unit helps; one that helped before has something to do again."""
    conn.execute(
        """
        INSERT INTO cohandler (event, unit, part, added_at, added_by) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (event, unit) DO UPDATE SET
            part = excluded.part, added_at = excluded.added_at, added_by = excluded.added_by,
            done_at = NULL, done_by = NULL, note = ''
        """,
        (event, unit, part, at, by),
    )


def finish(conn: Connection[Any], event: int, unit: str, by: str, at: datetime, note: str) -> None:
    """The unit has done its part."""
    conn.execute(
        """
        UPDATE cohandler SET done_at = %s, done_by = %s, note = %s
        WHERE event = %s AND unit = %s AND done_at IS NULL
        """,
        (at, by, note, event, unit),
    )


def of_event(conn: Connection[Any], event: int) -> list[CohandlerRow]:
    """Who helps, in the order in which they were asked."""
    with conn.cursor(row_factory=class_row(CohandlerRow)) as cur:
        return cur.execute(
            "SELECT * FROM cohandler WHERE event = %s ORDER BY added_at, unit", (event,)
        ).fetchall()
