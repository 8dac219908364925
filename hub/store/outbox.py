"""What happened to grid events, kept until everyone who is to hear of it has been given it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from hub.store.rows import GridEventRow, HistoryRow


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One step of a grid event, and the event as the step left it (JSON values)."""

    id: int
    event: int
    n: int
    name: str
    at: datetime
    data: dict[str, Any]
    shared_at: datetime | None


def write(conn: Connection[Any], steps: Sequence[tuple[GridEventRow, HistoryRow]]) -> None:
    """One row for each entry of a history, with its event as it is after the step."""
    with conn.cursor() as cur:
        cur.executemany(
            "INSERT INTO outbox (event, n, name, at, data) VALUES (%s, %s, %s, %s, %s)",
            [
                (event.id, entry.n, entry.name, entry.at, Jsonb(_snapshot(event, entry)))
                for event, entry in steps
            ],
        )


def waiting(conn: Connection[Any], limit: int) -> list[OutboxRow]:
    """What nobody was given yet, in order."""
    with conn.cursor(row_factory=class_row(OutboxRow)) as cur:
        return cur.execute(
            "SELECT * FROM outbox WHERE shared_at IS NULL ORDER BY id LIMIT %s", (limit,)
        ).fetchall()


def share(conn: Connection[Any], ids: list[int], at: datetime) -> None:
    """These were given to every queue they belong in."""
    conn.execute("UPDATE outbox SET shared_at = %s WHERE id = ANY (%s)", (at, ids))


def prune(conn: Connection[Any], before: datetime, limit: int) -> int:
    """Throw away up to `limit` rows shared before then that no message waits for; how many."""
    return conn.execute(
        """
        WITH old AS (
            SELECT id FROM outbox o WHERE shared_at < %(before)s AND NOT EXISTS (
                SELECT FROM webhook_delivery d
                WHERE d.outbox = o.id AND (d.state = 'waiting' OR d.ended_at >= %(before)s))
            ORDER BY shared_at LIMIT %(limit)s
            FOR UPDATE SKIP LOCKED
        ), gone AS (DELETE FROM webhook_delivery d USING old WHERE d.outbox = old.id)
        DELETE FROM outbox o USING old WHERE o.id = old.id
        """,
        {"before": before, "limit": limit},
    ).rowcount


def _snapshot(event: GridEventRow, entry: HistoryRow) -> dict[str, Any]:
    return {
        "number": event.number,
        "step": entry.name,
        "n": entry.n,
        "from_state": entry.from_state,
        "state": entry.to_state,
        "role": entry.role,  # who acted is told by capacity, not by name
        "reason": entry.reason,
        "origin": event.origin,
        "category": event.category,
        "subcategory": event.subcategory,
        "severity": event.severity,
        "title": event.title,
        "lon": event.lon,
        "lat": event.lat,
        "cell": event.cell,
        "confirmation": event.confirmation,
        "level": event.level,
        "urgent": event.urgent,
        "responsible_unit": event.responsible_unit,
        "occurred_at": _text(event.occurred_at),
        "opened_at": _text(event.opened_at),
        "due_at": _text(event.due_at),
        "filed_at": _text(event.filed_at),
        "ended_at": _text(event.ended_at),
        "test": event.test,
    }


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
