"""The work calendar: what the file says, and how much work time lies between two moments."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hub.domain.calendar import WorkCalendar
from hub.domain.work_rules import CalendarError, DayKind, WorkRules, read_work_rules
from tests.hub.domain.clock_cases import SHIPPED, at, calendar_in, shanghai


def text(calendar: str = "", year: str = "") -> str:
    base = 'time_zone = "Asia/Shanghai"\nhours = [["08:00", "12:00"]]\nweekend = ["sunday"]\n'
    return f"[calendar]\n{base}{calendar}\n{year}"


def work_between(calendar: WorkCalendar, since: datetime, until: datetime) -> timedelta:
    return calendar.reading(until) - calendar.reading(since)


def add_work(calendar: WorkCalendar, start: datetime, amount: timedelta) -> datetime:
    return calendar.when(calendar.reading(start) + amount)


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        ("2025-01-01", DayKind.HOLIDAY),
        ("2025-01-26", DayKind.MAKE_UP),  # a Sunday, for the Spring Festival
        ("2025-01-28", DayKind.HOLIDAY),
        ("2025-02-04", DayKind.HOLIDAY),
        ("2025-02-05", DayKind.WORKDAY),
        ("2025-02-08", DayKind.MAKE_UP),
        ("2025-02-09", DayKind.WEEKEND),
        ("2025-04-06", DayKind.HOLIDAY),
        ("2025-04-07", DayKind.WORKDAY),
        ("2025-04-27", DayKind.MAKE_UP),
        ("2025-05-05", DayKind.HOLIDAY),
        ("2025-06-02", DayKind.HOLIDAY),
        ("2025-09-28", DayKind.MAKE_UP),
        ("2025-10-08", DayKind.HOLIDAY),
        ("2025-10-11", DayKind.MAKE_UP),
    ],
)
def test_the_shipped_calendar_knows_the_holidays_and_make_up_days_of_2025(
    day: str, kind: DayKind
) -> None:
    assert shanghai().rules.day(date.fromisoformat(day)).kind is kind


def test_2025_has_248_work_days_as_the_notice_leaves_them() -> None:
    rules = shanghai().rules
    days = (date(2025, 1, 1) + timedelta(days=n) for n in range(365))
    assert sum(rules.day(d).worked for d in days) == 248
    year = work_between(shanghai(), at("2025-01-01"), at("2026-01-01"))
    assert year == 248 * timedelta(hours=8)


def test_an_amount_used_up_at_noon_is_due_at_noon_and_not_after_lunch() -> None:
    due = add_work(shanghai(), at("2025-09-05", "08:00"), timedelta(hours=4))
    assert due == at("2025-09-05", "12:00")
    assert due.tzinfo is UTC


def test_a_microsecond_more_is_due_after_lunch() -> None:
    amount = timedelta(hours=4, microseconds=1)
    due = add_work(shanghai(), at("2025-09-05", "08:00"), amount)
    assert due == at("2025-09-05", "14:00") + timedelta(microseconds=1)


def test_work_time_runs_over_a_weekend_of_make_up_days_but_not_over_the_holiday_between() -> None:
    # Fri 24 Jan 17:00 -> 1 h; Sun 26 Jan is worked; Mon 27 Jan; 28 Jan - 4 Feb holiday; Wed 5 Feb
    due = add_work(shanghai(), at("2025-01-24", "17:00"), timedelta(hours=18))
    assert due == at("2025-02-05", "09:00")


def test_a_year_without_a_notice_is_not_settled() -> None:
    assert shanghai().settled(at("2025-12-31", "23:59"))
    assert not shanghai().settled(at("2027-01-01"))


def test_an_hour_that_the_clock_skips_is_no_work_and_one_that_it_repeats_is_two() -> None:
    night = calendar_in("Europe/Berlin", ((0, 3 * 60), (23 * 60, 24 * 60)))
    spring = work_between(
        night, datetime(2025, 3, 29, 23, tzinfo=UTC), datetime(2025, 3, 30, 2, tzinfo=UTC)
    )
    autumn = work_between(
        night, datetime(2025, 10, 25, 22, tzinfo=UTC), datetime(2025, 10, 26, 3, tzinfo=UTC)
    )
    assert spring == timedelta(hours=2)  # 00:00-02:00, then it is 03:00
    assert autumn == timedelta(hours=4)  # 00:00-03:00 with 02:00-03:00 twice


def test_a_moment_outside_the_covered_years_is_refused_with_the_way_out() -> None:
    with pytest.raises(CalendarError, match=r"1970-01-01.* covers 2020-2049.* first_year"):
        shanghai().reading(datetime(1970, 1, 1, tzinfo=UTC))
    with pytest.raises(CalendarError, match="raise last_year"):
        add_work(shanghai(), at("2049-12-30"), timedelta(hours=500))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[calendar\n", "not TOML"),
        (text("lunch = 1"), "lunch"),
        (text().replace("sunday", "someday"), "someday"),
        (text().replace("12:00", "25:00"), "hours"),
        (text().replace("12:00", "07:00"), "08:00-07:00"),
        (text().replace('["08:00", "12:00"]', ""), "no work hours"),
        (text().replace("Asia/Shanghai", "Asia/Nowhere"), "Asia/Nowhere"),
        (text("first_year = 2030\nlast_year = 2029"), "2030-2029"),
        (text("work_day_hours = 0"), "work day"),
        (text(year="[[year]]\nyear = 2025\n"), "source"),
        (text(year='[[year]]\nyear = 2025\nsource = "x"\n' * 2), "2025 is listed twice"),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused_by_name(content: str, message: str) -> None:
    with pytest.raises(CalendarError, match=message):
        read_work_rules(content)


@pytest.mark.parametrize(
    ("holiday", "message"),
    [
        ("first = 2015-05-01\nlast = 2025-05-02", "2015-05-01"),
        ("first = 2025-05-02\nlast = 2025-05-01", "from 2025-05-02 to 2025-05-01"),
        ("first = 2025-05-01\nlast = 2025-05-04\nmake_up = [2025-05-04]", "both a holiday and"),
        ("first = 2025-05-01\nlast = 2025-05-04\nmake_up = [2025-05-08]", "is a thursday"),
    ],
)
def test_a_slip_of_the_pen_in_a_holiday_is_refused(holiday: str, message: str) -> None:
    year = f'[[year]]\nyear = 2025\nsource = "x"\n[[year.holiday]]\nname = "Labour"\n{holiday}'
    with pytest.raises(CalendarError, match=message):
        read_work_rules(text(year=year))


def test_hours_to_midnight_are_allowed() -> None:
    rules = read_work_rules(text().replace("12:00", "24:00"))
    assert rules.hours == ((480, 1440),)


def test_every_key_of_the_shipped_calendar_is_explained() -> None:
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    head = lines[: lines.index("[[year]]")]
    keys = [n for n, line in enumerate(head) if " = " in line and not line.startswith("#")]
    assert len(keys) == 6
    assert all(head[n - 1].startswith("#") or " = " in head[n - 1] for n in keys)


def test_a_district_without_a_weekend_works_every_day() -> None:
    rules = WorkRules(zone=ZoneInfo("Asia/Shanghai"), weekend=frozenset(), last_year=2025)
    assert work_between(WorkCalendar(rules), at("2025-09-01"), at("2025-09-08")) == timedelta(
        hours=56
    )
