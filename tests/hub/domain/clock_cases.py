"""Calendars and clocks to test with, and the oracle: a count of minutes, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from hub.domain.calendar import WorkCalendar
from hub.domain.deadline import Kind, Limit, Pause
from hub.domain.work_rules import WorkRules, read_work_rules

MINUTE = timedelta(minutes=1)
SHIPPED = Path(__file__).parents[3] / "configs" / "calendar.toml"

USUAL = ((8 * 60, 12 * 60), (14 * 60, 18 * 60))
NIGHT = ((0, 3 * 60), (23 * 60, 24 * 60))  # across every change of the clock


def at(day: str, clock: str = "00:00") -> datetime:
    """A moment in China: ("2025-09-05", "17:30")."""
    return datetime.fromisoformat(f"{day}T{clock}:00+08:00")


@cache
def shanghai() -> WorkCalendar:
    """The calendar as shipped."""
    return WorkCalendar(read_work_rules(SHIPPED.read_text(encoding="utf-8")))


# Saturdays and Sundays around the changes of the clock in the zones below: worked in the tests
CHANGES = tuple(
    date(2025, month, day)
    for month, day in ((3, 29), (3, 30), (4, 5), (4, 6), (9, 6), (9, 7), (10, 5), (10, 26))
)


@cache
def calendar_in(zone: str, hours: tuple[tuple[int, int], ...] = USUAL) -> WorkCalendar:
    """A calendar of 2025 with holidays and make-up days around both changes of the clock."""
    return WorkCalendar(
        WorkRules(
            zone=ZoneInfo(zone),
            hours=hours,
            holidays={date(2025, 4, 1): "Spring", date(2025, 10, 27): "Autumn"},
            make_up=dict.fromkeys(CHANGES, "the change of the clock"),
            published=frozenset({2025}),
            first_year=2025,
            last_year=2026,
        )
    )


CALENDARS = (
    shanghai(),
    calendar_in("Europe/Berlin"),
    calendar_in("Europe/Berlin", NIGHT),
    calendar_in("America/Santiago", NIGHT),  # changes at midnight: a day without 00:00
    calendar_in("Australia/Lord_Howe", NIGHT),  # changes by half an hour
)
# both changes of the clock, the Spring Festival, the National Day holiday with its make-up days
DAYS = tuple(
    date(2025, month, day)
    for month, day in ((1, 24), (3, 28), (4, 4), (9, 5), (9, 26), (10, 3), (10, 24))
)


def minutes_from(low: int, high: int) -> st.SearchStrategy[timedelta]:
    """Whole minutes."""
    return st.integers(low, high).map(lambda n: timedelta(minutes=n))


@st.composite
def starts(draw: st.DrawFn) -> datetime:
    """A moment within two days of something that makes the calendar interesting."""
    day = draw(st.sampled_from(DAYS))
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + draw(minutes_from(0, 3 * 24 * 60))


@st.composite
def pauses_after(draw: st.DrawFn, start: datetime) -> tuple[Pause, ...]:
    """Up to three pauses, overlapping or not, some begun before the start."""
    result = []
    for _ in range(draw(st.integers(0, 3))):
        since = start + draw(minutes_from(-600, 3 * 24 * 60))
        result.append(Pause(since, since + draw(minutes_from(0, 2 * 24 * 60)), "waiting"))
    return tuple(result)


def limits() -> st.SearchStrategy[Limit]:
    """Limits of every kind in whole minutes, at most three days of their kind."""
    per_unit = {
        Kind.URGENT_HOUR: 60,
        Kind.WORK_HOUR: 60,
        Kind.WORK_DAY: 480,
        Kind.NATURAL_DAY: 1440,
    }
    return st.sampled_from(Kind).flatmap(
        lambda kind: st.integers(1, 3 * 8 * 60).map(lambda n: Limit(n / per_unit[kind], kind))
    )


def is_counted(at: datetime, kind: Kind, rules: WorkRules, pauses: Sequence[Pause]) -> bool:
    """Whether the minute that begins at `at` counts, read off the wall clock."""
    if any(p.since <= at and (p.until is None or at < p.until) for p in pauses):
        return False
    if kind in (Kind.URGENT_HOUR, Kind.NATURAL_DAY):
        return True
    local = at.astimezone(rules.zone)
    minute = local.hour * 60 + local.minute
    worked = local.date() in rules.make_up or (
        local.date() not in rules.holidays and local.weekday() not in rules.weekend
    )
    return worked and any(since <= minute < until for since, until in rules.hours)


def oracle_deadline(
    start: datetime, minutes: int, kind: Kind, rules: WorkRules, pauses: Sequence[Pause]
) -> datetime:
    """The end of the minute with which `minutes` have been counted, one by one."""
    at = start
    while minutes:
        minutes -= is_counted(at, kind, rules, pauses)
        at += MINUTE
    return at


def oracle_used(
    start: datetime, until: datetime, kind: Kind, rules: WorkRules, pauses: Sequence[Pause]
) -> timedelta:
    """The minutes counted from start to until, one by one."""
    count = (until - start) // MINUTE
    return MINUTE * sum(is_counted(start + MINUTE * n, kind, rules, pauses) for n in range(count))
