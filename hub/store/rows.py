"""The rows of the database as Python sees them, for psycopg's `class_row`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class GridEventRow:
    """A grid event. `version` is the number of its history entries."""

    id: int
    number: str
    state: str
    origin: str  # machine | manual
    ever_reported: bool
    category: str
    subcategory: str
    merge_group: str
    severity: str
    title: str
    lon: float | None  # None: the place is not known (a camera without a position)
    lat: float | None
    cell: str | None
    occurred_at: datetime
    last_seen_at: datetime
    opened_at: datetime
    decide_by: datetime | None
    due_at: datetime | None  # the end of the present stage's time
    scene_cleared_at: datetime | None
    confirmation: str  # none | pending | human | waived
    level: int
    urgent: bool
    supervised: bool
    exempt: bool
    forced: bool
    extension_count: int
    rework_count: int
    reopened_count: int
    satisfaction: int | None
    parent: int | None
    responsible_unit: str | None
    assignee: str | None
    filing_condition: str | None
    filed_at: datetime | None
    ended_at: datetime | None
    reject_reason: str | None
    test: bool
    version: int
    close_by: datetime | None  # the end of the whole case's time
    next_rung_at: datetime | None  # when its ladder has a rung to climb
    state_ends_at: datetime | None  # when a rule ends its state
    recurrence_of: int | None  # the closed event it repeats
    occurrence: int  # how often at this place, 1: the first time
    corroborated_at: datetime | None  # another sense confirmed it
    by_itself: dict[str, Any] | None  # why it was filed by itself or not, a filing.Judgement


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One entry of the history of a grid event.

    `facts` holds {"given": {...}, "changed": {column: [before, after]}}, JSON values.
    """

    event: int
    n: int
    at: datetime
    name: str
    from_state: str | None
    to_state: str
    role: str
    actor: str
    reason: str | None
    facts: dict[str, Any]
    prev_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """What an operator said of a machine event."""

    id: int
    event: int
    verdict: str
    reason: str
    note: str
    actor: str
    at: datetime
    history_n: int
    undone_at: datetime | None


@dataclass(frozen=True, slots=True)
class DetectionRow:
    """An episode as its latest change tells it."""

    episode: UUID
    station: str
    agent: str
    boot: str
    stream: str
    kind: str
    label: str
    place: str
    phase: str
    revision: int
    started_at: datetime
    raised_at: datetime
    raised_frame: int
    captured_at: datetime
    score: float
    peak_score: float
    box: list[float] | None
    lon: float | None
    lat: float | None
    cell: str | None
    rule: dict[str, Any]
    scores: list[list[float]]
    detector_version: str
    event: int | None
    received_at: datetime
    late: bool  # arrived too late to open a grid event
    test: bool
    seq: int  # of its latest change within `boot`
    lost_sight_at: datetime | None  # the run that told of it is over; nobody will clear it


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A report by a person that an event answers."""

    id: int
    event: int
    role: str
    reporter: str
    description: str
    lon: float
    lat: float
    reported_at: datetime
    request_key: str | None


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A picture or clip. Its bytes may be shown only once `complete_at` is set."""

    digest: str
    agent: str | None  # None: a photo a person handed in
    stream: str | None
    media_type: str
    total: int
    captured_at: datetime
    complete_at: datetime | None
    erased_at: datetime | None
    erased_by: str | None
    erased_why: str | None


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An edge agent; `manifest` is its last birth as JSON."""

    agent: str
    station: str
    boot: str | None
    online: bool
    born_at: datetime | None
    seen_at: datetime | None
    manifest: dict[str, Any] | None
    clock_offset_s: float | None
    first_seen_at: datetime
    first_detection: int | None  # the first number of that lane in its present run


@dataclass(frozen=True, slots=True)
class StreamRow:
    """The last word on a camera. `retired_at`: its agent's manifest no longer names it."""

    agent: str
    stream: str
    name: str
    lon: float | None
    lat: float | None
    cell: str | None
    state: str
    since: datetime
    heard_at: datetime | None
    heard_seq: int
    frame_age_s: float | None
    frame_hash: str
    captured: int
    observed: int
    restarts: int
    detail: str
    retired_at: datetime | None
    footprint: dict[str, Any] | None  # GeoJSON: the ground it sees


@dataclass(frozen=True, slots=True)
class CommandRow:
    """A complete set of parameters an engineer set: stream -> kind -> parameter -> value."""

    agent: str
    version: int
    issued_at: datetime
    issued_by: str
    note: str
    parameters: dict[str, dict[str, dict[str, Any]]]
    published_at: datetime | None
    answered_at: datetime | None
    errors: list[str]
