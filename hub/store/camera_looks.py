"""What the cameras that saw an event see once it was dealt with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from contract.taxonomy import CameraState


@dataclass(frozen=True, slots=True)
class LookRow:
    """The last look at an event. cameras: what each of them says, JSON values."""

    event: int
    next_at: datetime | None  # None: no more
    looked_at: datetime | None
    outcome: str | None  # clear | still_seen | cannot_tell; None: nothing was said yet
    cameras: list[dict[str, Any]]
    begun_at: datetime  # since when they are asked


@dataclass(frozen=True, slots=True)
class SightRow:
    """What one camera's detector says of an event: its latest episode there."""

    agent: str
    stream: str
    name: str
    episode: UUID
    kind: str
    label: str
    place: str
    answers: bool  # its agent looks when it is asked to
    phase: str
    heard_at: datetime  # of that word, by the hub's clock
    lost_sight_at: datetime | None
    box: list[float] | None
    moved: bool  # the camera looked somewhere else at some time since
    online_since: datetime | None  # it has been seeing since; None: it is not
    after: str | None  # digest of the newest complete picture of the scene without it


def begin(conn: Connection[Any], event: int, since: datetime, at: datetime) -> None:
    """The cameras that saw it say from `at` on what they see; what was said before `since` is of
    the past.

    Nothing is asked where no camera saw it.
    """
    conn.execute(
        """
        INSERT INTO camera_look (event, next_at, begun_at)
        SELECT %(event)s, %(at)s, %(since)s WHERE EXISTS (
            SELECT FROM detection d JOIN stream s USING (agent, stream)
            WHERE d.event IN (SELECT event_family(%(event)s)))
        ON CONFLICT (event) DO UPDATE SET
            next_at = excluded.next_at, begun_at = excluded.begun_at, looked_at = NULL,
            outcome = NULL, cameras = '[]'
        """,
        {"event": event, "since": since, "at": at},
    )


def end(conn: Connection[Any], event: int) -> None:
    """Nobody asks any more."""
    conn.execute(
        "UPDATE camera_look SET next_at = NULL WHERE event = %s AND next_at IS NOT NULL", (event,)
    )


def due(conn: Connection[Any], now: datetime, limit: int) -> list[LookRow]:
    """Events to look at by now, the longest due first.

    The events are locked, as by whoever acts on them; what somebody is at just now is left out.
    """
    with conn.cursor(row_factory=class_row(LookRow)) as cur:
        return cur.execute(
            """
            SELECT l.* FROM camera_look l JOIN grid_event e ON e.id = l.event
            WHERE l.next_at <= %s ORDER BY l.next_at LIMIT %s FOR UPDATE OF e SKIP LOCKED
            """,
            (now, limit),
        ).fetchall()


def wake(conn: Connection[Any], event: int, at: datetime) -> None:
    """A camera answered: what is still to be looked at is looked at then."""
    conn.execute(
        "UPDATE camera_look SET next_at = %s WHERE event = %s AND next_at > %s", (at, event, at)
    )


def put_off(conn: Connection[Any], event: int, until: datetime) -> None:
    """Look again then."""
    conn.execute("UPDATE camera_look SET next_at = %s WHERE event = %s", (until, event))


def keep(
    conn: Connection[Any],
    event: int,
    outcome: str,
    cameras: Sequence[dict[str, Any]],
    at: datetime,
) -> None:
    """What they say now."""
    conn.execute(
        "UPDATE camera_look SET outcome = %s, cameras = %s, looked_at = %s WHERE event = %s",
        (outcome, Jsonb(list(cameras)), at, event),
    )


def of_event(conn: Connection[Any], event: int) -> LookRow | None:
    """What was seen of an event, None where no camera was asked."""
    with conn.cursor(row_factory=class_row(LookRow)) as cur:
        return cur.execute("SELECT * FROM camera_look WHERE event = %s", (event,)).fetchone()


def sights(conn: Connection[Any], event: int, since: datetime) -> list[SightRow]:
    """What every camera that saw the event says, one that still sees it first.

    since: a camera is not seeing where it was not heard of since then.
    """
    with conn.cursor(row_factory=class_row(SightRow)) as cur:
        return cur.execute(
            """
            SELECT DISTINCT ON (d.agent, d.stream)
                d.agent, d.stream, s.name, d.episode, d.kind, d.label, d.place,
                EXISTS (SELECT FROM agent a WHERE a.agent = d.agent
                        AND (a.manifest ->> 'looks')::boolean) AS answers,
                d.phase, c.heard_at, d.lost_sight_at, d.box,
                EXISTS (SELECT FROM camera_state m
                        WHERE m.agent = d.agent AND m.stream = d.stream AND m.state = %(moved)s
                          AND (m.ended_at IS NULL OR m.ended_at > c.first_at)) AS moved,
                (SELECT o.begun_at FROM camera_state o
                 WHERE o.agent = d.agent AND o.stream = d.stream AND o.ended_at IS NULL
                   AND o.state = %(online)s AND o.heard_at >= %(since)s
                   AND s.retired_at IS NULL) AS online_since,
                (SELECT v.digest FROM detection_evidence e JOIN evidence v USING (digest)
                 JOIN detection x USING (episode)
                 WHERE x.event = d.event AND x.agent = d.agent AND x.stream = d.stream
                   AND e.role = 'after' AND v.complete_at IS NOT NULL AND v.erased_at IS NULL
                 ORDER BY e.captured_at DESC LIMIT 1) AS after
            FROM detection d JOIN stream s USING (agent, stream)
            JOIN LATERAL (SELECT coalesce(min(received_at), d.received_at) AS first_at,
                                 coalesce(max(received_at), d.received_at) AS heard_at
                          FROM detection_change h WHERE h.episode = d.episode) c ON true
            WHERE d.event IN (SELECT event_family(%(event)s))
            ORDER BY d.agent, d.stream,
                (d.phase <> 'cleared' AND d.lost_sight_at IS NULL) DESC, d.raised_at DESC
            """,
            {
                "event": event,
                "since": since,
                "moved": CameraState.MOVED.value,
                "online": CameraState.ONLINE.value,
            },
        ).fetchall()
