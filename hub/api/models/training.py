"""What the API says of training, and what it is told."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from hub.api.models.base import Answer as Told
from hub.api.models.base import Asked
from hub.api.models.people import Code, Title
from hub.domain.training import Answer


class ItemSaid(Asked):
    """A detection and what it is."""

    episode: UUID
    answer: Answer


class SetSaid(Asked):
    """A set of detections whose answers are known."""

    name: Title
    items: list[ItemSaid] = Field(
        default_factory=list, max_length=500, description="None: the latest that were judged"
    )
    latest: Annotated[int, Field(ge=1, le=500)] = 20
    pass_mark: Annotated[float, Field(gt=0, le=1)] = 0.8


class SetNow(Told):
    """A set of detections; the answers are not told."""

    id: int
    name: str
    created_at: datetime
    created_by: str
    pass_mark: float
    items: int
    retired_at: datetime | None


class Begin(Asked):
    """Somebody begins, or goes on."""

    person: Code


class ItemNow(Told):
    """A detection to say something about."""

    n: int
    episode: UUID
    kind: str
    label: str
    raised_at: datetime
    peak_score: float
    picture: str | None = Field(description="Digest: GET /evidence/{digest}; null: none is kept")
    answered: Answer | None = None


class MarksNow(Told):
    """How somebody did."""

    items: int
    right: int
    missed: int = Field(description="Real ones taken for a false alarm")
    false_alarms: int = Field(description="False alarms taken for real")
    score: float = Field(description="Share of right answers, 0..1")
    passed: bool


class AttemptNow(Told):
    """One go at a set."""

    id: int
    training: int
    person: str
    begun_at: datetime
    finished_at: datetime | None
    score: float | None


class AttemptFull(AttemptNow):
    """One go at a set with its detections; the key and the marks once it is over."""

    items: list[ItemNow]
    marks: MarksNow | None
    key: dict[int, Answer] | None = Field(description="The right answers, once it is over")


class Answered(Asked):
    """What somebody says a detection is."""

    answer: Answer
