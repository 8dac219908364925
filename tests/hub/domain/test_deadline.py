"""Deadlines, pauses, extensions and the ladder, by example."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.clock_spans import Rule, SpanState, explain
from hub.domain.deadline import (
    Clock,
    DeadlineError,
    Kind,
    Limit,
    Pause,
    deadline,
    due_at,
    used,
)
from hub.domain.ladder import Rung, moments
from tests.hub.domain.clock_cases import at, calendar_in, shanghai

HOUR = timedelta(hours=1)


def clock(start: datetime, limit: str) -> Clock:
    return Clock(start, Limit.parse(limit))


def paused(c: Clock, since: datetime, until: datetime | None = None, reason: str = "") -> Clock:
    return replace(c, pauses=(Pause(since, until, reason),))


@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [
        # 5 Sep 2025 is a Friday
        (("2025-09-05", "17:30"), "2 urgent hours", ("2025-09-05", "19:30")),
        (("2025-09-05", "17:30"), "2 work hours", ("2025-09-08", "09:30")),
        (("2025-09-05", "17:30"), "1 work day", ("2025-09-08", "17:30")),
        (("2025-09-05", "17:30"), "1 natural day", ("2025-09-06", "17:30")),
        (("2025-09-05", "20:00"), "4 work hours", ("2025-09-08", "12:00")),
        (("2025-09-05", "12:30"), "4 work hours", ("2025-09-05", "18:00")),
        (("2025-09-30", "16:00"), "1 work day", ("2025-10-09", "16:00")),  # over National Day
        (("2025-10-10", "16:00"), "1 work day", ("2025-10-11", "16:00")),  # make-up Saturday
        (("2025-09-05", "08:00"), "15 work days", ("2025-09-25", "18:00")),
        (("2025-09-05", "10:00"), "10 minutes", ("2025-09-05", "10:10")),
    ],
)
def test_a_deadline_by_kind_of_limit(
    start: tuple[str, str], limit: str, due: tuple[str, str]
) -> None:
    assert deadline(at(*start), Limit.parse(limit), shanghai()) == at(*due)


def test_a_natural_day_is_24_hours_also_when_the_clocks_change() -> None:
    start = datetime(2025, 3, 29, 12, tzinfo=UTC)
    due = deadline(start, Limit(1, Kind.NATURAL_DAY), calendar_in("Europe/Berlin"))
    assert due == start + 24 * HOUR


def test_a_pause_over_the_weekend_takes_nothing_off_a_work_clock() -> None:
    c = clock(at("2025-09-05", "17:00"), "2 work hours")
    rained = paused(c, at("2025-09-05", "18:00"), at("2025-09-08", "08:00"))
    assert due_at(rained, shanghai()) == due_at(c, shanghai()) == at("2025-09-08", "09:00")


def test_overlapping_pauses_stop_the_clock_once() -> None:
    start = at("2025-09-05", "08:00")
    pauses = (Pause(start, start + 2 * HOUR, "a"), Pause(start + HOUR, start + 3 * HOUR, "b"))
    assert deadline(start, Limit(1, Kind.URGENT_HOUR), shanghai(), pauses) == start + 4 * HOUR


def test_a_clock_paused_without_end_is_due_never_until_it_is_resumed() -> None:
    nine = at("2025-09-05", "09:00")
    c = paused(clock(at("2025-09-05", "08:00"), "2 work hours"), nine)
    assert due_at(c, shanghai()) is None
    assert used(c, shanghai(), at("2025-12-01")) == HOUR
    assert due_at(paused(c, nine, nine + HOUR), shanghai()) == at("2025-09-05", "11:00")


def test_a_pause_that_begins_when_the_clock_is_due_comes_too_late() -> None:
    c = clock(at("2025-09-05", "08:00"), "4 work hours")
    for since in ("12:00", "13:00", "15:00"):
        assert due_at(paused(c, at("2025-09-05", since)), shanghai()) == at("2025-09-05", "12:00")


def test_an_extension_gives_one_original_limit_more_at_most_twice() -> None:
    c = clock(at("2025-09-05", "08:00"), "4 work hours")
    assert due_at(replace(c, extensions=1), shanghai()) == at("2025-09-05", "18:00")
    assert due_at(replace(c, extensions=2), shanghai()) == at("2025-09-08", "12:00")
    with pytest.raises(DeadlineError, match="at most 2"):
        replace(c, extensions=3)


@pytest.mark.parametrize("text", ["2 hours", "two work days", "work day", "", "-1 work day"])
def test_a_limit_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(DeadlineError, match="not understood"):
        Limit.parse(text)


@pytest.mark.parametrize("amount", [0, -1, float("nan"), float("inf")])
def test_a_limit_must_give_some_time(amount: float) -> None:
    with pytest.raises(DeadlineError):
        Limit(amount, Kind.WORK_HOUR)


def test_a_pause_cannot_end_before_it_begins() -> None:
    with pytest.raises(DeadlineError, match="before it begins"):
        Pause(at("2025-09-05", "09:00"), at("2025-09-05", "08:00"), "wrong")


def test_the_ladder_tells_handler_leader_master_level_2_and_level_3_in_work_time() -> None:
    c = clock(at("2025-09-05", "08:00"), "4 work hours")
    assert [(m.rung, m.at) for m in moments(c, shanghai())] == [
        (Rung.HANDLER, at("2025-09-05", "10:00")),
        (Rung.LEADER, at("2025-09-05", "11:12")),
        (Rung.OVERDUE, at("2025-09-05", "12:00")),
        (Rung.LEVEL_2, at("2025-09-05", "16:00")),
        (Rung.LEVEL_3, at("2025-09-08", "12:00")),
    ]
    assert [r.level for r in Rung] == [1, 1, 1, 2, 3]


def test_a_pause_moves_the_rungs_after_it_and_leaves_those_before() -> None:
    c = clock(at("2025-09-05", "08:00"), "4 work hours")
    hung = paused(c, at("2025-09-05", "10:30"))
    assert [m.rung for m in moments(hung, shanghai())] == [Rung.HANDLER]


def test_a_clock_explains_each_span_of_its_life() -> None:
    # Friday 26 September to Sunday 28 September 2025, a make-up day, with a pause on Friday
    c = clock(at("2025-09-26", "16:00"), "1 work day")
    c = paused(c, at("2025-09-26", "16:30"), at("2025-09-26", "19:00"), "waiting for parts")
    told = explain(c, shanghai(), at("2025-09-28", "13:00"))
    holiday = "National Day and Mid-Autumn Festival 国庆节、中秋节"
    assert [(s.starts_at, s.state, s.text) for s in told.spans] == [
        (at("2025-09-26", "16:00"), SpanState.RUNNING, "work hours"),
        (at("2025-09-26", "16:30"), SpanState.PAUSED, "paused: waiting for parts"),
        (at("2025-09-26", "19:00"), SpanState.OFF_HOURS, "outside work hours"),
        (at("2025-09-27"), SpanState.OFF_HOURS, "weekend"),
        (at("2025-09-28"), SpanState.OFF_HOURS, "outside work hours"),
        (at("2025-09-28", "08:00"), SpanState.RUNNING, f"work hours of a make-up day: {holiday}"),
        (at("2025-09-28", "12:00"), SpanState.OFF_HOURS, "outside work hours"),
    ]
    assert told.used == timedelta(hours=4.5)
    assert told.share == pytest.approx(4.5 / 8)
    assert told.due_at == at("2025-09-28", "17:30")
    assert told.settled


def test_pauses_that_touch_keep_their_own_reasons_and_those_that_overlap_share_a_span() -> None:
    start = at("2025-09-05", "08:00")
    hours = [start + n * HOUR for n in range(6)]
    c = Clock(
        start,
        Limit.parse("9 urgent hours"),
        (
            Pause(hours[1], hours[2], "permit"),
            Pause(hours[2], hours[4], "parts"),
            Pause(hours[3], hours[5], "rain"),
        ),
    )
    told = explain(c, shanghai(), hours[5])
    assert [(s.starts_at, s.text) for s in told.spans] == [
        (hours[0], "every hour counts, day and night"),
        (hours[1], "paused: permit"),
        (hours[2], "paused: parts; rain"),
    ]


def test_a_holiday_names_itself_and_a_night_is_one_span() -> None:
    c = clock(at("2025-05-05", "12:00"), "2 work hours")
    told = explain(c, shanghai(), at("2025-05-07", "08:00"))
    assert [(s.rule, s.note) for s in told.spans] == [
        (Rule.HOLIDAY, "Labour Day 劳动节"),
        (Rule.OUTSIDE_WORK_HOURS, ""),
        (Rule.WORK_HOURS, ""),
        (Rule.OUTSIDE_WORK_HOURS, ""),
        (Rule.WORK_HOURS, ""),
        (Rule.OUTSIDE_WORK_HOURS, ""),
    ]


def test_an_urgent_clock_runs_through_the_night() -> None:
    told = explain(
        clock(at("2025-09-05", "17:00"), "2 urgent hours"), shanghai(), at("2025-09-06", "05:00")
    )
    assert [(s.state, s.rule) for s in told.spans] == [(SpanState.RUNNING, Rule.EVERY_HOUR)]
    assert told.share == 6.0


def test_a_work_deadline_in_a_year_without_a_notice_says_that_it_may_move() -> None:
    c = clock(at("2026-12-31", "17:00"), "2 work hours")
    assert not explain(c, shanghai(), c.started_at + HOUR).settled
    urgent = replace(c, limit=Limit.parse("20 urgent hours"))
    assert explain(urgent, shanghai(), c.started_at + HOUR).settled
