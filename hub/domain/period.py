"""Periods of assessment: days, weeks, months, quarters, years and any others, of whole days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

LONGEST = timedelta(days=3660)  # what can be asked for at once


class PeriodKind(StrEnum):
    """How long a period is."""

    DAY = "day"
    WEEK = "week"  # from Monday on
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Period:
    """[since, until)."""

    since: datetime
    until: datetime

    def holds(self, at: datetime) -> bool:
        """Whether this moment lies in it."""
        return self.since <= at < self.until


@dataclass(frozen=True, slots=True)
class NamedPeriod:
    """A period of whole days of the district. first, last: its days, both in it."""

    kind: PeriodKind
    first: date
    last: date
    period: Period

    @property
    def before(self) -> date:
        """A day of the period before it."""
        return self.first - timedelta(days=1)

    @property
    def after(self) -> date:
        """A day of the period after it."""
        return self.last + timedelta(days=1)

    @property
    def name(self) -> str:
        """How it is written: 2026-10-05, 2026-W41, 2026-10, 2026-Q4, 2026, or both days."""
        match self.kind:
            case PeriodKind.DAY:
                return self.first.isoformat()
            case PeriodKind.WEEK:
                year, week, _ = self.first.isocalendar()
                return f"{year}-W{week:02}"
            case PeriodKind.MONTH:
                return f"{self.first:%Y-%m}"
            case PeriodKind.QUARTER:
                return f"{self.first.year}-Q{(self.first.month + 2) // 3}"
            case PeriodKind.YEAR:
                return f"{self.first.year}"
            case PeriodKind.CUSTOM:
                return f"{self.first.isoformat()}..{self.last.isoformat()}"


def period_around(kind: PeriodKind, day: date, zone: ZoneInfo) -> NamedPeriod:
    """The day, week, month, quarter or year that `day` lies in.

    Raises ValueError for CUSTOM, and where it leaves the years that a date can say.
    """
    try:
        match kind:
            case PeriodKind.DAY:
                first, after = day, day + timedelta(days=1)
            case PeriodKind.WEEK:
                first = day - timedelta(days=day.weekday())
                after = first + timedelta(days=7)
            case PeriodKind.MONTH:
                first = day.replace(day=1)
                after = _months_on(first, 1)
            case PeriodKind.QUARTER:
                first = day.replace(day=1, month=(day.month - 1) // 3 * 3 + 1)
                after = _months_on(first, 3)
            case PeriodKind.YEAR:
                first = day.replace(day=1, month=1)
                after = _months_on(first, 12)
            case PeriodKind.CUSTOM:
                raise ValueError("a custom period has two days of its own: custom_period()")
        return _named(kind, first, after - timedelta(days=1), zone)
    except OverflowError:
        raise ValueError(f"the {kind} of {day} is not within the years 1 to 9999") from None


def custom_period(first: date, last: date, zone: ZoneInfo) -> NamedPeriod:
    """The days from `first` to `last`, both in it; raises ValueError where there are none."""
    if last < first:
        raise ValueError(f"a period from {first} to {last} has no day")
    if last - first > LONGEST:
        raise ValueError(f"a period from {first} to {last} is longer than {LONGEST.days} days")
    try:
        return _named(PeriodKind.CUSTOM, first, last, zone)
    except OverflowError:
        raise ValueError(f"{first} to {last} is not within the years 1 to 9999") from None


def _named(kind: PeriodKind, first: date, last: date, zone: ZoneInfo) -> NamedPeriod:
    return NamedPeriod(
        kind,
        first,
        last,
        Period(_midnight(first, zone), _midnight(last + timedelta(days=1), zone)),
    )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _months_on(first: date, n: int) -> date:
    months = first.year * 12 + first.month - 1 + n
    if months // 12 > 9999:
        raise OverflowError
    return date(months // 12, months % 12 + 1, 1)
