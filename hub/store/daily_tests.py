"""When the last test detection of each camera arrived."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from hub.domain.daily_test import Daily, judge
from hub.store.part import WHOLE, Part


@dataclass(frozen=True, slots=True)
class LastTest:
    """The last test of a camera, and the grid event that it opened and that ended with it."""

    agent: str
    stream: str
    expected: bool  # its agent says that it sends them
    since: datetime  # of the agent's present run
    tested_at: datetime | None
    event: str | None

    def state(self, now: datetime) -> Daily:
        """Whether it came."""
        return judge(expected=self.expected, since=self.since, tested_at=self.tested_at, now=now)


def last_tests(conn: Connection[Any], part: Part = WHOLE) -> list[LastTest]:
    """Of each camera that its agent's manifest still names."""
    with conn.cursor(row_factory=class_row(LastTest)) as cur:
        return cur.execute(
            """
            SELECT s.agent, s.stream,
                coalesce((a.manifest ->> 'daily_test')::boolean, false) AS expected,
                greatest(a.first_seen_at, (a.manifest ->> 'started_at')::timestamptz) AS since,
                t.received_at AS tested_at, t.number AS event
            FROM stream s JOIN agent a USING (agent)
            LEFT JOIN LATERAL (
                SELECT d.received_at, e.number
                FROM detection d LEFT JOIN grid_event e ON e.id = d.event
                WHERE d.test AND d.agent = s.agent AND d.stream = s.stream
                ORDER BY d.received_at DESC LIMIT 1
            ) t ON true
            WHERE s.retired_at IS NULL
            ORDER BY s.agent, s.stream LIMIT %s OFFSET %s
            """,
            (part.limit, part.skip),
        ).fetchall()
