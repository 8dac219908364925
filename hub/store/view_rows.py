"""The rows of views: what API and pages read, shaped for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.domain.reach import EVERYWHERE, Within
from hub.store.rows import AgentRow

Ranges = list[tuple[int, int]]  # closed, ascending


@dataclass(frozen=True, slots=True)
class EventSummary:
    """A grid event as a list shows it, with what saw it best."""

    id: int
    number: str
    state: str
    origin: str
    category: str
    subcategory: str
    severity: str
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
    confirmation: str
    occurrence: int
    corroborated_at: datetime | None
    version: int
    agent: str | None  # of the strongest detection, None where only people reported it
    stream: str | None
    camera: str | None  # the name of that stream
    kind: str | None
    label: str | None
    peak_score: float | None
    cameras: int  # that see it
    reports: int  # by people
    picture: str | None  # digest of the newest complete picture
    clips: int  # that can be played


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """A grid event that waits, as the queue shows it: as in EventSummary, and no more."""

    number: str
    severity: str
    subcategory: str
    title: str
    lon: float | None
    lat: float | None
    cell: str | None
    occurred_at: datetime
    opened_at: datetime
    decide_by: datetime | None
    confirmation: str
    version: int
    stream: str | None
    camera: str | None
    peak_score: float | None
    reports: int
    picture: str | None
    clips: int


@dataclass(frozen=True, slots=True)
class MergedEvent:
    """An event that was merged into another, and into which one directly."""

    number: str
    title: str
    subcategory: str
    state: str
    parent: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture or clip of an event. Only a complete one may be shown."""

    digest: str
    role: str  # box | before | after | clip | photo
    captured_at: datetime
    agent: str | None
    stream: str | None
    episode: UUID | None
    media_type: str | None  # None: nothing but the reference has arrived
    total: int | None  # bytes
    complete: bool
    received: int  # bytes
    erased_at: datetime | None
    erased_by: str | None
    erased_why: str | None

    @property
    def is_image(self) -> bool:
        """Whether it is a still picture that can be shown."""
        return self.complete and (self.media_type or "").startswith("image/")

    @property
    def is_clip(self) -> bool:
        """Whether it is a clip that can be played."""
        return self.complete and (self.media_type or "").startswith("video/")


@dataclass(frozen=True, slots=True)
class AgentView(AgentRow):
    """An agent and its last heartbeat."""

    heard_at: datetime | None
    heartbeat: dict[str, Any] | None

    @property
    def spooled(self) -> dict[str, int]:
        """Records that wait at the edge, by lane, as the last heartbeat said."""
        return dict((self.heartbeat or {}).get("spooled") or {})

    @property
    def not_taken(self) -> dict[str, int]:
        """Records that found no room at the edge since it began, by lane."""
        return dict((self.heartbeat or {}).get("not_taken") or {})

    @property
    def detail(self) -> str:
        """What is wrong with the agent itself, in its own words."""
        return str((self.heartbeat or {}).get("detail") or "")


@dataclass(frozen=True, slots=True)
class LaneView:
    """What the hub has of one lane of one boot of an agent."""

    agent: str
    boot: str
    lane: str
    watermark: int
    beyond: Ranges  # received beyond the watermark
    holes: Ranges
    lost: Ranges  # declared lost by the edge
    updated_at: datetime
    closed_at: datetime | None  # a later boot was born: unknown after what is here
    quarantined: int = 0  # of what was received: refused, and not taken after all
    discarded: int = 0  # of what was received: beyond the limit of its device

    @property
    def highest(self) -> int:
        """The highest sequence number heard of."""
        return self.beyond[-1][1] if self.beyond else self.watermark

    @property
    def lost_count(self) -> int:
        """Records declared lost."""
        return _length(self.lost)

    @property
    def missing(self) -> int:
        """Records in holes: neither here nor declared lost."""
        return _length(self.holes)

    @property
    def stored(self) -> int:
        """Records in the database."""
        return self.received - self.lost_count - self.quarantined - self.discarded

    @property
    def received(self) -> int:
        """Numbers the hub has a word on: stored, refused, discarded or declared lost."""
        return self.watermark + _length(self.beyond)


@dataclass(frozen=True, slots=True)
class LastDecision:
    """What an operator did last and may still take back."""

    number: str
    title: str
    subcategory: str
    name: str
    reason: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Total:
    """Measured values of one source and label in one period."""

    bucket: datetime
    agent: str
    device: str
    metric: str
    label: str
    place: str
    n: int
    total: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Count:
    """How much of a metric a source measured."""

    agent: str
    device: str
    label: str
    n: int
    total: float


@dataclass(frozen=True, slots=True)
class Refused:
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
    fault: str  # sender | hub
    counted: bool  # the ledger has its number as received
    settled_at: datetime | None
    settled_by: str | None
    outcome: str | None  # stored | here_already | given_up; None: it waits
    note: str
    size: int  # bytes kept


@dataclass(frozen=True, slots=True)
class RefusedFull(Refused):
    """An entry of the quarantine with its bytes."""

    payload_base64: str
    chunk_base64: str  # the bytes that a record of evidence carries


@dataclass(frozen=True, slots=True)
class QuarantineFilter:
    """Which entries of the quarantine a list shows. None: any."""

    agent: str | None = None
    fault: str | None = None  # sender | hub
    waiting: bool | None = True  # those that nobody has settled


@dataclass(frozen=True, slots=True)
class QuarantineCount:
    """How many entries of the quarantine wait, and through whose fault."""

    fault: str
    n: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class Flooding:
    """A device that sent more than its limit. device "": of the lane as a whole."""

    agent: str
    boot: str
    lane: str  # "": messages that could not be read
    device: str
    n: int  # records discarded
    per_minute: int  # records that are taken
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which grid events a list shows. None: any."""

    states: Sequence[str] | None = None
    severities: Sequence[str] | None = None
    cell: str | None = None  # a code or the beginning of one
    text: str | None = None
    within: Within = EVERYWHERE


def _length(ranges: Ranges) -> int:
    return sum(last - first + 1 for first, last in ranges)
