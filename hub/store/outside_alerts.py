"""Alerts of monitoring systems, and the grid events that answer them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import Connection


def event_of(conn: Connection[Any], fingerprint: str, starts_at: datetime) -> int | None:
    """The grid event that answers this alert, None where it was never told."""
    row = conn.execute(
        "SELECT event FROM outside_alert WHERE fingerprint = %s AND starts_at = %s",
        (fingerprint, starts_at),
    ).fetchone()
    return None if row is None else int(row[0])


def keep(conn: Connection[Any], fingerprint: str, starts_at: datetime, event: int) -> None:
    """This alert is answered by that event."""
    conn.execute(
        "INSERT INTO outside_alert (fingerprint, starts_at, event) VALUES (%s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (fingerprint, starts_at, event),
    )


def resolve(conn: Connection[Any], fingerprint: str, starts_at: datetime, at: datetime) -> bool:
    """The alert is over; whether it was not before."""
    return (
        conn.execute(
            "UPDATE outside_alert SET resolved_at = %s"
            " WHERE fingerprint = %s AND starts_at = %s AND resolved_at IS NULL",
            (at, fingerprint, starts_at),
        ).rowcount
        == 1
    )


def is_clear(conn: Connection[Any], event: int) -> bool:
    """Whether nothing that the event answers goes on: no alert, and no detection at all."""
    row = conn.execute(
        """
        SELECT NOT EXISTS (SELECT FROM outside_alert WHERE event = %(event)s
                           AND resolved_at IS NULL)
           AND NOT EXISTS (SELECT FROM detection WHERE event = %(event)s)
        """,
        {"event": event},
    ).fetchone()
    return bool(row and row[0])
