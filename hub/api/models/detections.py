"""What the API says of detections and of the pictures that show them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from contract.taxonomy import Phase
from hub.api.models.base import Answer


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
    late: bool = Field(description="Arrived too late to open a grid event or to page anybody")
    lost_sight_at: datetime | None = Field(
        description="Its agent's run is over, or its camera is no more: nobody will clear it"
    )
    test: bool


class DetectionPage(Answer):
    """Some detections, the newest first."""

    detections: list[DetectionNow]
    next: str | None


class PictureNow(Answer):
    """A picture or clip; it can be fetched once complete."""

    digest: str
    role: str = Field(description="box, before, after, clip or photo")
    captured_at: datetime
    agent: str | None
    stream: str | None
    episode: UUID | None
    media_type: str | None
    total: int | None = Field(description="Bytes; null: only the reference has arrived")
    received: int = Field(description="Bytes")
    complete: bool = Field(description="Its bytes are here, verified, and not erased")
    erased_at: datetime | None = Field(description="Its bytes were erased; the digest stays")
    erased_by: str | None
    erased_why: str | None


class DetectionFull(DetectionNow):
    """A detection with what shows it and the event it feeds."""

    event: str | None = Field(description="Number of the grid event")
    evidence: list[PictureNow]
