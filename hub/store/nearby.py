"""Which grid events a finding may belong to, for many findings at once.

`OFFSET 0` keeps the planner from joining everything with everything: each finding is one range of
an index, however many events there are.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from contract.geometry import Point
from hub.domain.correlate import Candidate, Closed


@dataclass(frozen=True, slots=True)
class Area:
    """Where and since when events of a group are looked for, in degrees."""

    group: str
    lon: tuple[float, float]
    lat: tuple[float, float]
    since: datetime
    test: bool


@dataclass(frozen=True, slots=True)
class StreamArea:
    """The view of a camera whose place is not known, since when."""

    group: str
    agent: str
    stream: str
    since: datetime
    test: bool


@dataclass(frozen=True, slots=True)
class SensedEvent:
    """A live event and one of the detections that feed it."""

    id: int
    group: str
    lon: float | None
    lat: float | None
    agent: str
    stream: str
    kind: str
    label: str
    cell: str
    last_seen_at: datetime
    test: bool


def live_near(conn: Connection[Any], areas: Sequence[Area]) -> list[tuple[int, Point, str, bool]]:
    """The live events of any of the areas last seen at its `since` or later.

    Each with its place, its merge group, and whether it is a test.
    """
    if not areas:
        return []
    return [
        (id, Point(lon, lat), group, test)
        for id, lon, lat, group, test in conn.execute(
            f"""
            SELECT DISTINCT e.id, e.lon, e.lat, a.merge_group, a.test FROM {_AREAS}, LATERAL (
                SELECT id, lon, lat FROM grid_event
                WHERE merge_group = a.merge_group AND lat BETWEEN a.south AND a.north
                  AND lon BETWEEN a.west AND a.east
                  AND ended_at IS NULL AND last_seen_at >= a.since AND test = a.test
                OFFSET 0) AS e
            """,
            _columns(areas),
        )
    ]


def closed_near(conn: Connection[Any], areas: Sequence[Area]) -> list[list[Closed]]:
    """For each area its events that were closed at `since` or later, the latest first."""
    found: list[list[Closed]] = [[] for _ in areas]
    if not areas:
        return found
    for n, id, lon, lat, first, ended in conn.execute(
        f"""
        SELECT a.n, e.id, e.lon, e.lat, e.occurred_at, e.ended_at FROM {_AREAS}, LATERAL (
            SELECT id, lon, lat, occurred_at, ended_at FROM grid_event
            WHERE merge_group = a.merge_group AND lat BETWEEN a.south AND a.north
              AND lon BETWEEN a.west AND a.east
              AND ended_at >= a.since AND state = 'closed' AND test = a.test
            ORDER BY ended_at DESC LIMIT 100) AS e
        ORDER BY a.n, e.ended_at DESC
        """,
        _columns(areas),
    ):
        found[n - 1].append(Closed(id, Point(lon, lat), first, ended))
    return found


def live_of_streams(conn: Connection[Any], streams: Sequence[StreamArea]) -> list[int | None]:
    """For each the live event without a place that its stream saw last, None if none."""
    if not streams:
        return []
    return [
        None if id is None else int(id)
        for (id,) in conn.execute(
            """
            SELECT e.id
            FROM unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::boolean[])
                WITH ORDINALITY AS s (merge_group, agent, stream, since, test, n)
            LEFT JOIN LATERAL (
                SELECT e.id FROM grid_event e JOIN detection d ON d.event = e.id
                WHERE d.agent = s.agent AND d.stream = s.stream
                  AND d.raised_at >= s.since - interval '1 day'
                  AND e.merge_group = s.merge_group AND e.lon IS NULL AND e.ended_at IS NULL
                  AND e.last_seen_at >= s.since AND e.test = s.test
                ORDER BY e.last_seen_at DESC, e.id LIMIT 1) AS e ON true
            ORDER BY s.n
            """,
            (
                [s.group for s in streams],
                [s.agent for s in streams],
                [s.stream for s in streams],
                [s.since for s in streams],
                [s.test for s in streams],
            ),
        )
    ]


def living_then(
    conn: Connection[Any],
    group: str,
    *,
    lon: tuple[float, float],
    lat: tuple[float, float],
    since: datetime,
    until: datetime,
    test: bool,
) -> list[Candidate]:
    """The events of a group within a rectangle that were seen between `since` and `until`, by id.

    Live or ended by now; a merged one is left out in favour of its parent.
    """
    return [
        Candidate(id, Point(x, y), first, last)
        for id, x, y, first, last in conn.execute(
            """
            SELECT id, lon, lat, occurred_at, last_seen_at FROM grid_event
            WHERE merge_group = %(group)s AND lat BETWEEN %(south)s AND %(north)s
              AND lon BETWEEN %(west)s AND %(east)s AND ended_at IS NULL
              AND last_seen_at >= %(since)s AND occurred_at <= %(until)s AND test = %(test)s
            UNION ALL
            SELECT id, lon, lat, occurred_at, last_seen_at FROM grid_event
            WHERE merge_group = %(group)s AND lat BETWEEN %(south)s AND %(north)s
              AND lon BETWEEN %(west)s AND %(east)s AND ended_at >= %(since)s
              AND last_seen_at >= %(since)s AND occurred_at <= %(until)s AND test = %(test)s
              AND state <> 'merged'
            ORDER BY id
            """,
            {
                "group": group,
                "south": lat[0],
                "north": lat[1],
                "west": lon[0],
                "east": lon[1],
                "since": since,
                "until": until,
                "test": test,
            },
        )
    ]


def live_in_cells(
    conn: Connection[Any], cells: Collection[str], kinds: Collection[str], since: datetime
) -> list[SensedEvent]:
    """The live events in these cells that were seen at `since` or later, with what feeds them.

    kinds: of the detections asked for. The latest of an event first, the one seen last first.
    """
    return [
        SensedEvent(*row)
        for row in conn.execute(
            """
            WITH RECURSIVE live AS MATERIALIZED (
                SELECT id, merge_group, lon, lat, cell, last_seen_at, test FROM grid_event
                WHERE cell = ANY (%s) AND ended_at IS NULL AND last_seen_at >= %s
            ), family (root, event) AS (
                SELECT id, id FROM live
                UNION
                SELECT f.root, g.id FROM family f JOIN grid_event g ON g.parent = f.event
            )
            SELECT e.id, e.merge_group, e.lon, e.lat, d.agent, d.stream, d.kind, d.label,
                   e.cell, e.last_seen_at, e.test
            FROM family f JOIN live e ON e.id = f.root JOIN detection d ON d.event = f.event
            WHERE d.kind = ANY (%s)
            ORDER BY e.last_seen_at DESC, e.id, d.raised_at DESC LIMIT 10000
            """,
            (sorted(cells), since, sorted(kinds)),
        )
    ]


_AREAS = """unnest(%s::text[], %s::float8[], %s::float8[], %s::float8[], %s::float8[],
    %s::timestamptz[], %s::boolean[])
    WITH ORDINALITY AS a (merge_group, south, north, west, east, since, test, n)"""


def _columns(areas: Sequence[Area]) -> tuple[list[Any], ...]:
    return (
        [a.group for a in areas],
        [a.lat[0] for a in areas],
        [a.lat[1] for a in areas],
        [a.lon[0] for a in areas],
        [a.lon[1] for a in areas],
        [a.since for a in areas],
        [a.test for a in areas],
    )
