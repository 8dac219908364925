"""What the API says of the clocks of a grid event."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from hub.api import clock_words
from hub.api.models.base import Answer
from hub.api.words import Both
from hub.domain.clock_spans import Span
from hub.services.explain_clock import ClockNow, ClockStory

StageName = Literal["accept", "dispatch", "dispose", "check", "total"]
Does = Literal["running", "paused", "off_hours"]


class InWords(Answer):
    """The same in both languages."""

    en: str
    zh: str

    @classmethod
    def of(cls, both: Both) -> InWords:
        """The words as the API tells them."""
        return cls(en=both.en, zh=both.zh)


class SpanNow(Answer):
    """A stretch of a clock's life and the rule for it; the spans follow without a gap."""

    starts_at: datetime
    ends_at: datetime
    does: Does
    rule: str = Field(examples=["work_hours", "holiday", "pause"])
    words: InWords

    @classmethod
    def of(cls, span: Span) -> SpanNow:
        """The span as the API tells it."""
        return cls(
            starts_at=span.starts_at,
            ends_at=span.ends_at,
            does=span.state.value,
            rule=span.rule,
            words=InWords.of(clock_words.rule_words(span)),
        )


class RungOfLadder(Answer):
    """Who is told at which share of the limit."""

    rung: Literal["handler", "leader", "overdue", "level_2", "level_3"]
    share: float
    at: datetime | None = Field(description="null: a pause without end comes first")
    climbed_at: datetime | None = Field(description="When a timer did it; null: not yet")
    words: InWords


class StageClockNow(Answer):
    """One run of a stage clock. A stage without a limit has neither allowance nor deadline."""

    stage: StageName
    words: InWords
    started_at: datetime
    stopped_at: datetime | None
    limit: InWords | None
    extensions: int
    allowed_s: float | None = Field(description="As its kind counts, extensions included")
    used_s: float | None
    left_s: float | None = Field(description="Negative once overdue")
    left: InWords | None
    due_at: datetime | None
    overdue: bool
    settled: bool = Field(description="false: the holidays of that year are not published yet")
    does: Does | None = Field(description="What it does now; null once it stopped")
    spans: list[SpanNow]
    spans_left_out: int
    rungs: list[RungOfLadder]
    not_covered: str = Field(description="Why the calendar gives no deadline; usually empty")

    @classmethod
    def of(cls, clock: ClockNow) -> StageClockNow:
        """The clock as the API tells it."""
        limit, left = clock.limit, clock.left
        return cls(
            stage=clock.stage.value,
            words=InWords.of(clock_words.CLOCKS[clock.stage]),
            started_at=clock.started_at,
            stopped_at=clock.stopped_at,
            limit=InWords.of(clock_words.limit_words(limit)) if limit else None,
            extensions=clock.extensions,
            allowed_s=clock.allowed.total_seconds() if clock.allowed is not None else None,
            used_s=clock.used.total_seconds() if clock.used is not None else None,
            left_s=left.total_seconds() if left is not None else None,
            left=InWords.of(clock_words.left_words(left, limit.kind))
            if left is not None and limit is not None
            else None,
            due_at=clock.due_at,
            overdue=clock.overdue,
            settled=clock.settled,
            does=clock.does.value if clock.does else None,
            spans=[SpanNow.of(s) for s in clock.spans],
            spans_left_out=clock.left_out,
            rungs=[
                RungOfLadder(
                    rung=r.rung.value,
                    share=r.rung.share,
                    at=r.at,
                    climbed_at=r.climbed_at,
                    words=InWords.of(clock_words.RUNGS[r.rung]),
                )
                for r in clock.rungs
            ],
            not_covered=clock.not_covered,
        )


class ClocksNow(Answer):
    """Every clock of an event and how it came to stand where it stands."""

    number: str
    state: str
    now: datetime
    time_zone: str = Field(description="Of the district: its work hours are meant in it")
    due_at: datetime | None = Field(description="The end of the present stage's time")
    close_by: datetime | None = Field(description="The end of the whole case's time")
    present: StageName | None = Field(description="The present stage; null once it ended")
    clocks: list[StageClockNow] = Field(description="Every run of every stage, the first first")

    @classmethod
    def of(
        cls, number: str, state: str, now: datetime, time_zone: str, story: ClockStory
    ) -> ClocksNow:
        """The story of an event's clocks as the API tells it."""
        return cls(
            number=number,
            state=state,
            now=now,
            time_zone=time_zone,
            due_at=story.present.due_at if story.present else None,
            close_by=story.total.due_at if story.total else None,
            present=story.present.stage.value if story.present else None,
            clocks=[StageClockNow.of(c) for c in story.clocks],
        )
