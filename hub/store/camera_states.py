"""The history of the cameras' states, and the times in which a cell was blind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.multirange import Multirange

from hub.domain.sight import SEEING, SILENT_AFTER, UNHEARD, Stretch, Word, follow


@dataclass(frozen=True, slots=True)
class BlindCell:
    """A cell and the times in which none of its cameras saw, oldest first, begin and end.

    states: what its cameras were in during the time asked for, other than seeing.
    """

    cell: str
    cameras: list[str]  # agent/stream
    states: list[str]
    periods: list[tuple[datetime, datetime]]

    @property
    def blind_s(self) -> float:
        """Length of all periods together."""
        return sum((end - begin).total_seconds() for begin, end in self.periods)


def tell(conn: Connection[Any], words: Sequence[Word]) -> None:
    """Go on with the history of these cameras by what is said of each, once, now."""
    keys = [w.agent for w in words], [w.stream for w in words]
    with conn.cursor(row_factory=class_row(Stretch)) as cur:
        open_now = {
            (s.agent, s.stream): s
            for s in cur.execute(
                """
                SELECT * FROM camera_state
                WHERE (agent, stream) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
                  AND ended_at IS NULL
                """,
                keys,
            )
        }
    heard, turned = [], []
    for word in words:
        known = open_now.get((word.agent, word.stream))
        now = follow(known, word)
        if known is not None and now == [replace(known, heard_at=now[-1].heard_at)]:
            heard.append((now[0].heard_at, word.agent, word.stream))
            continue
        turned.append((word.agent, word.stream, now))
    _hear(conn, heard)
    for agent, stream, stretches in turned:
        _replace_open(conn, agent, stream, stretches)


def lose(conn: Connection[Any], agent: str, state: str, at: datetime) -> None:
    """The agent is gone: its cameras are in this state since they were last heard."""
    with conn.cursor(row_factory=class_row(Stretch)) as cur:
        open_now = cur.execute(
            "SELECT * FROM camera_state WHERE agent = %s AND ended_at IS NULL AND state = ANY (%s)",
            (agent, sorted(SEEING)),
        ).fetchall()
    tell(conn, [Word(agent, s.stream, s.cell, state, s.heard_at, at) for s in open_now])


def retire(conn: Connection[Any], agent: str, streams: Sequence[str], at: datetime) -> None:
    """The agent has these cameras and no others: the history of the others ends."""
    conn.execute(
        """
        UPDATE camera_state SET ended_at = greatest(%s, begun_at + INTERVAL '1 microsecond')
        WHERE agent = %s AND stream <> ALL (%s::text[]) AND ended_at IS NULL
        """,
        (at, agent, list(streams)),
    )


def blind(
    conn: Connection[Any], since: datetime, until: datetime, now: datetime
) -> list[BlindCell]:
    """Every cell that had a camera in [since, until), with the times in which none of them saw.

    A camera that was not heard of for SILENT_AFTER counts as blind since it was last heard.
    """
    found = conn.execute(
        """
        WITH told AS (
            SELECT *, ended_at IS NULL AND heard_at < %(now)s - %(silent_after)s AS silent
            FROM camera_state
            WHERE cell IS NOT NULL AND begun_at < %(until)s
              AND (ended_at IS NULL OR ended_at > %(since)s)
        ), stretch AS (
            SELECT agent, stream, cell, state, begun_at,
                CASE WHEN silent THEN heard_at ELSE coalesce(ended_at, 'infinity') END AS ended_at
            FROM told
            UNION ALL
            SELECT agent, stream, cell, %(unheard)s, heard_at, 'infinity' FROM told WHERE silent
        ), clipped AS (
            SELECT agent || '/' || stream AS camera, cell, state, tstzrange(
                greatest(begun_at, %(since)s), least(ended_at, %(until)s)) AS during
            FROM stretch WHERE begun_at < %(until)s AND ended_at > greatest(begun_at, %(since)s)
        )
        SELECT cell, array_agg(DISTINCT camera ORDER BY camera),
            coalesce(array_agg(DISTINCT state ORDER BY state)
                     FILTER (WHERE state <> ALL (%(seeing)s)), '{}'),
            range_agg(during)
                - coalesce(range_agg(during) FILTER (WHERE state = ANY (%(seeing)s)), '{}')
        FROM clipped GROUP BY cell ORDER BY cell
        """,
        {
            "since": since,
            "until": until,
            "now": now,
            "silent_after": SILENT_AFTER,
            "unheard": UNHEARD,
            "seeing": sorted(SEEING),
        },
    )
    return [BlindCell(cell, cameras, states, _pairs(r)) for cell, cameras, states, r in found]


def drop_before(conn: Connection[Any], cutoff: datetime) -> int:
    """Forget what ended before; how many stretches that were."""
    return conn.execute("DELETE FROM camera_state WHERE ended_at < %s", (cutoff,)).rowcount


def _hear(conn: Connection[Any], heard: Sequence[tuple[datetime, str, str]]) -> None:
    conn.execute(
        """
        UPDATE camera_state c SET heard_at = h.heard_at
        FROM unnest(%s::timestamptz[], %s::text[], %s::text[]) AS h (heard_at, agent, stream)
        WHERE c.agent = h.agent AND c.stream = h.stream AND c.ended_at IS NULL
        """,
        ([h[0] for h in heard], [h[1] for h in heard], [h[2] for h in heard]),
    )


def _replace_open(
    conn: Connection[Any], agent: str, stream: str, stretches: Sequence[Stretch]
) -> None:
    conn.execute(
        "DELETE FROM camera_state WHERE agent = %s AND stream = %s AND ended_at IS NULL",
        (agent, stream),
    )
    with conn.cursor() as cur:
        cur.executemany(
            """
            INSERT INTO camera_state (agent, stream, cell, state, begun_at, heard_at, ended_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s)
            """,
            [
                (s.agent, s.stream, s.cell, s.state, s.begun_at, s.heard_at, s.ended_at)
                for s in stretches
            ],
        )


def _pairs(ranges: Multirange[datetime]) -> list[tuple[datetime, datetime]]:
    return [(r.lower, r.upper) for r in ranges if r.lower is not None and r.upper is not None]
