"""Which days are worked and at which hours: what `configs/calendar.toml` says, checked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from contract.errors import GridwardenError

MINUTES_PER_DAY = 24 * 60

_Time = Annotated[str, msgspec.Meta(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
_Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[str, ...] = get_args(_Weekday)


class CalendarError(GridwardenError, ValueError):
    """A work calendar contradicts itself, or is asked about a time it does not cover."""


class DayKind(StrEnum):
    """Why a day is worked or not."""

    WORKDAY = "workday"
    MAKE_UP = "make_up"  # a weekend day worked in exchange for a holiday (调休上班)
    WEEKEND = "weekend"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True)
class Day:
    """What a date is. name: the holiday, or the one a make-up day is worked for; may be ""."""

    kind: DayKind
    name: str = ""

    @property
    def worked(self) -> bool:
        """Whether its work hours count."""
        return self.kind in (DayKind.WORKDAY, DayKind.MAKE_UP)


_WORKDAY, _WEEKEND = Day(DayKind.WORKDAY), Day(DayKind.WEEKEND)


@dataclass(frozen=True, slots=True)
class WorkRules:
    """The work rules of a district; raises CalendarError where they contradict themselves.

    hours: (from, to) in minutes after local midnight, in order, apart from each other.
    weekend: 0 is Monday. holidays, make_up: date -> name of the holiday. published: years whose
    holiday notice is in. The calendar covers first_year to last_year, both included.
    """

    zone: ZoneInfo
    hours: tuple[tuple[int, int], ...] = ((8 * 60, 12 * 60), (14 * 60, 18 * 60))
    work_day: timedelta = timedelta(hours=8)
    weekend: frozenset[int] = frozenset({5, 6})
    holidays: Mapping[date, str] = field(default_factory=dict)
    make_up: Mapping[date, str] = field(default_factory=dict)
    published: frozenset[int] = frozenset()
    first_year: int = 2020
    last_year: int = 2049

    def __post_init__(self) -> None:
        end = 0
        for since, until in self.hours:
            if not end <= since < until <= MINUTES_PER_DAY:
                raise CalendarError(
                    f"work hours {_clock(since)}-{_clock(until)} are empty, leave the day or "
                    f"begin before {_clock(end)}: list them in order, apart from each other"
                )
            end = until
        if not self.hours:
            raise CalendarError("no work hours: give at least one pair such as ['08:00', '12:00']")
        if not timedelta(0) < self.work_day <= timedelta(days=1):
            raise CalendarError(f"a work day of {self.work_day} is not within 0-24 h")
        if self.weekend >= set(range(7)) and not self.make_up:
            raise CalendarError("every day is a weekend day: no work would ever be done")
        if not 1970 <= self.first_year <= self.last_year <= 2200:
            raise CalendarError(
                f"years {self.first_year}-{self.last_year} must lie within 1970-2200, in order"
            )
        for day in self.make_up:
            if day in self.holidays:
                raise CalendarError(f"{day} is both a holiday and a make-up day: drop one")
            if day.weekday() not in self.weekend:
                raise CalendarError(
                    f"make-up day {day} is a {WEEKDAYS[day.weekday()]}, a work day anyway: "
                    "check the date"
                )

    def day(self, day: date) -> Day:
        """What kind of day this date is."""
        if (name := self.holidays.get(day)) is not None:
            return Day(DayKind.HOLIDAY, name)
        if (name := self.make_up.get(day)) is not None:
            return Day(DayKind.MAKE_UP, name)
        return _WEEKEND if day.weekday() in self.weekend else _WORKDAY


class _Holiday(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    first: date
    last: date
    make_up: list[date] = []


class _Year(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    year: int
    source: Annotated[str, msgspec.Meta(min_length=1)]
    holiday: list[_Holiday] = []


class _Calendar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    time_zone: str
    hours: list[tuple[_Time, _Time]]
    weekend: list[_Weekday]
    work_day_hours: float = 8
    first_year: int = 2020
    last_year: int = 2049


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    calendar: _Calendar
    year: list[_Year] = []


def read_work_rules(text: str) -> WorkRules:
    """The rules in the text of a `calendar.toml`.

    Raises CalendarError naming the key or the date that does not fit.
    """
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
        zone = ZoneInfo(file.calendar.time_zone)
    except tomllib.TOMLDecodeError as e:
        raise CalendarError(f"the calendar is not TOML: {e}") from None
    except msgspec.ValidationError as e:
        raise CalendarError(f"the calendar is refused: {e}") from None
    except (ZoneInfoNotFoundError, ValueError):
        raise CalendarError(
            f"time_zone {file.calendar.time_zone!r} is not known; use an IANA name such as "
            "'Asia/Shanghai'"
        ) from None
    holidays: dict[date, str] = {}
    make_up: dict[date, str] = {}
    published: set[int] = set()
    for year in file.year:
        if year.year in published:
            raise CalendarError(f"year {year.year} is listed twice")
        published.add(year.year)
        for holiday in year.holiday:
            _check_near(holiday, year.year)
            length = (holiday.last - holiday.first).days + 1
            days = (holiday.first + timedelta(days=n) for n in range(length))
            holidays.update(dict.fromkeys(days, holiday.name))
            make_up.update(dict.fromkeys(holiday.make_up, holiday.name))
    return WorkRules(
        zone=zone,
        hours=tuple((_minute(a), _minute(b)) for a, b in file.calendar.hours),
        work_day=timedelta(hours=file.calendar.work_day_hours),
        weekend=frozenset(WEEKDAYS.index(name) for name in file.calendar.weekend),
        holidays=holidays,
        make_up=make_up,
        published=frozenset(published),
        first_year=file.calendar.first_year,
        last_year=file.calendar.last_year,
    )


def _check_near(holiday: _Holiday, year: int) -> None:
    """Refuse slips of the pen: a wrong year, an end before the beginning."""
    for day in (holiday.first, holiday.last, *holiday.make_up):
        if abs(day.year - year) > 1:
            raise CalendarError(f"{day} of holiday {holiday.name!r} is not near its year {year}")
    if not holiday.first <= holiday.last <= holiday.first + timedelta(days=31):
        raise CalendarError(
            f"holiday {holiday.name!r} of {year} lasts from {holiday.first} to {holiday.last}: "
            "give its first and last day"
        )


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
