"""The work calendar of a district: how much work time lies between two moments, and when a
given amount of it will have passed.

The work intervals of all covered years lie in one sorted table with prefix sums, so both
questions are a bisection. Every change of the zone's offset is found while building, so an hour
that the clock skips is never counted and one that it repeats is counted twice, as it is worked.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from hub.domain.work_rules import CalendarError, Day, WorkRules

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_US = timedelta(microseconds=1)
_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_DAY = 86_400 * _SECOND


@dataclass(frozen=True, slots=True)
class CalendarSpan:
    """A stretch of time that is work time throughout or not at all, within one local day."""

    starts_at: datetime
    ends_at: datetime
    counts: bool
    day: Day


class WorkCalendar:
    """Work time as an hour meter that runs in work hours only. Immutable, free to share.

    Times are aware and come back as UTC. Every question raises CalendarError outside the
    covered years.
    """

    __slots__ = ("_before", "_ends", "_first", "_last", "_starts", "rules")

    def __init__(self, rules: WorkRules) -> None:
        self.rules = rules
        self._first = _us(datetime(rules.first_year, 1, 1, tzinfo=UTC))
        self._last = _us(datetime(rules.last_year + 1, 1, 1, tzinfo=UTC))
        self._starts = array("q")
        self._ends = array("q")
        self._before = array("q")  # work time before each interval
        worked = 0
        for start, end in self._intervals():
            self._starts.append(start)
            self._ends.append(end)
            self._before.append(worked)
            worked += end - start
        self._before.append(worked)

    def reading(self, at: datetime) -> timedelta:
        """Work time from the calendar's first moment to `at`."""
        return timedelta(microseconds=self._reading(_us(at)))

    def when(self, reading: timedelta) -> datetime:
        """The earliest moment with this reading: an amount used up at noon is due at noon."""
        target = reading // _US
        if target <= 0:
            return _at(self._first)
        i = bisect_left(self._before, target) - 1
        if i >= len(self._starts):
            raise CalendarError(
                f"the calendar ends with {self.rules.last_year}, before {reading} of work time: "
                "raise last_year"
            )
        return _at(self._starts[i] + target - self._before[i])

    def settled(self, at: datetime) -> bool:
        """Whether the holiday notice for the year of `at` is in; if not, days may still change."""
        return at.astimezone(self.rules.zone).year in self.rules.published

    def spans(self, since: datetime, until: datetime) -> Iterator[CalendarSpan]:
        """What lies between two moments, without gaps, in order, cut at local midnights."""
        at, end = _us(since), _us(until)
        i = self._interval_at(at)
        if i < 0 or at >= self._ends[i]:
            i += 1  # the next one to begin
        while at < end:
            start = self._starts[i] if i < len(self._starts) else self._last
            if at < start:
                stop = min(start, end, self._next_midnight(at))
                yield CalendarSpan(_at(at), _at(stop), False, self._day(at))
            else:
                stop = min(self._ends[i], end)
                yield CalendarSpan(_at(at), _at(stop), True, self._day(at))
                i += 1
            at = stop

    def _reading(self, us: int) -> int:
        i = self._interval_at(us)
        if i < 0:
            return 0
        return self._before[i] + min(us, self._ends[i]) - self._starts[i]

    def _interval_at(self, us: int) -> int:
        """Index of the last interval that began by `us`, -1 for none."""
        if not self._first <= us <= self._last:
            raise CalendarError(
                f"{_at(us).isoformat()} is outside the calendar, which covers "
                f"{self.rules.first_year}-{self.rules.last_year}: is a clock wrong, or should "
                "first_year / last_year be widened?"
            )
        return bisect_right(self._starts, us) - 1

    def _day(self, us: int) -> Day:
        return self.rules.day(_at(us).astimezone(self.rules.zone).date())

    def _next_midnight(self, us: int) -> int:
        local = _at(us).astimezone(self.rules.zone)
        tomorrow = local.date() + timedelta(days=1)
        return _us(datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=self.rules.zone))

    def _intervals(self) -> Iterator[tuple[int, int]]:
        """All work intervals in UTC, sorted and disjoint."""
        for start, end, offset in self._offsets():
            for day in range((start + offset) // _DAY, (end + offset - 1) // _DAY + 1):
                if not self.rules.day(date.fromordinal(_EPOCH_DAY + day)).worked:
                    continue
                midnight = day * _DAY - offset
                for since, until in self.rules.hours:
                    a = max(midnight + since * _MINUTE, start)
                    b = min(midnight + until * _MINUTE, end)
                    if a < b:
                        yield a, b

    def _offsets(self) -> Iterator[tuple[int, int, int]]:
        """(start, end, offset) of the stretches in which the zone keeps its offset from UTC."""
        start, offset = self._first, self._offset(self._first)
        for day in range(self._first, self._last, _DAY):
            after = self._offset(day + _DAY)
            if after == offset:
                continue
            low, high = day, day + _DAY  # the change lies in (low, high]
            while high - low > _SECOND:
                middle = (low + high) // 2 // _SECOND * _SECOND
                low, high = (middle, high) if self._offset(middle) == offset else (low, middle)
            yield start, high, offset
            start, offset = high, after
        yield start, self._last, offset

    def _offset(self, us: int) -> int:
        offset = _at(us).astimezone(self.rules.zone).utcoffset()
        assert offset is not None  # a ZoneInfo always has one
        return offset // _US


def _us(at: datetime) -> int:
    return (at - _EPOCH) // _US


def _at(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)
