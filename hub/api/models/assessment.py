"""What the API says of assessments."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from contract.taxonomy import Category
from hub.api.models.base import Answer
from hub.domain.period import PeriodKind
from hub.domain.scores import Dimension


class FigureNow(Answer):
    """A share with what it is made of."""

    counted: int
    among: int
    left_out: int = Field(description="Hung, or exempt since an appeal was granted")
    value: float | None = Field(description="0 to 1; null: nothing to count among")
    percent: str = Field(description="As it is published, halves rounded up")
    low: float = Field(description="95 % Wilson interval")
    high: float


class LatencyNow(Answer):
    """How long something took."""

    cases: int
    p50_s: float | None
    p90_s: float | None


class MarkNow(Answer):
    """What an indicator gave. mark: 0 to 100, null where there was nothing to judge."""

    indicator: str
    weight: float
    mark: float | None
    figure: FigureNow


class ExtraNow(Answer):
    """Points beside the marks: a reward, or a penalty below 0."""

    name: str
    points: float
    events: int


class ScoreNow(Answer):
    """What one of those compared got. points: null where nothing could be judged."""

    subject: str = Field(description="Code or name; empty: the district")
    points: float | None
    marks: list[MarkNow]
    extras: list[ExtraNow]


class CategoryNow(Answer):
    """What was reported of a category, and how much of what was to be closed is."""

    reported: int
    closing_rate: FigureNow


class AssessmentNow(Answer):
    """A period as it comes to."""

    period: PeriodKind
    name: str
    first: date
    last: date
    as_of: datetime
    by: Dimension
    cases: int
    reported: int
    exempt: list[str] = Field(description="Numbers of events whose appeals were granted")
    hung: list[str]
    figures: dict[str, FigureNow]
    latencies: dict[str, LatencyNow]
    streams: dict[str, FigureNow] = Field(description="Precision of each stream")
    categories: dict[Category, CategoryNow]
    version: str = Field(description="Of the set of indicators that scores")
    scores: list[ScoreNow]
    without_scores: str = Field(description="Why there are none")


class AssessmentPending(Answer):
    """It is being computed: ask again."""

    cases_read: int


class CountedEvent(Answer):
    """An event that a figure counts, and how often."""

    number: str
    times: int
    exempt: bool
    hung: bool


class CountedEvents(Answer):
    """The events behind a figure, page by page."""

    total: int = Field(description="Counted, an event as often as it counts")
    events: list[CountedEvent]
    next: str | None
