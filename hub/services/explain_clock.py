"""The clocks of an event told: what runs, since when, by which rule, and what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.domain.clock_spans import Span, SpanState, explain
from hub.domain.deadline import Limit, due_at, used
from hub.domain.event_clock import Climbed, StageClock
from hub.domain.ladder import Rung
from hub.domain.stages import Stage
from hub.domain.work_rules import CalendarError
from hub.services.context import Hub
from hub.services.event_clock import climbed_in, clocks_of
from hub.store.rows import GridEventRow, HistoryRow

SPANS = 200  # of one clock, the latest: an event of a year has thousands


@dataclass(frozen=True, slots=True)
class RungNow:
    """A rung of the ladder: when it is or was reached, and when it was climbed."""

    rung: Rung
    at: datetime | None  # None: a pause without end comes first
    climbed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClockNow:
    """One run of a stage clock. limit None: the stage has none, and nothing after it is known."""

    stage: Stage
    started_at: datetime
    stopped_at: datetime | None
    limit: Limit | None
    extensions: int
    allowed: timedelta | None
    used: timedelta | None
    left: timedelta | None  # of its own time; negative once overdue
    due_at: datetime | None
    overdue: bool
    settled: bool
    does: SpanState | None  # what it does now; None once it stopped
    spans: tuple[Span, ...]
    left_out: int  # earlier spans that are not listed
    rungs: tuple[RungNow, ...]
    not_covered: str = ""  # why the calendar gives no deadline

    @property
    def running(self) -> bool:
        """Whether the stage is the present one."""
        return self.stopped_at is None


@dataclass(frozen=True, slots=True)
class ClockStory:
    """All clocks of an event, the earliest first. present: that of the present stage."""

    clocks: tuple[ClockNow, ...]
    present: ClockNow | None
    total: ClockNow | None


def explain_clock(hub: Hub, event: GridEventRow, history: Sequence[HistoryRow]) -> ClockStory:
    """The clocks of an event as they are now."""
    clocks = clocks_of(hub, event, history)
    marks = {mark: row.at for row in history if (mark := climbed_in(row)) is not None}
    told = [_clock_now(hub, stage, marks) for stage in clocks.stages]
    present = next(
        (t for t, s in zip(told, clocks.stages, strict=True) if s is clocks.present), None
    )
    going = [t for t in told if t.stage is Stage.TOTAL and t.running]
    return ClockStory(tuple(told), present, going[-1] if going else None)


def _clock_now(hub: Hub, stage: StageClock, marks: dict[Climbed, datetime]) -> ClockNow:
    run, clock = stage.run, stage.clock
    until = run.stopped_at or max(hub.now(), run.started_at)
    if clock is None:
        return _untold(stage)
    try:
        told = explain(clock, hub.calendar, until)
        spent = used(clock, hub.calendar, until)
    except CalendarError as e:
        return _untold(stage, str(e))
    return ClockNow(
        stage=run.stage,
        started_at=clock.started_at,
        stopped_at=run.stopped_at,
        limit=clock.limit,
        extensions=clock.extensions,
        allowed=told.allowed,
        used=spent,
        left=told.allowed - spent,
        due_at=told.due_at,
        overdue=told.due_at is not None and told.due_at < until,
        settled=told.settled,
        does=_does(hub, stage, until) if run.stopped_at is None else None,
        spans=told.spans[-SPANS:],
        left_out=max(0, len(told.spans) - SPANS),
        rungs=tuple(
            RungNow(rung, due_at(clock, hub.calendar, rung.share), marks.get(stage.climbed(rung)))
            for rung in Rung
        )
        if run.stage is not Stage.TOTAL
        else (),
    )


def _does(hub: Hub, stage: StageClock, now: datetime) -> SpanState:
    """What the clock does at this moment, read off the moment that follows."""
    assert stage.clock is not None
    ahead = explain(stage.clock, hub.calendar, now + timedelta(seconds=1))
    return ahead.spans[-1].state if ahead.spans else SpanState.RUNNING


def _untold(stage: StageClock, why: str = "") -> ClockNow:
    return ClockNow(
        stage=stage.run.stage,
        started_at=stage.run.started_at,
        stopped_at=stage.run.stopped_at,
        limit=stage.clock.limit if stage.clock else None,
        extensions=stage.run.extensions,
        allowed=None,
        used=None,
        left=None,
        due_at=None,
        overdue=False,
        settled=False,
        does=None,
        spans=(),
        left_out=0,
        rungs=(),
        not_covered=why,
    )
