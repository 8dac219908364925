"""Which days are worked and at which hours: what `configs/calendar.toml` says, checked."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contract.errors import GridwardenError

MINUTES_PER_DAY = 24 * 60
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")


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


def read_work_rules(text: str) -> WorkRules:
    """The rules in the text of a `calendar.toml`.

    Raises CalendarError naming the key and the value that do not fit.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise CalendarError(f"calendar is not TOML: {e}") from None
    _refuse_unknown(table, {"calendar", "year"}, "the calendar file")
    base = table.get("calendar", {})
    _refuse_unknown(
        base,
        {"time_zone", "hours", "work_day_hours", "weekend", "first_year", "last_year"},
        "[calendar]",
    )
    holidays: dict[date, str] = {}
    make_up: dict[date, str] = {}
    published: set[int] = set()
    for entry in table.get("year", []):
        year = _year(entry)
        if year in published:
            raise CalendarError(f"year {year} is listed twice")
        published.add(year)
        for holiday in entry.get("holiday", []):
            name = str(holiday.get("name", ""))
            _refuse_unknown(
                holiday, {"name", "first", "last", "make_up"}, f"holiday {name!r} of {year}"
            )
            holidays.update((day, name) for day in _dates(holiday, name, year))
            make_up.update((_date(d, name, year), name) for d in holiday.get("make_up", []))
    try:
        return WorkRules(
            zone=ZoneInfo(base.get("time_zone", "Asia/Shanghai")),
            hours=tuple((_minute(a), _minute(b)) for a, b in base["hours"]),
            work_day=timedelta(hours=base.get("work_day_hours", 8)),
            weekend=frozenset(_weekday(name) for name in base["weekend"]),
            holidays=holidays,
            make_up=make_up,
            published=frozenset(published),
            first_year=base.get("first_year", 2020),
            last_year=base.get("last_year", 2049),
        )
    except ZoneInfoNotFoundError:
        raise CalendarError(
            f"[calendar] time_zone {base['time_zone']!r} is not known; use an IANA name such as "
            "'Asia/Shanghai'"
        ) from None
    except KeyError as e:
        raise CalendarError(f"[calendar] {e.args[0]} is missing") from None
    except CalendarError:
        raise
    except (TypeError, ValueError) as e:
        raise CalendarError(f"[calendar] has a value of the wrong type: {e}") from None


def _year(entry: Mapping[str, Any]) -> int:
    _refuse_unknown(entry, {"year", "source", "holiday"}, "[[year]]")
    year = entry.get("year")
    if not isinstance(year, int) or not entry.get("source"):
        raise CalendarError(f"[[year]] {year!r} must have a year and the source of its holidays")
    return year


def _dates(holiday: Mapping[str, Any], name: str, year: int) -> Iterator[date]:
    first, last = (_date(holiday.get(key), name, year) for key in ("first", "last"))
    days = (last - first).days + 1
    if not 1 <= days <= 31:
        raise CalendarError(f"holiday {name!r} of {year} lasts from {first} to {last}")
    return (first + timedelta(days=n) for n in range(days))


def _date(value: object, name: str, year: int) -> date:
    if type(value) is not date or abs(value.year - year) > 1:
        raise CalendarError(f"holiday {name!r} of {year} has the date {value!r}: not one near it")
    return value


def _minute(text: str) -> int:
    if not _TIME.fullmatch(text):
        raise CalendarError(f"[calendar] hours has {text!r}: use 'HH:MM', 00:00 to 24:00")
    return int(text[:2]) * 60 + int(text[3:])


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _weekday(name: str) -> int:
    if name not in WEEKDAYS:
        raise CalendarError(f"[calendar] weekend has {name!r}; use: {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(name)


def _refuse_unknown(table: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := sorted(set(table) - known):
        raise CalendarError(f"{where} has the unknown key {unknown[0]!r}; known: {sorted(known)}")
