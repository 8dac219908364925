"""Tasks: somebody is to go and look, before filing or after disposal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task. `ended_n`: the entry of the event's history that ended it."""

    id: int
    event: int
    kind: str  # verify | check
    person: str | None  # None: nobody yet
    opened_n: int
    opened_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    ended_n: int | None
    outcome: str | None  # exists | absent | passed | failed | expired | overtaken
    answered_by: str | None
    found: str | None  # passed: said by who may not close it
    found_by: str | None
    found_at: datetime | None


def open_task(
    conn: Connection[Any],
    event: int,
    kind: str,
    person: str | None,
    n: int,
    at: datetime,
    due_at: datetime | None,
) -> None:
    """Somebody is to look; where a task of the event is open already, it goes to that person."""
    conn.execute(
        """
        INSERT INTO task (event, kind, person, opened_n, opened_at, due_at)
        VALUES (%s, %s, %s, %s, %s, %s)
        ON CONFLICT (event) WHERE ended_at IS NULL DO UPDATE SET
            kind = excluded.kind, person = excluded.person, due_at = excluded.due_at
        """,
        (event, kind, person, n, at, due_at),
    )


def end_task(
    conn: Connection[Any], event: int, n: int, at: datetime, outcome: str, by: str | None
) -> None:
    """The open task of an event, if there is one, is over."""
    conn.execute(
        """
        UPDATE task SET ended_at = %s, ended_n = %s, outcome = %s, answered_by = %s
        WHERE event = %s AND ended_at IS NULL
        """,
        (at, n, outcome, by, event),
    )


def find(conn: Connection[Any], id: int, found: str, by: str, at: datetime) -> None:
    """What who went there found, and may not decide."""
    conn.execute(
        "UPDATE task SET found = %s, found_by = %s, found_at = %s WHERE id = %s",
        (found, by, at, id),
    )


def task(conn: Connection[Any], id: int) -> TaskRow | None:
    """The task of that id."""
    with conn.cursor(row_factory=class_row(TaskRow)) as cur:
        return cur.execute("SELECT * FROM task WHERE id = %s", (id,)).fetchone()


def of_event(conn: Connection[Any], event: int) -> list[TaskRow]:
    """Every task of an event, the first first."""
    with conn.cursor(row_factory=class_row(TaskRow)) as cur:
        return cur.execute("SELECT * FROM task WHERE event = %s ORDER BY id", (event,)).fetchall()


def open_of(conn: Connection[Any], person: str, limit: int) -> list[TaskRow]:
    """What that person is to look at, what is due first first."""
    with conn.cursor(row_factory=class_row(TaskRow)) as cur:
        return cur.execute(
            """
            SELECT * FROM task WHERE person = %s AND ended_at IS NULL
            ORDER BY due_at NULLS LAST, id LIMIT %s
            """,
            (person, limit),
        ).fetchall()
