"""The clocks of one grid event: which runs, when it ends, and what a timer must do next.

Everything here follows from the event's history, the limits and the calendar, so it can be
computed anew at any time: the columns of the event are but what was computed last.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from contract.taxonomy import Severity
from hub.domain.calendar import WorkCalendar
from hub.domain.case_history import Entry
from hub.domain.categories import Categories, StageLimits
from hub.domain.deadline import Clock, Kind, Limit, due_at
from hub.domain.ladder import Moment, Rung, moments
from hub.domain.stages import (
    STAGE_OF,
    UNREPORTED,
    Limits,
    Stage,
    StageRun,
    clock_of,
    stage_runs,
)
from hub.domain.work_rules import CalendarError

VERIFY_WITHIN = timedelta(hours=1)  # a verification that was given no time of its own
CHECK_BEGINS_AFTER = timedelta(seconds=60)  # by rule; later than a disposal can be undone

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Climbed:
    """A rung that was climbed: of which run of which stage, under how many extensions."""

    stage: str
    started_at: datetime
    extensions: int
    rung: str


@dataclass(frozen=True, slots=True)
class StageClock:
    """One run of a stage with its clock. clock None: the stage has no limit."""

    run: StageRun
    clock: Clock | None

    def climbed(self, rung: Rung) -> Climbed:
        """The mark that this rung leaves."""
        return Climbed(self.run.stage, self.run.started_at, self.run.extensions, rung)


@dataclass(frozen=True, slots=True)
class EventClocks:
    """What an event's clocks come to. A time that is None: there is none as things stand."""

    stages: tuple[StageClock, ...]  # in the order of their starts
    present: StageClock | None  # that of the present stage
    due_at: datetime | None  # the end of the present stage's time
    close_by: datetime | None  # the end of the whole case's time
    next_rung: Moment | None
    state_ends_at: datetime | None  # when a rule ends the state

    def columns(self) -> dict[str, object]:
        """The columns of the event that say the same."""
        return {
            "due_at": self.due_at,
            "close_by": self.close_by,
            "next_rung_at": self.next_rung.at if self.next_rung else None,
            "state_ends_at": self.state_ends_at,
        }


@dataclass(frozen=True, slots=True)
class Subject:
    """The event as the clocks see it.

    severities: since when it has had which, the first from its opening on.
    """

    state: str
    subcategory: str
    filing_condition: str | None
    severities: Sequence[tuple[datetime, Severity]]


def event_clocks(
    subject: Subject,
    entries: Sequence[Entry],
    climbed: Collection[Climbed],
    categories: Categories,
    calendar: WorkCalendar,
) -> EventClocks:
    """The clocks of an event.

    entries: those of its history that hold, oldest first. A calendar that does not cover a moment
    gives no deadline rather than an error: a wrong clock must not keep a fire out.
    """
    runs = stage_runs(entries)
    limits = limits_of(subject, categories, calendar)

    def clock(run: StageRun) -> Clock | None:
        if run.stage is Stage.ACCEPT:
            return accept_clock(run, subject.severities, categories.limits, calendar)
        return clock_of(run, runs, limits, calendar)

    stages = tuple(StageClock(run, _or_none(partial(clock, run))) for run in runs)
    present = _present(stages, STAGE_OF.get(subject.state))
    total = _present(stages, Stage.TOTAL)
    return EventClocks(
        stages=stages,
        present=present,
        due_at=due_of(present, calendar),
        close_by=due_of(total, calendar),
        next_rung=next_rung(subject.state, present, climbed, calendar),
        state_ends_at=_state_ends_at(subject.state, entries),
    )


def limits_of(subject: Subject, categories: Categories, calendar: WorkCalendar) -> Limits:
    """The limits of every stage by the event's severity and filing condition.

    A sub-category that is configured no more leaves disposal and the whole case without a limit.
    """
    by_severity = categories.limits[subject.severities[-1][1]]
    limits = {Stage.DISPATCH: by_severity.dispatch, Stage.CHECK: by_severity.check}
    if by_severity.accept is not None:
        limits[Stage.ACCEPT] = by_severity.accept
    what = categories.subcategories.get(subject.subcategory)
    condition = what.condition(subject.filing_condition) if what else None
    if condition is not None:
        limits[Stage.DISPOSE] = Limit(condition.limit, Kind(condition.kind))
        limits[Stage.TOTAL] = _total(limits[Stage.DISPOSE], by_severity, calendar)
    return limits


def next_rung(
    state: str, present: StageClock | None, climbed: Collection[Climbed], calendar: WorkCalendar
) -> Moment | None:
    """The lowest rung of the present stage that was not climbed; None before it is reported.

    What a machine suspects has no ladder: the desk sees it in the queue, gravest first.
    """
    if present is None or present.clock is None or state == UNREPORTED:
        return None
    clock = present.clock
    rungs = _or_none(lambda: moments(clock, calendar)) or ()
    return next((m for m in rungs if present.climbed(m.rung) not in climbed), None)


def due_of(stage: StageClock | None, calendar: WorkCalendar) -> datetime | None:
    """When the clock of a run ends; None without a limit, or where a pause without end comes."""
    if stage is None or stage.clock is None:
        return None
    clock = stage.clock
    return _or_none(lambda: due_at(clock, calendar))


def accept_clock(
    run: StageRun,
    severities: Sequence[tuple[datetime, Severity]],
    limits: Mapping[Severity, StageLimits],
    calendar: WorkCalendar,
) -> Clock | None:
    """The clock until the decision: whichever ends first of those that its severities set.

    Something that turns out graver gives the desk the graver limit from that moment on, or what
    was left of the milder one.
    """
    clocks = []
    for i, (since, severity) in enumerate(severities):
        over = i + 1 < len(severities) and severities[i + 1][0] <= run.started_at
        over = over or (run.stopped_at is not None and since >= run.stopped_at > run.started_at)
        limit = limits[severity].accept
        if not over and limit is not None:
            clocks.append(Clock(max(since, run.started_at), limit))
    return min(clocks, key=lambda c: due_at(c, calendar) or c.started_at, default=None)


def _total(dispose: Limit, by_severity: StageLimits, calendar: WorkCalendar) -> Limit:
    """The disposal's limit and what may come on top, counted as the disposal's kind counts."""
    unit = Limit(1, dispose.kind).duration(calendar)
    return Limit(dispose.amount + by_severity.beyond.duration(calendar) / unit, dispose.kind)


def _present(stages: Sequence[StageClock], stage: Stage | None) -> StageClock | None:
    going = [s for s in stages if s.run.stage is stage and s.run.stopped_at is None]
    return going[-1] if going else None


def _state_ends_at(state: str, entries: Sequence[Entry]) -> datetime | None:
    by = {"suspended": "suspend", "verifying": "send_verify"}.get(state)
    if by is not None:
        last = next((e for e in reversed(entries) if e.name == by), None)
        if last is None:
            return None
        return last.until or (last.at + VERIFY_WITHIN if state == "verifying" else None)
    if state == "disposed":
        last = next((e for e in reversed(entries) if e.name in ("feedback", "self_handle")), None)
        return last.at + CHECK_BEGINS_AFTER if last else None
    return None


def _or_none(question: Callable[[], T]) -> T | None:
    try:
        return question()
    except CalendarError:
        return None
