"""With which calendar and limits the deadlines in the database were computed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import Connection


def fingerprint(conn: Connection[Any]) -> str | None:
    """That of the rules used last, None where the columns were never computed."""
    row = conn.execute("SELECT fingerprint FROM clock_rules").fetchone()
    return str(row[0]) if row else None


def set_fingerprint(conn: Connection[Any], fingerprint: str, at: datetime) -> None:
    """All deadlines follow these rules from now on."""
    conn.execute(
        """
        INSERT INTO clock_rules (fingerprint, since) VALUES (%s, %s)
        ON CONFLICT (one) DO UPDATE SET fingerprint = excluded.fingerprint, since = excluded.since
        """,
        (fingerprint, at),
    )
