"""The audit log: who did or saw what, when, from where, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

DONE, REFUSED, FAILED = "done", "refused", "failed"
OUTCOMES = (DONE, REFUSED, FAILED)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One entry. outcome None: it began, and the hub died before it ended."""

    id: int
    at: datetime
    actor: str
    role: str
    login: str
    via: str  # password | link | session | token | command
    address: str
    action: str
    subject: str
    detail: str
    outcome: str | None


_COLUMNS = ", ".join(f.name for f in fields(AuditRow))


def write(
    conn: Connection[Any],
    *,
    at: datetime,
    actor: str,
    role: str,
    login: str,
    via: str,
    address: str,
    action: str,
    subject: str,
    detail: str = "",
    outcome: str | None = DONE,
) -> int:
    """The id of a new entry. outcome None: what comes of it is said later, once."""
    row = conn.execute(
        """
        INSERT INTO audit (at, actor, role, login, via, address, action, subject, detail, outcome)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id
        """,
        (at, actor, str(role), login, via, address, action, subject, detail, outcome),
    ).fetchone()
    assert row is not None
    return int(row[0])


def finish(conn: Connection[Any], id: int, outcome: str, detail: str) -> None:
    """What came of it."""
    conn.execute("UPDATE audit SET outcome = %s, detail = %s WHERE id = %s", (outcome, detail, id))


def entries(
    conn: Connection[Any],
    *,
    actor: str | None = None,
    subject: str | None = None,
    action: str | None = None,
    outcome: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[AuditRow]:
    """Entries with an id below `before`, the newest first.

    actor: a person's code or a login. subject: the number of an event, a digest, an agent, a login.
    """
    with conn.cursor(row_factory=class_row(AuditRow)) as cur:
        return cur.execute(
            f"""
            SELECT {_COLUMNS} FROM audit
            WHERE (%(actor)s::text IS NULL OR actor = %(actor)s OR login = %(actor)s)
              AND (%(subject)s::text IS NULL OR subject = %(subject)s)
              AND (%(action)s::text IS NULL OR action = %(action)s)
              AND (%(outcome)s::text IS NULL OR outcome = %(outcome)s)
              AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
              AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
              AND (%(before)s::bigint IS NULL OR id < %(before)s)
            ORDER BY id DESC LIMIT %(limit)s
            """,
            {
                "actor": actor,
                "subject": subject,
                "action": action,
                "outcome": outcome,
                "since": since,
                "until": until,
                "before": before,
                "limit": limit,
            },
        ).fetchall()
