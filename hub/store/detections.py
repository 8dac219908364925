"""Detections: every change as it was told, and the episodes merged from them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Json, Jsonb

from contract.geometry import Point
from contract.messages import Detection, EvidenceChunk, EvidenceRef
from hub.domain.merge import EpisodeState
from hub.store.bulk import BulkTable, Insert
from hub.store.rows import DetectionRow


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one episode as it arrived."""

    station: str
    agent: str
    boot: str
    seq: int
    record: Detection
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Episode:
    """A merged episode, and the grid event it belongs to, if any."""

    state: EpisodeState
    event: int | None
    late: bool
    cell: str | None = None
    seq: int = 0  # of its latest change within its boot
    lost_sight_at: datetime | None = None  # the run that told of it is over


_CHANGES = BulkTable(
    "detection_change",
    (
        ("agent", "text"),
        ("boot", "text"),
        ("seq", "int8"),
        ("episode", "uuid"),
        ("revision", "int4"),
        ("phase", "text"),
        ("captured_at", "timestamptz"),
        ("received_at", "timestamptz"),
        ("body", "jsonb"),
    ),
)


def append_changes(conn: Connection[Any], changes: Iterable[Change], insert: Insert) -> None:
    """Keep every change as it was told."""
    insert(conn, _CHANGES, map(_change_row, changes))


def _change_row(c: Change) -> tuple[Any, ...]:
    r = c.record
    return (
        c.agent,
        c.boot,
        c.seq,
        UUID(r.episode),
        r.revision,
        str(r.phase),
        r.captured_at,
        c.received_at,
        Jsonb(msgspec.to_builtins(r)),
    )


def lock_episodes(conn: Connection[Any], ids: Collection[str]) -> dict[str, Episode]:
    """The episodes of these ids that are known, by id, locked until the transaction ends."""
    with conn.cursor(row_factory=class_row(DetectionRow)) as cur:
        rows = cur.execute(
            """
            SELECT episode, station, agent, boot, stream, kind, label, place, phase, revision,
                   started_at, raised_at, raised_frame, captured_at, score, peak_score, box,
                   lon, lat, cell, rule, scores, detector_version, event, received_at, late, test,
                   seq, lost_sight_at
            FROM detection WHERE episode = ANY (%s::uuid[]) ORDER BY episode FOR UPDATE
            """,
            (sorted(ids),),
        ).fetchall()
    return {
        str(row.episode): Episode(
            _state(row), row.event, row.late, row.cell, row.seq, row.lost_sight_at
        )
        for row in rows
    }


def save_episodes(conn: Connection[Any], episodes: Iterable[Episode]) -> None:
    """Write merged episodes, new or known, in one order everywhere."""
    with conn.cursor() as cur:
        cur.executemany(
            """
            INSERT INTO detection (episode, station, agent, boot, stream, kind, label, place,
                phase, revision, started_at, raised_at, raised_frame, captured_at, score,
                peak_score, box, lon, lat, cell, rule, scores, detector_version, event,
                received_at, late, test, seq, lost_sight_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
                %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (episode) DO UPDATE SET
                boot = excluded.boot, stream = excluded.stream, kind = excluded.kind,
                label = excluded.label, place = excluded.place, phase = excluded.phase,
                revision = excluded.revision, started_at = excluded.started_at,
                raised_at = excluded.raised_at, raised_frame = excluded.raised_frame,
                captured_at = excluded.captured_at, score = excluded.score,
                peak_score = excluded.peak_score, box = excluded.box, lon = excluded.lon,
                lat = excluded.lat, cell = excluded.cell, rule = excluded.rule,
                scores = excluded.scores, detector_version = excluded.detector_version,
                event = excluded.event, late = excluded.late, test = excluded.test,
                seq = excluded.seq, lost_sight_at = excluded.lost_sight_at
            """,
            [_values(e) for e in sorted(episodes, key=lambda e: e.state.episode)],
        )


def lose_sight(
    conn: Connection[Any],
    agent: str,
    *,
    boot: str,
    first_seq: int,
    at: datetime,
) -> set[int]:
    """An agent runs anew: episodes told of before can no longer be cleared; their events.

    Those of another boot, of a lower number than first_seq, or of a camera that is no more.
    """
    rows = conn.execute(
        """
        UPDATE detection d SET lost_sight_at = %(at)s
        FROM (SELECT episode FROM detection
              WHERE agent = %(agent)s AND phase <> 'cleared' AND lost_sight_at IS NULL
                AND (boot <> %(boot)s OR seq < %(first)s
                     OR EXISTS (SELECT FROM stream s
                                WHERE s.agent = detection.agent AND s.stream = detection.stream
                                  AND s.retired_at IS NOT NULL))
              ORDER BY episode FOR UPDATE) AS open
        WHERE d.episode = open.episode
        RETURNING d.event
        """,
        {
            "at": at,
            "agent": agent,
            "boot": boot,
            "first": first_seq,
        },
    ).fetchall()
    return {int(event) for (event,) in rows if event is not None}


def link_evidence(conn: Connection[Any], refs: Iterable[tuple[str, EvidenceRef]]) -> None:
    """Note which evidence shows which episode; the evidence itself may come before or after."""
    rows = {(episode, ref.digest): ref for episode, ref in refs}
    with conn.cursor() as cur:
        cur.executemany(
            """
            INSERT INTO detection_evidence (episode, digest, role, captured_at)
            VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING
            """,
            [(*key, ref.role, ref.captured_at) for key, ref in sorted(rows.items())],
        )


def link_clips(conn: Connection[Any], chunks: Iterable[tuple[str, EvidenceChunk]]) -> None:
    """Note which episodes a clip shows, as its first chunk (agent, header) says.

    The detection may come before or after; another agent's is left alone.
    """
    rows = {
        (episode, c.digest): (episode, c.digest, c.role, c.captured_at, episode, agent)
        for agent, c in chunks
        for episode in c.episodes
    }
    if not rows:
        return
    with conn.cursor() as cur:
        cur.executemany(
            """
            INSERT INTO detection_evidence (episode, digest, role, captured_at)
            SELECT %s, %s, %s, %s
            WHERE NOT EXISTS (SELECT FROM detection WHERE episode = %s AND agent <> %s)
            ON CONFLICT DO NOTHING
            """,
            [row for _, row in sorted(rows.items())],
        )


def events_shown_by(conn: Connection[Any], digest: str) -> list[str]:
    """Numbers of the grid events that this evidence shows."""
    return [
        str(number)
        for (number,) in conn.execute(
            """
            SELECT DISTINCT e.number FROM detection_evidence de
            JOIN detection d ON d.episode = de.episode JOIN grid_event e ON e.id = d.event
            WHERE de.digest = %s ORDER BY e.number
            """,
            (digest,),
        )
    ]


def _state(row: DetectionRow) -> EpisodeState:
    box = row.box
    return EpisodeState(
        episode=str(row.episode),
        station=row.station,
        agent=row.agent,
        boot=row.boot,
        stream=row.stream,
        kind=row.kind,
        label=row.label,
        place=row.place,
        phase=row.phase,
        revision=row.revision,
        started_at=row.started_at,
        raised_at=row.raised_at,
        raised_frame=row.raised_frame,
        captured_at=row.captured_at,
        score=row.score,
        peak_score=row.peak_score,
        box=None if box is None else (box[0], box[1], box[2], box[3]),
        position=None if row.lon is None or row.lat is None else Point(row.lon, row.lat),
        rule=row.rule,
        scores=tuple((t, s) for t, s in row.scores),
        detector_version=row.detector_version,
        received_at=row.received_at,
        test=row.test,
    )


def _values(e: Episode) -> tuple[Any, ...]:
    s = e.state
    return (
        UUID(s.episode),
        s.station,
        s.agent,
        s.boot,
        s.stream,
        s.kind,
        s.label,
        s.place,
        s.phase,
        s.revision,
        s.started_at,
        s.raised_at,
        s.raised_frame,
        s.captured_at,
        s.score,
        s.peak_score,
        None if s.box is None else Json(s.box),
        s.position.lon if s.position else None,
        s.position.lat if s.position else None,
        e.cell,
        Json(s.rule),
        Json(s.scores),
        s.detector_version,
        e.event,
        s.received_at,
        e.late,
        s.test,
        e.seq,
        e.lost_sight_at,
    )
