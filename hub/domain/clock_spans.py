"""Every clock explains itself: running, paused or off hours, with the rule for each span."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from hub.domain.calendar import CalendarSpan, WorkCalendar
from hub.domain.deadline import Clock, Kind, due_at, merged
from hub.domain.work_rules import DayKind


class SpanState(StrEnum):
    """What a clock does during a span."""

    RUNNING = "running"
    PAUSED = "paused"
    OFF_HOURS = "off_hours"


class Rule(StrEnum):
    """Why it does so."""

    EVERY_HOUR = "every_hour"
    WORK_HOURS = "work_hours"
    MAKE_UP_DAY = "make_up_day"
    OUTSIDE_WORK_HOURS = "outside_work_hours"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    PAUSE = "pause"


_WORDS = {
    Rule.EVERY_HOUR: "every hour counts, day and night",
    Rule.WORK_HOURS: "work hours",
    Rule.MAKE_UP_DAY: "work hours of a make-up day",
    Rule.OUTSIDE_WORK_HOURS: "outside work hours",
    Rule.WEEKEND: "weekend",
    Rule.HOLIDAY: "public holiday",
    Rule.PAUSE: "paused",
}


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a clock's life. note: name of the holiday, or reason of the pause."""

    starts_at: datetime
    ends_at: datetime
    state: SpanState
    rule: Rule
    note: str = ""

    @property
    def length(self) -> timedelta:
        """Elapsed time."""
        return self.ends_at - self.starts_at

    @property
    def text(self) -> str:
        """The rule as a person reads it: "public holiday: National Day"."""
        return f"{_WORDS[self.rule]}: {self.note}" if self.note else _WORDS[self.rule]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A clock up to a moment. The spans follow each other without a gap from its start.

    settled: the holiday notice for the year of the deadline is in; otherwise it may still move.
    """

    spans: tuple[Span, ...]
    kind: Kind
    allowed: timedelta  # the limit, extensions included, as its meter counts
    due_at: datetime | None  # None: a pause without end comes first
    settled: bool

    def total(self, state: SpanState) -> timedelta:
        """Time spent in this state; the three states sum to the elapsed time."""
        return sum((s.length for s in self.spans if s.state is state), timedelta(0))

    @property
    def used(self) -> timedelta:
        """How much of the limit is used."""
        return self.total(SpanState.RUNNING)

    @property
    def share(self) -> float:
        """`used` as a share of `allowed`; above 1 when overdue."""
        return self.used / self.allowed


def explain(clock: Clock, calendar: WorkCalendar, until: datetime) -> Explanation:
    """The life of a clock from its start to `until`, which may lie in the future."""
    due = due_at(clock, calendar)
    return Explanation(
        spans=tuple(_joined(_spans(clock, calendar, until))),
        kind=clock.limit.kind,
        allowed=clock.limit.duration(calendar) * (1 + clock.extensions),
        due_at=due,
        settled=clock.limit.kind.continuous or (due is not None and calendar.settled(due)),
    )


def _spans(clock: Clock, calendar: WorkCalendar, until: datetime) -> Iterator[Span]:
    at, until = clock.started_at.astimezone(UTC), until.astimezone(UTC)
    for pause in merged(clock.pauses, clock.started_at):
        if pause.since >= until:
            break
        since = pause.since.astimezone(UTC)
        end = until if pause.until is None else min(pause.until.astimezone(UTC), until)
        yield from _unpaused(clock.limit.kind, calendar, at, since)
        yield Span(since, end, SpanState.PAUSED, Rule.PAUSE, pause.reason)
        at = end
    yield from _unpaused(clock.limit.kind, calendar, at, until)


def _unpaused(
    kind: Kind, calendar: WorkCalendar, since: datetime, until: datetime
) -> Iterator[Span]:
    if since >= until:
        return
    if kind.continuous:
        yield Span(since, until, SpanState.RUNNING, Rule.EVERY_HOUR)
    else:
        yield from (_of_calendar(s) for s in calendar.spans(since, until))


def _of_calendar(span: CalendarSpan) -> Span:
    day, state = span.day, SpanState.RUNNING if span.counts else SpanState.OFF_HOURS
    if span.counts:
        rule = Rule.MAKE_UP_DAY if day.kind is DayKind.MAKE_UP else Rule.WORK_HOURS
        return Span(span.starts_at, span.ends_at, state, rule, day.name)
    match day.kind:
        case DayKind.HOLIDAY:
            return Span(span.starts_at, span.ends_at, state, Rule.HOLIDAY, day.name)
        case DayKind.WEEKEND:
            return Span(span.starts_at, span.ends_at, state, Rule.WEEKEND)
        case _:
            return Span(span.starts_at, span.ends_at, state, Rule.OUTSIDE_WORK_HOURS)


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Neighbours with the same rule as one span: a night is one, not two cut at midnight."""
    last: Span | None = None
    for span in spans:
        if last is None:
            last = span
        elif (last.state, last.rule, last.note) == (span.state, span.rule, span.note):
            last = replace(last, ends_at=span.ends_at)
        else:
            yield last
            last = span
    if last is not None:
        yield last
