"""What API and pages read, in rows shaped for them. Nothing here writes.

The queries stand in `hub/sql/queries/views.sql`. `{...}` in them is a list of the columns of a row
type, so that a row and its query cannot drift apart.

Longer than most modules: one short function for each of those queries, all by one mechanism.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import class_row, scalar_row
from psycopg.types.multirange import Multirange

from contract.geometry import Point
from contract.messages import ReadingCurve
from contract.ranges import SequenceSet
from hub.domain.errors import NotFoundError
from hub.domain.reach import EVERYWHERE, Within
from hub.store.part import WHOLE, Part
from hub.store.rows import (
    AgentRow,
    CommandRow,
    DetectionRow,
    EvidenceRow,
    GridEventRow,
    HistoryRow,
    ReportRow,
    StreamRow,
    VerdictRow,
)
from hub.store.view_rows import (
    AgentView,
    Count,
    EventFilter,
    EventSummary,
    Flooding,
    LaneView,
    LastDecision,
    MergedEvent,
    Picture,
    QuarantineCount,
    QuarantineFilter,
    QueuedEvent,
    Ranges,
    Refused,
    RefusedFull,
    Total,
)

R = TypeVar("R")


def queue(
    conn: Connection[Any], limit: int = 200, within: Within = EVERYWHERE
) -> list[QueuedEvent]:
    """What waits for a decision, the most urgent first."""
    values = {"limit": limit, "cells": within.cells}
    with conn.cursor(binary=True, row_factory=class_row(QueuedEvent)) as cursor:
        return cursor.execute(_sql("queue"), values).fetchall()


def queue_size(conn: Connection[Any], within: Within = EVERYWHERE) -> int:
    """How many events wait for a decision."""
    return int(_scalar(conn, "queue_size", cells=within.cells) or 0)


def stations_ingested(conn: Connection[Any]) -> int:
    """How many stations are ingested now, by this hub or another."""
    return int(_scalar(conn, "stations_ingested") or 0)


def events(
    conn: Connection[Any], wanted: EventFilter, before: int | None, limit: int
) -> list[EventSummary]:
    """Grid events with an id below `before`, the newest first."""
    return _rows(
        conn,
        EventSummary,
        "events",
        states=list(wanted.states) if wanted.states else None,
        severities=list(wanted.severities) if wanted.severities else None,
        cell=wanted.cell or None,
        cells=wanted.within.cells,
        unit=wanted.within.unit,
        words=_pattern(wanted.text) if wanted.text else None,
        before=before,
        limit=limit,
    )


def events_named(conn: Connection[Any], numbers: Sequence[str]) -> list[EventSummary]:
    """The grid events of these numbers, in any order."""
    return _rows(conn, EventSummary, "events_named", numbers=list(numbers))


def nearby(
    conn: Connection[Any], event: GridEventRow, radius_m: float, within: Within = EVERYWHERE
) -> list[tuple[EventSummary, float]]:
    """Open events around one, with their distance in metres, the nearest first."""
    if event.lon is None or event.lat is None:
        return []
    here = Point(event.lon, event.lat)
    found = _rows(
        conn,
        EventSummary,
        "nearby",
        id=event.id,
        cells=within.cells,
        lon=here.lon,
        lat=here.lat,
        reach=radius_m / 111_195.0,  # metres in a degree of latitude on the contract's sphere
    )
    distances = [
        (e, here.distance_m(Point(e.lon, e.lat)))
        for e in found
        if e.lon is not None and e.lat is not None
    ]
    return [(e, metres) for e, metres in distances if metres <= radius_m]


def event(conn: Connection[Any], number: str) -> GridEventRow:
    """The grid event of that number; raises NotFoundError."""
    found = _one(conn, GridEventRow, "event", number=number)
    if found is None:
        raise NotFoundError("grid event", number)
    return found


def event_number(conn: Connection[Any], id: int) -> str | None:
    """The number of the grid event with that id."""
    found: str | None = _scalar(conn, "event_number", id=id)
    return found


def root_of(conn: Connection[Any], id: int) -> GridEventRow:
    """The event that stands for this one now: itself, unless it was merged."""
    found = _one(conn, GridEventRow, "root_of", id=id)
    if found is None:
        raise NotFoundError("grid event", str(id))
    return found


def merged_into(conn: Connection[Any], event_id: int) -> list[MergedEvent]:
    """What was merged into an event, at any depth."""
    return _rows(conn, MergedEvent, "merged_into", id=event_id)


def repeats(conn: Connection[Any], event_id: int) -> list[str]:
    """Numbers of the events that repeat this closed one, the newest first."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(_sql("repeats"), {"id": event_id}).fetchall()


def detections_of(conn: Connection[Any], event_id: int) -> list[DetectionRow]:
    """The episodes that feed an event: those that go on first, of them the strongest."""
    return _rows(conn, DetectionRow, "detections_of", id=event_id)


def detections(
    conn: Connection[Any],
    *,
    kind: str | None,
    agent: str | None,
    stream: str | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
    within: Within = EVERYWHERE,
) -> list[DetectionRow]:
    """Episodes raised before (time, episode), the newest first."""
    at, episode = before or (None, None)
    return _rows(
        conn,
        DetectionRow,
        "detections",
        kind=kind,
        agent=agent,
        stream=stream,
        cells=within.cells,
        unit=within.unit,
        at=at,
        episode=episode,
        limit=limit,
    )


def detection(conn: Connection[Any], episode: UUID) -> DetectionRow:
    """The episode; raises NotFoundError."""
    found = _one(conn, DetectionRow, "detection", episode=episode)
    if found is None:
        raise NotFoundError("detection", str(episode))
    return found


def number_of(conn: Connection[Any], episode: UUID) -> str | None:
    """The number of the event that an episode feeds."""
    found: str | None = _scalar(conn, "number_of", episode=episode)
    return found


def scores_around(conn: Connection[Any], episode: UUID, within_s: float) -> list[list[float]]:
    """(seconds relative to raised_at, score) around the moment an episode fired, oldest first.

    A detection carries its latest samples only; its first changes have those of that moment.
    """
    found = conn.execute(_sql("scores_of"), {"episode": episode}).fetchall()
    samples = {float(s): float(v) for (scores,) in found for s, v in scores or []}
    return [[s, v] for s, v in sorted(samples.items()) if abs(s) <= within_s]


def curves_of(conn: Connection[Any], episode: UUID) -> list[ReadingCurve]:
    """The readings that came with the first and the latest change of a sensor's episode."""
    found = conn.execute(_sql("curves_of"), {"episode": episode}).fetchall()
    return [msgspec.convert(curve, ReadingCurve) for (curve,) in found if curve]


def why_raised(conn: Connection[Any], episode: UUID) -> str:
    """The reason that the rule gave when it raised an episode."""
    return str(_scalar(conn, "reason_of", episode=episode) or "")


def pictures(conn: Connection[Any], event_id: int) -> list[Picture]:
    """What shows an event: drawn detections and photos first, the newest first."""
    return _rows(conn, Picture, "pictures", id=event_id)


def pictures_of_episode(conn: Connection[Any], episode: UUID) -> list[Picture]:
    """What shows an episode, oldest first."""
    return _rows(conn, Picture, "pictures_of_episode", episode=episode)


def evidence(conn: Connection[Any], digest: str) -> EvidenceRow:
    """What is known of a piece of evidence; raises NotFoundError."""
    found = _one(conn, EvidenceRow, "evidence", digest=digest)
    if found is None:
        raise NotFoundError("evidence", digest)
    return found


def history(conn: Connection[Any], event_id: int) -> list[HistoryRow]:
    """Every entry of an event's history, oldest first."""
    return _rows(conn, HistoryRow, "history", id=event_id)


def reports(conn: Connection[Any], event_id: int) -> list[ReportRow]:
    """What people reported of an event, oldest first."""
    return _rows(conn, ReportRow, "reports", id=event_id)


def verdict(conn: Connection[Any], event_id: int) -> VerdictRow | None:
    """The verdict that stands on an event."""
    return _one(conn, VerdictRow, "verdict", id=event_id)


def last_decision(
    conn: Connection[Any], actor: str, since: datetime, names: Sequence[str]
) -> LastDecision | None:
    """The last of these transitions that an actor made since then and nothing followed."""
    return _one(conn, LastDecision, "last_decision", actor=actor, since=since, names=list(names))


def agents(conn: Connection[Any], part: Part = WHOLE) -> list[AgentView]:
    """Every agent, by name."""
    return _rows(conn, AgentView, "agents", agent=None, limit=part.limit, skip=part.skip)


def agent(conn: Connection[Any], name: str) -> AgentView:
    """The agent of that name; raises NotFoundError."""
    found = _one(conn, AgentView, "agents", agent=name, limit=1, skip=0)
    if found is None:
        raise NotFoundError("agent", name)
    return found


def streams(conn: Connection[Any], agent: str | None = None, part: Part = WHOLE) -> list[StreamRow]:
    """Every camera, by agent and name."""
    return _rows(conn, StreamRow, "streams", agent=agent, limit=part.limit, skip=part.skip)


def names(conn: Connection[Any]) -> dict[tuple[str, str], str]:
    """What people call each camera and sensor, by (agent, stream or device)."""
    return {(agent, id): name for agent, id, name in conn.execute(_sql("names")).fetchall()}


def completeness(
    conn: Connection[Any],
    agent: str | None = None,
    *,
    present: bool = False,
    part: Part = WHOLE,
) -> list[LaneView]:
    """What the hub has of every lane, the current boot of each agent first.

    present: of the current boots only.
    """
    asked = {"agent": agent, "present": present, "limit": part.limit, "skip": part.skip}
    found = conn.execute(_sql("ledger"), asked).fetchall()
    return [replace(_lane(*row[:8]), quarantined=row[8], discarded=row[9]) for row in found]


def totals(
    conn: Connection[Any],
    *,
    width: str,
    since: datetime,
    until: datetime,
    metric: str | None,
    device: str | None,
    part: Part,
) -> list[Total]:
    """Sums of measured values by period [since, until), oldest first."""
    return _rows(
        conn,
        Total,
        "totals",
        width=width,
        since=since,
        until=until,
        metric=metric,
        device=device,
        limit=part.limit,
        skip=part.skip,
    )


def counts(conn: Connection[Any], metric: str, since: datetime) -> list[Count]:
    """How much of a metric each source measured since then (a full hour), by label."""
    return _rows(conn, Count, "counts", metric=metric, since=since)


def quarantine(
    conn: Connection[Any], wanted: QuarantineFilter, before: int | None, limit: int
) -> list[Refused]:
    """What could not be taken, the newest first."""
    return _rows(
        conn,
        Refused,
        "quarantine",
        agent=wanted.agent,
        fault=wanted.fault,
        waiting=wanted.waiting,
        before=before,
        limit=limit,
    )


def quarantine_counts(conn: Connection[Any]) -> list[QuarantineCount]:
    """How many entries wait, by whose fault."""
    return _rows(conn, QuarantineCount, "quarantine_counts")


def flooding(conn: Connection[Any], since: datetime, part: Part) -> list[Flooding]:
    """Devices that had records discarded since then, the latest first."""
    return _rows(conn, Flooding, "flooding", since=since, limit=part.limit, skip=part.skip)


def quarantined(conn: Connection[Any], id: int) -> RefusedFull:
    """One entry of the quarantine with its bytes; raises NotFoundError."""
    found = _one(conn, RefusedFull, "quarantined", id=id)
    if found is None:
        raise NotFoundError("quarantine entry", str(id))
    return found


def commands(conn: Connection[Any], agent: str, limit: int = 20) -> list[CommandRow]:
    """The parameter versions of an agent, the newest first."""
    return _rows(conn, CommandRow, "commands", agent=agent, limit=limit)


def _columns(row: type[Any], alias: str) -> str:
    return ", ".join(f"{alias}.{f.name}" for f in fields(row))


_SEEN = {"agent", "stream", "camera", "kind", "label", "peak_score", "cameras", "reports"}
_OWN = [f.name for f in fields(EventSummary) if f.name not in _SEEN | {"picture", "clips"}]
_PARTS = {
    "queued": ", ".join(f"e.{f.name}" for f in fields(QueuedEvent) if f.name in _OWN),
    "summary": ", ".join(f"e.{name}" for name in _OWN)
    + ", d.agent, d.stream, coalesce(s.name, n.name) AS camera, d.kind, d.label, d.peak_score,"
    " (SELECT count(DISTINCT (c.agent, c.stream)) FROM detection c WHERE c.event = e.id)"
    " AS cameras, (SELECT count(*) FROM report r WHERE r.event = e.id) AS reports,"
    " p.digest AS picture, (SELECT count(DISTINCT digest) FROM detection c"
    " JOIN detection_evidence k USING (episode) JOIN evidence v USING (digest)"
    " WHERE c.event = e.id AND k.role = 'clip' AND v.complete_at IS NOT NULL"
    " AND v.erased_at IS NULL) AS clips",
    "event": _columns(GridEventRow, "e"),
    "detection": _columns(DetectionRow, "d"),
    "history": _columns(HistoryRow, "h"),
    "report": _columns(ReportRow, "r"),
    "verdict": _columns(VerdictRow, "v"),
    "evidence": _columns(EvidenceRow, "v"),
    "shown": "(v.complete_at IS NOT NULL AND v.erased_at IS NULL)",
    "agent": _columns(AgentRow, "a"),
    "stream": _columns(StreamRow, "s"),
    "refused": ", ".join(f"q.{f.name}" for f in fields(Refused) if f.name != "size")
    + ", length(q.payload) AS size",
    "command": _columns(CommandRow, "c"),
}
_FILE = Path(__file__).resolve().parent.parent / "sql" / "queries" / "views.sql"
_HEAD = re.compile(r"^-- (name|part): ([a-z_]+)$", re.MULTILINE)


@cache
def _queries() -> dict[str, bytes]:
    """The queries of views.sql by name, their parts and column lists filled in."""
    pieces = _HEAD.split(_FILE.read_text(encoding="utf-8"))[1:]
    found = list(zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True))
    parts = _PARTS | {name: text for kind, name, text in found if kind == "part"}
    return {name: text.format_map(parts).encode() for kind, name, text in found if kind == "name"}


def _sql(name: str) -> bytes:
    return _queries()[name]


def _rows(conn: Connection[Any], row: type[R], name: str, **values: Any) -> list[R]:
    with conn.cursor(row_factory=class_row(row)) as cursor:
        return cursor.execute(_sql(name), values).fetchall()


def _one(conn: Connection[Any], row: type[R], name: str, **values: Any) -> R | None:
    with conn.cursor(row_factory=class_row(row)) as cursor:
        return cursor.execute(_sql(name), values).fetchone()


def _scalar(conn: Connection[Any], name: str, **values: Any) -> Any:
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(_sql(name), values).fetchone()


def _pattern(text: str) -> str:
    """An ILIKE pattern that finds `text` as it is written."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", text.strip()) + "%"


def _lane(
    agent: str,
    boot: str,
    lane: str,
    watermark: int,
    received: Multirange[int],
    lost: Multirange[int],
    updated_at: datetime,
    closed_at: datetime | None,
) -> LaneView:
    beyond = _closed(received)
    holes = SequenceSet(watermark, list(beyond)).holes()
    return LaneView(
        agent, boot, lane, watermark, beyond, holes, _closed(lost), updated_at, closed_at
    )


def _closed(ranges: Multirange[int]) -> Ranges:
    return [(r.lower, r.upper - 1) for r in ranges if r.lower is not None and r.upper is not None]
