"""What was seen and reported in a period, as a dry run of merge rules reads it. Never writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import args_row


@dataclass(frozen=True, slots=True)
class SeenRow:
    """A detection, by the clock of its agent, or a person's report, by the hub's.

    group None: a detection, whose group its kind and label tell.
    """

    group: str | None
    kind: str
    label: str
    device: str
    lon: float | None
    lat: float | None
    first_at: datetime
    last_at: datetime


def between(conn: Connection[Any], since: datetime, until: datetime) -> list[SeenRow]:
    """Every detection raised and every report made in [since, until), tests left out."""
    with conn.cursor(row_factory=args_row(SeenRow)) as cur:
        return cur.execute(
            """
            SELECT NULL, kind, label, agent || '/' || stream, lon, lat, raised_at,
                   greatest(raised_at, captured_at)
            FROM detection WHERE raised_at >= %(since)s AND raised_at < %(until)s AND NOT test
            UNION ALL
            SELECT e.merge_group, '', '', 'report', r.lon, r.lat, r.reported_at, r.reported_at
            FROM report r JOIN grid_event e ON e.id = r.event
            WHERE r.reported_at >= %(since)s AND r.reported_at < %(until)s AND NOT e.test
            ORDER BY 7, 4
            """,
            {"since": since, "until": until},
        ).fetchall()
