"""What came of a run, read from the hub's database and the agent's status; see docs/report.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import msgspec
import psycopg
from psycopg.rows import class_row

from contract.taxonomy import CameraState, Lane
from gridwarden import __version__
from gridwarden.cameras import Camera
from gridwarden.watch import AgentStatus

VERSION = 1  # of the keys


@dataclass(frozen=True, slots=True)
class StreamFigures:
    """What became of one camera's frames."""

    stream: str
    source: str
    state: CameraState | None  # None: the agent never spoke of it
    captured: int
    observed: int


@dataclass(frozen=True, slots=True)
class DetectionFigures:
    """One episode as the hub has it."""

    stream: str
    kind: str
    label: str
    place: str
    raised: int  # changes by phase
    updated: int
    cleared: int
    raised_at: datetime
    raised_frame: int
    peak_score: float
    reason: str
    grid_event: str | None


@dataclass(frozen=True, slots=True)
class CrossingFigures:
    """Vehicles over one line in one direction."""

    stream: str
    line: str
    direction: str
    count: int


@dataclass(frozen=True, slots=True)
class LaneFigures:
    """Records of one lane."""

    spooled: int
    committed: int
    lost: int  # declared lost by the agent, with a reason


@dataclass(frozen=True, slots=True)
class GridEventFigures:
    """One grid event."""

    number: str
    title: str
    category: str
    subcategory: str
    severity: str
    state: str
    cell: str | None
    cell_name: str | None
    occurred_at: datetime
    opened_at: datetime
    detections: int
    evidence: int  # complete pictures


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from the capture of a frame to the commit of what was detected in it."""

    n: int
    p50: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """The whole report; its JSON is the file that `--json` writes."""

    report: int
    gridwarden: str
    stopped_because: str  # "ended" "seconds" "interrupted" "patience"
    seconds: float
    complete: bool  # everything spooled was committed or declared lost
    streams: list[StreamFigures]
    detections: list[DetectionFigures]
    crossings: list[CrossingFigures]
    lanes: dict[Lane, LaneFigures]
    quarantined: int
    grid_events: list[GridEventFigures]
    latency_s: Latency


DETECTIONS = """
SELECT d.stream, d.kind, d.label, d.place,
       count(*) FILTER (WHERE c.phase = 'raised')::int AS raised,
       count(*) FILTER (WHERE c.phase = 'updated')::int AS updated,
       count(*) FILTER (WHERE c.phase = 'cleared')::int AS cleared,
       d.raised_at, d.raised_frame, d.peak_score,
       coalesce(min(c.body -> 'rule' ->> 'reason') FILTER (WHERE c.phase = 'raised'),
                d.rule ->> 'reason') AS reason,
       e.number AS grid_event
FROM detection d
LEFT JOIN detection_change c USING (episode)
LEFT JOIN grid_event e ON e.id = d.event
WHERE NOT d.test
GROUP BY d.episode, e.number
ORDER BY d.stream, d.raised_frame, d.kind
"""
CROSSINGS = """
SELECT device AS stream, place AS line, label AS direction, round(sum(value))::int AS count
FROM reading WHERE metric = 'vehicle_crossing'
GROUP BY device, place, label ORDER BY device, place, label
"""
ARRIVED = """
SELECT l.lane, coalesce((SELECT sum(upper(r) - lower(r)) FROM unnest(
           (int8multirange(int8range(1, watermark + 1)) + received) * asked) r), 0)::bigint
           AS received,
       coalesce((SELECT sum(upper(r) - lower(r)) FROM unnest(lost * asked) r), 0)::bigint AS lost
FROM unnest(%s::text[], %s::bigint[]) AS wanted(lane, upto)
JOIN ledger l ON l.boot = %s AND l.lane = wanted.lane
CROSS JOIN LATERAL (SELECT int8multirange(int8range(1, upto + 1)) AS asked) AS a
"""
GRID_EVENTS = """
SELECT e.number, e.title, e.category, e.subcategory, e.severity, e.state, e.cell,
       c.name_en AS cell_name, e.occurred_at, e.opened_at,
       (SELECT count(*) FROM detection d WHERE d.event = e.id)::int AS detections,
       (SELECT count(DISTINCT digest) FROM detection d JOIN detection_evidence USING (episode)
            JOIN evidence p USING (digest)
        WHERE d.event = e.id AND p.complete_at IS NOT NULL)::int AS evidence
FROM grid_event e LEFT JOIN grid_cell c ON c.code = e.cell
WHERE NOT e.test ORDER BY e.id
"""
LATENCY = """
SELECT count(*)::int AS n,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS p50,
       percentile_cont(0.99) WITHIN GROUP (ORDER BY seconds) AS p99
FROM (SELECT extract(epoch FROM committed_at - captured_at)::float8 AS seconds
      FROM detection_change) AS each_change
"""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Arrived:
    """What the hub's ledger has of the records 1..n of one lane."""

    lane: str
    received: int  # here, or declared lost
    lost: int


def arrived(
    conn: psycopg.Connection, boot: str, spooled: Mapping[Lane, int]
) -> dict[Lane, Arrived]:
    """What arrived of the records of one boot. spooled: how many each lane has."""
    lanes, upto = list(spooled.keys()), list(spooled.values())
    rows = _rows(conn, Arrived, ARRIVED, (lanes, upto, boot))
    found = {Lane(row.lane): row for row in rows}
    return {lane: found.get(lane, Arrived(lane, 0, 0)) for lane in spooled}


def is_complete(spooled: Mapping[Lane, int], found: Mapping[Lane, Arrived]) -> bool:
    """Whether each record that was spooled is committed or declared lost."""
    return all(found[lane].received >= count for lane, count in spooled.items())


def collect(
    conn: psycopg.Connection,
    cameras: Sequence[Camera],
    status: AgentStatus,
    spooled: Mapping[Lane, int],
    stopped_because: str,
    seconds: float,
) -> Figures:
    """The report. spooled: records by lane that had to arrive."""
    found = arrived(conn, status.boot, spooled)
    lanes = {
        lane: LaneFigures(count, found[lane].received - found[lane].lost, found[lane].lost)
        for lane, count in spooled.items()
    }
    quarantined = conn.execute("SELECT count(*) FROM quarantine").fetchone()
    return Figures(
        report=VERSION,
        gridwarden=__version__,
        stopped_because=stopped_because,
        seconds=round(seconds, 3),
        complete=is_complete(spooled, found),
        streams=[_stream(camera, status) for camera in cameras],
        detections=_rows(conn, DetectionFigures, DETECTIONS),
        crossings=_rows(conn, CrossingFigures, CROSSINGS),
        lanes=lanes,
        quarantined=quarantined[0] if quarantined else 0,
        grid_events=_rows(conn, GridEventFigures, GRID_EVENTS),
        latency_s=_rows(conn, Latency, LATENCY)[0],
    )


def _stream(camera: Camera, status: AgentStatus) -> StreamFigures:
    told = status.streams.get(camera.stream)
    if told is None:
        return StreamFigures(camera.stream, camera.name, None, 0, 0)
    return StreamFigures(camera.stream, camera.name, told.state, told.captured, told.observed)


def _rows(
    conn: psycopg.Connection, kind: type[T], query: str, arguments: Sequence[object] = ()
) -> list[T]:
    with conn.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(query.encode(), arguments).fetchall()


def to_json(figures: Figures) -> bytes:
    """The report for programs, indented."""
    return msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n"
