"""What the API says of grid events, and what it is asked to do with them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from contract.taxonomy import Category, Severity
from hub.api.models.base import Answer, Asked, Name, Words
from hub.api.models.detections import DetectionNow, PictureNow
from hub.api.models.filing import ByItselfNow, WindowNow, WindowOffer
from hub.domain.rating import HIGHEST, LOWEST, Standing
from hub.services.judge_detection import Verdict
from hub.services.outward.rate_case import MAX_COMMENT

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


class EventHead(Answer):
    """What every answer about a grid event begins with."""

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
    due_at: datetime | None = Field(description="The end of the present stage's time")
    scene_cleared_at: datetime | None
    confirmation: Literal["none", "pending", "human", "waived"] = Field(
        description="pending: filed by itself, nobody has confirmed it yet"
    )
    occurrence: int = Field(description="How often at this place; from the third on a hotspot")
    corroborated_at: datetime | None = Field(description="When another sense confirmed it")
    version: int = Field(description="Send it back as expected_version")


class EventBrief(EventHead):
    """A grid event as a list shows it."""

    agent: str | None = Field(description="Of the strongest detection")
    stream: str | None
    camera: str | None
    kind: str | None
    label: str | None
    peak_score: float | None
    cameras: int
    reports: int
    picture: str | None = Field(description="Digest of the newest complete picture")
    clips: int = Field(description="Clips that can be played")


class EventPage(Answer):
    """Some grid events, the newest first."""

    events: list[EventBrief]
    next: str | None = Field(description="`cursor` of the next page, null on the last")


class EventNow(EventHead):
    """A grid event as it is after a change."""

    close_by: datetime | None = Field(description="The end of the whole case's time")
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

    id: int
    role: str
    reporter: str
    description: str
    lon: float
    lat: float
    reported_at: datetime


class RatingNow(Answer):
    """How the reporter rated what became of it, and whether they may."""

    standing: Standing
    until: datetime | None = Field(description="Up to then it may be given, or changed")
    score: int | None = Field(description="1 (very dissatisfied) to 5; null: not rated")
    comment: str
    comment_taken_down_at: datetime | None = Field(description="Since then none is taken")


class Rate(Asked):
    """How satisfied a reporter is."""

    score: Annotated[int, Field(ge=LOWEST, le=HIGHEST)]
    comment: Annotated[str, Field(max_length=MAX_COMMENT)] = ""


class ReportAnswer(Answer):
    """What became of a report: the event that answers it now, wherever it was merged."""

    id: int
    reported_at: datetime
    event: str = Field(description="Number of the event that answers it now")
    opened_as: str = Field(description="Number of the event it first opened or joined")
    state: State
    open311: Literal["open", "closed"] | None
    responsible_unit: str | None
    due_at: datetime | None
    ended_at: datetime | None
    reject_reason: str | None
    rating: RatingNow | None = Field(description="The reporter's own; null for others")


class Merged(Answer):
    """An event that was merged into this one, directly or through another."""

    number: str
    title: str
    subcategory: str
    parent: str


class Root(Answer):
    """The event that stands for a merged one now."""

    number: str
    state: State
    title: str


class Offered(Answer):
    """What a verdict offers to do next."""

    control_window: WindowOffer


class VerdictNow(Answer):
    """The verdict that stands."""

    verdict: Verdict
    reason: str
    note: str
    actor: str
    at: datetime


class OfferNow(Answer):
    """A transition or act that is open to whoever asks, and what it needs."""

    name: str
    needs: list[str]
    is_act: bool


class EventFull(EventNow):
    """A grid event with everything that belongs to it, by what was merged into it too."""

    parent: str | None = Field(description="Number of the event it was merged into")
    answered_by: Root | None = Field(
        description="Of a merged event: the one that stands for it now, however often it was merged"
    )
    merged: list[Merged]
    recurrence_of: str | None = Field(description="Number of the closed event that it repeats")
    repeated_by: list[str]
    hotspot: bool = Field(description="The third at this place, or a later one")
    by_itself: ByItselfNow
    control_windows: list[WindowNow] = Field(description="That covered it while it was seen")
    offers: Offered | None = Field(description="What the verdict offers to do next")
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
    evidence: list[Digest] = Field([], max_length=16)
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
    evidence: list[Digest] = Field([], max_length=16)
