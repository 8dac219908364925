"""Deadlines: a pure function of start, limit, kind of limit, calendar and pauses.

Each kind of limit counts on a meter: the wall clock, which always runs, or the work calendar,
which runs in work hours. A pause stops whichever it is; what of it lies in off hours was not
counted anyway, so off hours are never taken off twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from contract.errors import GridwardenError
from hub.domain.calendar import WorkCalendar

MAX_EXTENSIONS = 2

_ZERO = timedelta(0)
_TEXT = re.compile(r"(\d+(?:\.\d+)?) (urgent hour|work hour|work day|natural day|minute)s?")


class DeadlineError(GridwardenError, ValueError):
    """A limit, a pause or a clock that makes no sense."""


class Kind(StrEnum):
    """How a limit counts."""

    URGENT_HOUR = "urgent_hour"  # 紧急工作时: every hour, day and night
    WORK_HOUR = "work_hour"  # 工作时: work hours of work days
    WORK_DAY = "work_day"  # 工作日: so many work hours, 8 by the usual rules
    NATURAL_DAY = "natural_day"  # 自然日: 24 hours, every day

    @property
    def continuous(self) -> bool:
        """Whether nights, weekends and holidays count."""
        return self is Kind.URGENT_HOUR or self is Kind.NATURAL_DAY


@dataclass(frozen=True, slots=True)
class Limit:
    """How much time is given, in units of its kind. Raises DeadlineError unless above 0."""

    amount: float
    kind: Kind

    def __post_init__(self) -> None:
        if not 0 < self.amount <= 10_000:
            raise DeadlineError(f"a limit of {self.amount:g} {self.kind}s is not within 0-10000")

    @classmethod
    def parse(cls, text: str) -> Limit:
        """The limit in words such as "2 urgent hours", "15 work days" or "10 minutes".

        Minutes count like urgent hours. Raises DeadlineError.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            raise DeadlineError(
                f"limit {text!r} is not understood; write a number and one of: minutes, urgent "
                "hours, work hours, work days, natural days"
            )
        amount, unit = float(match[1]), match[2]
        if unit == "minute":
            return cls(amount / 60, Kind.URGENT_HOUR)
        return cls(amount, Kind(unit.replace(" ", "_")))

    def duration(self, calendar: WorkCalendar) -> timedelta:
        """The time it gives, as its meter counts it."""
        if self.kind is Kind.WORK_DAY:
            return calendar.rules.work_day * self.amount
        if self.kind is Kind.NATURAL_DAY:
            return timedelta(days=self.amount)
        return timedelta(hours=self.amount)


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which a clock stands still: [since, until), without end while until is None."""

    since: datetime
    until: datetime | None
    reason: str = ""

    def __post_init__(self) -> None:
        if self.until is not None and self.until < self.since:
            raise DeadlineError(
                f"pause {self.reason!r} ends at {self.until.isoformat()}, before it begins at "
                f"{self.since.isoformat()}"
            )


@dataclass(frozen=True, slots=True)
class Clock:
    """One limit at work. Values only: what happens to it makes another clock."""

    started_at: datetime
    limit: Limit
    pauses: tuple[Pause, ...] = ()
    extensions: int = 0  # granted ones, each worth one more `limit`

    def __post_init__(self) -> None:
        if not 0 <= self.extensions <= MAX_EXTENSIONS:
            raise DeadlineError(
                f"{self.extensions} extensions: at most {MAX_EXTENSIONS} can be granted"
            )


def deadline(
    started_at: datetime,
    limit: Limit,
    calendar: WorkCalendar,
    pauses: Sequence[Pause] = (),
    *,
    times: float = 1.0,
) -> datetime | None:
    """When `times` the limit will have passed; None where a pause without end comes first.

    UTC. The earliest such moment: a work-hour limit used up at noon is due at noon, not after
    lunch. Takes O(p log p + p log n) for p pauses and n work intervals in the calendar.
    """
    meter = _meter(limit.kind, calendar)
    allowed = limit.duration(calendar)
    target = meter.reading(started_at) + (allowed if times == 1.0 else allowed * times)
    for pause in merged(pauses, started_at) if pauses else ():
        if meter.reading(pause.since) >= target:
            break
        if pause.until is None:
            return None
        target += meter.reading(pause.until) - meter.reading(pause.since)
    return max(meter.when(target), started_at.astimezone(UTC))


def due_at(clock: Clock, calendar: WorkCalendar, share: float = 1.0) -> datetime | None:
    """When `share` of the clock's whole limit, extensions included, will have passed."""
    return deadline(
        clock.started_at,
        clock.limit,
        calendar,
        clock.pauses,
        times=share * (1 + clock.extensions),
    )


def used(clock: Clock, calendar: WorkCalendar, at: datetime) -> timedelta:
    """How much of its limit the clock has used at this moment, as its meter counts."""
    if at <= clock.started_at:
        return _ZERO
    meter = _meter(clock.limit.kind, calendar)
    counted = meter.reading(at) - meter.reading(clock.started_at)
    for pause in merged(clock.pauses, clock.started_at):
        if pause.since >= at:
            break
        until = at if pause.until is None else min(pause.until, at)
        counted -= meter.reading(until) - meter.reading(pause.since)
    return counted


def merged(pauses: Iterable[Pause], since: datetime) -> list[Pause]:
    """The pauses from `since` on, in order, overlapping ones made one."""
    result: list[Pause] = []
    for p in sorted(pauses, key=lambda p: p.since):
        if p.until is not None and p.until <= max(p.since, since):
            continue  # over before it matters, or empty
        if result and (result[-1].until is None or p.since < result[-1].until):
            last = result[-1]
            if last.until is not None and (p.until is None or p.until > last.until):
                reason = "; ".join(dict.fromkeys(filter(None, (last.reason, p.reason))))
                result[-1] = Pause(last.since, p.until, reason)
        else:
            result.append(Pause(max(p.since, since), p.until, p.reason))
    return result


class _WallClock:
    """A meter that always runs."""

    _EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

    def reading(self, at: datetime) -> timedelta:
        return at - self._EPOCH

    def when(self, reading: timedelta) -> datetime:
        return self._EPOCH + reading


_WALL_CLOCK = _WallClock()


def _meter(kind: Kind, calendar: WorkCalendar) -> _WallClock | WorkCalendar:
    return _WALL_CLOCK if kind.continuous else calendar
