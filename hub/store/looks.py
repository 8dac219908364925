"""Looks that the hub asks cameras for, and what they answered."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from contract.messages import Looked


@dataclass(frozen=True, slots=True)
class LookAsked:
    """One look. question: kind, label, place, box and episode, as the camera is asked."""

    id: uuid.UUID
    event: int
    agent: str
    stream: str
    question: dict[str, Any]
    asked_at: datetime
    until: datetime
    sent_at: datetime | None
    answered_at: datetime | None
    outcome: str | None  # seen | clear | cannot_tell
    reason: str
    score: float | None
    threshold: float | None
    frames: int | None
    picture: str | None  # digest


def ask(
    conn: Connection[Any],
    id: uuid.UUID,
    event: int,
    agent: str,
    stream: str,
    question: dict[str, Any],
    at: datetime,
    until: datetime,
) -> None:
    """A camera is to look; id: what it answers by."""
    conn.execute(
        """
        INSERT INTO look (id, event, agent, stream, question, asked_at, until)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        (id, event, agent, stream, Jsonb(question), at, until),
    )


def unsent(
    conn: Connection[Any], stations: Collection[str], now: datetime, limit: int
) -> list[tuple[str, LookAsked]]:
    """(station, look) of what is still to be asked of agents there, the oldest first."""
    with conn.cursor(row_factory=dict_row) as cur:
        found = cur.execute(
            """
            SELECT a.station, l.* FROM look l JOIN agent a USING (agent)
            WHERE l.sent_at IS NULL AND l.answered_at IS NULL AND l.until > %s
              AND a.station = ANY (%s)
            ORDER BY l.asked_at LIMIT %s
            """,
            (now, list(stations), limit),
        ).fetchall()
    return [(row.pop("station"), LookAsked(**row)) for row in found]


def sent(conn: Connection[Any], id: uuid.UUID, at: datetime) -> None:
    """The broker has it."""
    conn.execute("UPDATE look SET sent_at = %s WHERE id = %s", (at, id))


def answer(conn: Connection[Any], agent: str, said: Looked, at: datetime) -> int | None:
    """Keep what that agent answered; the event it is about.

    None where it was not asked of that agent and stream, was answered before, or is late.
    """
    try:
        id = uuid.UUID(said.look)
    except ValueError:
        return None
    row = conn.execute(
        """
        UPDATE look SET answered_at = %(at)s, outcome = %(outcome)s, reason = %(reason)s,
            score = %(score)s, threshold = %(threshold)s, frames = %(frames)s,
            picture = %(picture)s
        WHERE id = %(id)s AND agent = %(agent)s AND stream = %(stream)s
          AND answered_at IS NULL AND until > %(at)s
        RETURNING event
        """,
        {
            "id": id,
            "agent": agent,
            "stream": said.stream,
            "at": at,
            "outcome": said.outcome,
            "reason": said.reason,
            "score": said.score,
            "threshold": said.threshold,
            "frames": min(said.frames, 2**31 - 1),
            "picture": said.evidence.digest if said.evidence else None,
        },
    ).fetchone()
    return None if row is None else int(row[0])


def of_event(conn: Connection[Any], event: int, since: datetime) -> list[LookAsked]:
    """What the cameras of an event were asked since then, the oldest first."""
    with conn.cursor(row_factory=class_row(LookAsked)) as cur:
        return cur.execute(
            "SELECT * FROM look WHERE event = %s AND asked_at >= %s ORDER BY asked_at, id",
            (event, since),
        ).fetchall()


def are_here(conn: Connection[Any], digests: Sequence[str]) -> set[str]:
    """Which of these pictures are complete and not erased."""
    return {
        str(digest)
        for (digest,) in conn.execute(
            "SELECT digest FROM evidence WHERE digest = ANY (%s) AND complete_at IS NOT NULL"
            " AND erased_at IS NULL",
            (list(digests),),
        )
    }
