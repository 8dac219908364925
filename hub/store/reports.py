"""Reports by people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from contract.geometry import Point
from hub.domain.actor import Actor
from hub.store.rows import ReportRow


def by_request_key(conn: Connection[Any], key: str) -> ReportRow | None:
    """The report that came with this request key."""
    with conn.cursor(row_factory=class_row(ReportRow)) as cur:
        return cur.execute("SELECT * FROM report WHERE request_key = %s", (key,)).fetchone()


def insert(
    conn: Connection[Any],
    event: int,
    reporter: Actor,
    description: str,
    position: Point,
    at: datetime,
    request_key: str | None,
) -> int:
    """Keep a report with the event that answers it; its id."""
    row = conn.execute(
        """
        INSERT INTO report (event, role, reporter, description, lon, lat, reported_at, request_key)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id
        """,
        (
            event,
            reporter.role,
            reporter.name,
            description,
            position.lon,
            position.lat,
            at,
            request_key,
        ),
    ).fetchone()
    assert row is not None
    return int(row[0])


def by_id(conn: Connection[Any], id: int) -> ReportRow | None:
    """The report of that id."""
    with conn.cursor(row_factory=class_row(ReportRow)) as cur:
        return cur.execute("SELECT * FROM report WHERE id = %s", (id,)).fetchone()


def reporters(conn: Connection[Any], event: int) -> list[str]:
    """Who reported what this event answers, by what was merged into it too."""
    return [
        str(name)
        for (name,) in conn.execute(
            """
            SELECT DISTINCT reporter FROM report WHERE event IN (SELECT event_family(%s))
            ORDER BY reporter
            """,
            (event,),
        )
    ]
