"""Public alerts (CAP) as they were issued."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One message. It is never changed once issued."""

    identifier: str
    event: int
    number: str
    msg_type: str
    sender: str
    sent: str  # as it stands in the message
    sent_at: datetime
    expires_at: datetime
    severity: str
    title: str
    facts: str  # what the public was told: another message is due once that changes
    ended: bool  # a later message of the same event stands in its place
    xml: str
    id: int = 0  # in the order they were issued; given by the database


def issue(conn: Connection[Any], alert: AlertRow) -> None:
    """Issue a message; those before it of the same event have ended."""
    conn.execute("UPDATE cap_alert SET ended = true WHERE event = %s AND NOT ended", (alert.event,))
    conn.execute(
        """
        INSERT INTO cap_alert (identifier, event, number, msg_type, sender, sent, sent_at,
            expires_at, severity, title, facts, ended, xml)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            alert.identifier,
            alert.event,
            alert.number,
            alert.msg_type,
            alert.sender,
            alert.sent,
            alert.sent_at,
            alert.expires_at,
            alert.severity,
            alert.title,
            alert.facts,
            alert.ended,
            alert.xml,
        ),
    )


def standing(conn: Connection[Any], event: int) -> list[AlertRow]:
    """The messages of the alert that stands for an event, the oldest first; empty for none."""
    with conn.cursor(row_factory=class_row(AlertRow)) as cur:
        rows = cur.execute(
            "SELECT * FROM cap_alert WHERE event = %s ORDER BY id", (event,)
        ).fetchall()
    cancelled = max((i + 1 for i, r in enumerate(rows) if r.msg_type == "Cancel"), default=0)
    return rows[cancelled:]


def by_identifier(conn: Connection[Any], identifier: str) -> AlertRow | None:
    """The message of that identifier."""
    with conn.cursor(row_factory=class_row(AlertRow)) as cur:
        return cur.execute(
            "SELECT * FROM cap_alert WHERE identifier = %s", (identifier,)
        ).fetchone()


def newest(conn: Connection[Any], since: datetime, limit: int) -> list[AlertRow]:
    """The messages sent since then, the newest first."""
    with conn.cursor(row_factory=class_row(AlertRow)) as cur:
        return cur.execute(
            "SELECT * FROM cap_alert WHERE sent_at >= %s ORDER BY id DESC LIMIT %s",
            (since, limit),
        ).fetchall()


def expiring(conn: Connection[Any], before: datetime, limit: int) -> list[int]:
    """Events whose alert still stands and ends before then."""
    return [
        int(event)
        for (event,) in conn.execute(
            "SELECT event FROM cap_alert WHERE NOT ended AND msg_type <> 'Cancel'"
            " AND expires_at < %s ORDER BY expires_at LIMIT %s",
            (before, limit),
        )
    ]
