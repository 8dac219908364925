"""What the API says and takes, typed for OpenAPI. Times are UTC; fractions 0..1; places WGS 84."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contract.taxonomy import CameraState, Category, Lane, Phase, Severity
from hub.services.judge_detection import Verdict

State = Literal[
    "suspected",
    "reported",
    "verifying",
    "filed",
    "dispatched",
    "disposing",
    "suspended",
    "disposed",
    "checking",
    "closed",
    "rejected",
    "merged",
    "lapsed",
    "voided",
]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256")]
Words = Annotated[str, Field(max_length=2000)]
Name = Annotated[str, Field(max_length=64)]


class Answer(BaseModel):
    """What the API answers; built from rows."""

    model_config = ConfigDict(from_attributes=True)


class Asked(BaseModel):
    """What the API is asked; an unknown member is refused by name."""

    model_config = ConfigDict(extra="forbid")


class EventBrief(Answer):
    """A grid event as a list shows it."""

    number: str = Field(examples=["410105-20261124-00012"])
    state: State
    origin: Literal["machine", "manual"]
    category: Category
    subcategory: str
    severity: Severity
    title: str
    lon: float | None
    lat: float | None
    cell: str | None = Field(description="Code of the basic grid as of its time")
    occurred_at: datetime
    last_seen_at: datetime
    opened_at: datetime
    decide_by: datetime | None = Field(description="Confirm, file or reject until then")
    scene_cleared_at: datetime | None
    version: int = Field(description="Send it back as expected_version")
    agent: str | None = Field(description="Of the strongest detection")
    stream: str | None
    camera: str | None
    kind: str | None
    label: str | None
    peak_score: float | None
    cameras: int
    reports: int
    picture: str | None = Field(description="Digest of the newest complete picture")


class EventPage(Answer):
    """Some grid events, the newest first."""

    events: list[EventBrief]
    next: str | None = Field(description="`cursor` of the next page, null on the last")


class EventNow(Answer):
    """A grid event as it is after a change."""

    number: str
    state: State
    origin: Literal["machine", "manual"]
    category: Category
    subcategory: str
    severity: Severity
    title: str
    lon: float | None
    lat: float | None
    cell: str | None
    occurred_at: datetime
    last_seen_at: datetime
    opened_at: datetime
    decide_by: datetime | None
    due_at: datetime | None
    scene_cleared_at: datetime | None
    confirmation: Literal["none", "pending", "human", "waived"]
    level: int
    urgent: bool
    supervised: bool
    forced: bool
    extension_count: int
    rework_count: int
    reopened_count: int
    responsible_unit: str | None
    assignee: str | None
    filing_condition: str | None
    filed_at: datetime | None
    ended_at: datetime | None
    reject_reason: str | None
    test: bool
    version: int


class Rule(Answer):
    """Which rule decided, at what threshold, and why."""

    name: str
    threshold: float
    reason: str


class DetectionNow(Answer):
    """An episode of one detector on one stream, as its latest change tells it."""

    episode: UUID
    station: str
    agent: str
    stream: str
    kind: str
    label: str
    place: str
    phase: Phase
    revision: int
    started_at: datetime
    raised_at: datetime
    captured_at: datetime
    received_at: datetime
    score: float
    peak_score: float
    box: list[float] | None = Field(description="[x, y, w, h], shares of the picture")
    lon: float | None
    lat: float | None
    cell: str | None
    rule: Rule
    scores: list[tuple[float, float]] = Field(
        description="(seconds relative to raised_at, score), oldest first"
    )
    detector_version: str
    late: bool
    test: bool


class DetectionPage(Answer):
    """Some detections, the newest first."""

    detections: list[DetectionNow]
    next: str | None


class PictureNow(Answer):
    """A picture or clip; it can be fetched once complete."""

    digest: str
    role: str = Field(description="box, before, clip or photo")
    captured_at: datetime
    agent: str | None
    stream: str | None
    episode: UUID | None
    media_type: str | None
    total: int | None = Field(description="Bytes; null: only the reference has arrived")
    received: int = Field(description="Bytes")
    complete: bool


class DetectionFull(DetectionNow):
    """A detection with what shows it and the event it feeds."""

    event: str | None = Field(description="Number of the grid event")
    evidence: list[PictureNow]


class HistoryEntry(Answer):
    """One entry of an event's history; `hash` covers it and `prev_hash`."""

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


class ReportNow(Answer):
    """What a person reported."""

    role: str
    reporter: str
    description: str
    lon: float
    lat: float
    reported_at: datetime


class VerdictNow(Answer):
    """The verdict that stands."""

    verdict: Verdict
    reason: str
    note: str
    actor: str
    at: datetime


class OfferNow(Answer):
    """A transition or act that is open to the duty operator, and what it needs."""

    name: str
    needs: list[str]
    is_act: bool


class EventFull(EventNow):
    """A grid event with everything that belongs to it."""

    parent: str | None = Field(description="Number of the event it was merged into")
    detections: list[DetectionNow]
    evidence: list[PictureNow]
    reports: list[ReportNow]
    verdict: VerdictNow | None
    history: list[HistoryEntry]
    allowed: list[OfferNow]


class Judge(Asked):
    """What an operator says of a machine detection."""

    verdict: Verdict
    reason: Words = Field("", description="Needed by the three rejecting verdicts; a label")
    note: Words = ""
    evidence_viewed: bool = False
    evidence_missing: bool = Field(False, description="Declared: there was no picture to see")
    subcategory: Name | None = Field(None, description="other_kind: what it is")
    filing_condition: Name | None = None
    parent: Name | None = Field(None, description="duplicate: number of the event it belongs to")
    assignee: Name | None = Field(None, description="unclear: who goes and looks")
    expected_version: int | None = Field(
        None, ge=1, description="The version that was seen; another one is refused with 409"
    )


class ActOn(Asked):
    """A transition or act of the lifecycle by name, with what it needs."""

    name: Name
    reason: Words = ""
    note: Words = ""
    subcategory: Name | None = None
    filing_condition: Name | None = None
    closing_condition_met: bool = False
    responsible_unit: Annotated[str, Field(max_length=200)] | None = None
    unit: Annotated[str, Field(max_length=200)] | None = None
    assignee: Name | None = None
    parent: Name | None = None
    until: datetime | None = None
    evidence: Annotated[list[Digest], Field(max_length=16)] = []
    second_actor: Name | None = None
    granted: bool | None = None
    satisfaction: Annotated[int, Field(ge=1, le=5)] | None = None
    evidence_viewed: bool = False
    evidence_missing: bool = False
    expected_version: int | None = Field(None, ge=1)


class Report(Asked):
    """What a person saw."""

    description: Annotated[str, Field(min_length=1, max_length=2000)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    lat: Annotated[float, Field(ge=-90, le=90)]
    category: Category
    subcategory: Name | None = Field(None, description="null: the category's general one")
    severity: Severity | None = Field(None, description="null: the sub-category's")
    occurred_at: datetime | None = Field(None, description="null: now")
    evidence: Annotated[list[Digest], Field(max_length=16)] = []


class StreamNow(Answer):
    """The last word on a camera."""

    agent: str
    stream: str
    name: str
    lon: float | None
    lat: float | None
    cell: str | None
    state: CameraState
    since: datetime
    heard_at: datetime | None = Field(description="Capture time of the heartbeat that said so")
    frame_age_s: float | None = Field(description="Age of the last real frame at that time")
    captured: int
    observed: int
    restarts: int
    detail: str


class AgentNow(Answer):
    """An edge agent."""

    agent: str
    station: str
    boot: str | None
    online: bool
    born_at: datetime | None
    seen_at: datetime | None
    heard_at: datetime | None
    clock_offset_s: float | None
    first_seen_at: datetime
    spooled: dict[str, int] = Field(description="Records that wait at the edge, by lane")
    software: str
    streams: list[StreamNow]


class LaneNow(Answer):
    """What the hub has of one lane of one boot: 1..watermark, what lies beyond, what is missing."""

    agent: str
    boot: str
    lane: Lane
    watermark: int
    beyond: list[tuple[int, int]] = Field(description="Received beyond the watermark, closed")
    holes: list[tuple[int, int]]
    lost: list[tuple[int, int]] = Field(description="Declared lost by the edge")
    stored: int = Field(description="Records in the database")
    missing: int = Field(description="Records in holes")
    lost_count: int
    updated_at: datetime
    closed_at: datetime | None = Field(description="A later boot was born; unknown after this")


class TotalNow(Answer):
    """Measured values of one source and label in one period."""

    bucket: datetime = Field(description="Begin of the period")
    agent: str
    device: str
    metric: str
    label: str
    place: str
    n: int
    total: float
    low: float
    high: float


class CellNow(Answer):
    """A cell of the grid."""

    code: str
    level: int = Field(description="1 basic, 2 secondary, 3 district")
    name_en: str
    name_zh: str
    parent: str | None


class Feature(Answer):
    """A cell as GeoJSON."""

    type: Literal["Feature"] = "Feature"
    id: str
    geometry: dict[str, Any]
    properties: CellNow


class FeatureCollection(Answer):
    """Cells as GeoJSON."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[Feature]


class RefusedNow(Answer):
    """What could not be taken, and why."""

    id: int
    received_at: datetime
    last_at: datetime
    topic: str
    station: str | None
    agent: str | None
    boot: str | None
    lane: str | None
    seq: int | None
    reason: str
    hash: str
    times: int
    replayed_at: datetime | None
    size: int


class RefusedPage(Answer):
    """Some of the quarantine, the newest first."""

    entries: list[RefusedNow]
    next: str | None


class RefusedFull(RefusedNow):
    """An entry with its bytes."""

    payload_base64: str


class CommandNow(Answer):
    """A version of parameters that an engineer set."""

    version: int
    issued_at: datetime
    issued_by: str
    note: str
    parameters: dict[str, dict[str, dict[str, Any]]]
    published_at: datetime | None
    answered_at: datetime | None = Field(description="When the agent said what came of it")
    errors: list[str] = Field(description="What the agent refused, and why")


class DetectorNow(Answer):
    """A detector as an agent runs it on one stream."""

    kind: str
    version: str
    summary: str
    parameter_schema: dict[str, Any] = Field(description="JSON Schema with units and ranges")
    in_force: dict[str, Any]


class StreamDetectors(Answer):
    """The detectors of one stream."""

    stream: str
    name: str
    detectors: list[DetectorNow]


class Parameters(Answer):
    """What an agent runs, what is in force, and what was set last."""

    agent: str
    command_version: int = Field(description="The last command the agent applied, 0 for none")
    command_errors: list[str]
    streams: list[StreamDetectors]
    commands: list[CommandNow] = Field(description="The newest first")


class Change(Asked):
    """New values of parameters; null takes one back to the agent's own setting."""

    parameters: Annotated[
        dict[Name, float | int | bool | str | None], Field(min_length=1, max_length=100)
    ]
    note: Words = ""


class CategoryNow(Answer):
    """A top category with its sub-categories."""

    id: Category
    en: str
    zh: str
    subcategories: list[SubCategoryNow]


class SubCategoryNow(Answer):
    """What exactly an event is."""

    id: str
    en: str
    zh: str
    severity: Severity


class Alive(Answer):
    """The process runs."""

    status: Literal["alive"] = "alive"


class Ready(Answer):
    """What the hub needs is there."""

    status: Literal["ready"] = "ready"
    database: Literal["reachable"] = "reachable"
    stations_ingested: int
    live: bool = Field(description="Whether live updates are listening")
