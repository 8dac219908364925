"""What operators said of machine events."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import Connection


def insert(
    conn: Connection[Any],
    event: int,
    verdict: str,
    reason: str,
    note: str,
    actor: str,
    at: datetime,
    history_n: int,
) -> int:
    """A verdict now stands, its id; an earlier one is overtaken."""
    conn.execute(
        "UPDATE verdict SET undone_at = %s WHERE event = %s AND undone_at IS NULL", (at, event)
    )
    row = conn.execute(
        """
        INSERT INTO verdict (event, verdict, reason, note, actor, at, history_n)
        VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id
        """,
        (event, verdict, reason, note, actor, at, history_n),
    ).fetchone()
    assert row is not None
    return int(row[0])


def undo(conn: Connection[Any], event: int, history_n: int, at: datetime) -> None:
    """The verdict that made that history entry, if one did, is taken back."""
    conn.execute(
        """
        UPDATE verdict SET undone_at = %s
        WHERE event = %s AND history_n = %s AND undone_at IS NULL
        """,
        (at, event, history_n),
    )
