"""What verdicts say of the streams and classes that fed an event: the ground of trust."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection

from hub.domain.trust import Judged


class StreamClass(NamedTuple):
    """One class as one stream detects it."""

    agent: str
    stream: str
    kind: str
    label: str


def note(conn: Connection[Any], event: int, verdict: int, at: datetime, *, good: bool) -> None:
    """A verdict on an event judges each stream and class that fed it; drills are left out."""
    conn.execute(
        """
        INSERT INTO judged (agent, stream, kind, label, at, verdict, good, score)
        SELECT agent, stream, kind, label, %s, %s, %s, max(peak_score) FROM detection
        WHERE event IN (SELECT event_family(%s)) AND NOT test
        GROUP BY agent, stream, kind, label ON CONFLICT DO NOTHING
        """,
        (at, verdict, good, event),
    )


def feeding(conn: Connection[Any], event: int) -> list[StreamClass]:
    """The streams and classes whose detections feed an event; drills are left out."""
    return [
        StreamClass(*row)
        for row in conn.execute(
            """
            SELECT DISTINCT agent, stream, kind, label FROM detection
            WHERE event IN (SELECT event_family(%s)) AND NOT test ORDER BY 1, 2, 3, 4
            """,
            (event,),
        )
    ]


def forget_undone(conn: Connection[Any], event: int) -> None:
    """Verdicts on the event that no longer stand judge nothing."""
    conn.execute(
        """
        DELETE FROM judged USING verdict v
        WHERE judged.verdict = v.id AND v.event = %s AND v.undone_at IS NOT NULL
        """,
        (event,),
    )


def last(
    conn: Connection[Any], wanted: Collection[StreamClass], limit: int
) -> dict[StreamClass, list[Judged]]:
    """The last verdicts of each, oldest first; one index range of at most `limit` rows each."""
    asked = sorted(wanted)
    found: dict[StreamClass, list[Judged]] = {key: [] for key in asked}
    for agent, stream, kind, label, at, good, score in conn.execute(
        """
        SELECT w.agent, w.stream, w.kind, w.label, j.at, j.good, j.score
        FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])
            AS w (agent, stream, kind, label),
        LATERAL (SELECT at, verdict, good, score FROM judged
                 WHERE (agent, stream, kind, label) = (w.agent, w.stream, w.kind, w.label)
                 ORDER BY at DESC, verdict DESC LIMIT %s) AS j
        ORDER BY j.at, j.verdict
        """,
        (*([key[i] for key in asked] for i in range(4)), limit),
    ):
        found[StreamClass(agent, stream, kind, label)].append(Judged(at, good, score))
    return found


def known(conn: Connection[Any], agent: str | None, limit: int) -> list[StreamClass]:
    """Every stream and class that somebody judged, of one agent or of all, by name."""
    return [
        StreamClass(*row)
        for row in conn.execute(
            "SELECT DISTINCT agent, stream, kind, label FROM judged"
            " WHERE %s::text IS NULL OR agent = %s ORDER BY 1, 2, 3, 4 LIMIT %s",
            (agent, agent, limit),
        )
    ]
