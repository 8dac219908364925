"""Every kind of limit against a count of minutes, one by one."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.calendar import WorkCalendar
from hub.domain.clock_spans import SpanState, explain
from hub.domain.deadline import Clock, Kind, Limit, Pause, deadline, due_at, used
from tests.hub.domain.clock_cases import (
    CALENDARS,
    MINUTE,
    is_counted,
    limits,
    minutes_from,
    oracle_deadline,
    oracle_used,
    pauses_after,
    starts,
)

calendars = st.sampled_from(CALENDARS)
few = settings(max_examples=150, deadline=None)


@few
@given(st.data(), calendars, limits())
def test_a_deadline_falls_where_counting_minutes_one_by_one_ends(
    data: st.DataObject, calendar: WorkCalendar, limit: Limit
) -> None:
    start = data.draw(starts())
    pauses = data.draw(pauses_after(start))
    expected = oracle_deadline(
        start, round(limit.duration(calendar) / MINUTE), limit.kind, calendar.rules, pauses
    )
    assert deadline(start, limit, calendar, pauses) == expected


@few
@given(st.data(), calendars, limits(), minutes_from(0, 4 * 24 * 60))
def test_used_time_is_the_number_of_minutes_counted(
    data: st.DataObject, calendar: WorkCalendar, limit: Limit, elapsed: timedelta
) -> None:
    start = data.draw(starts())
    pauses = data.draw(pauses_after(start))
    expected = oracle_used(start, start + elapsed, limit.kind, calendar.rules, pauses)
    assert used(Clock(start, limit, pauses), calendar, start + elapsed) == expected


@few
@given(st.data(), calendars, limits(), minutes_from(0, 3 * 24 * 60))
def test_a_later_start_is_never_due_earlier(
    data: st.DataObject, calendar: WorkCalendar, limit: Limit, later: timedelta
) -> None:
    start = data.draw(starts())
    pauses = data.draw(pauses_after(start))
    first = deadline(start, limit, calendar, pauses)
    second = deadline(start + later, limit, calendar, pauses)
    assert first is not None
    assert second is not None
    assert first <= second


@few
@given(st.data(), calendars, limits(), minutes_from(0, 2 * 24 * 60))
def test_a_longer_pause_moves_the_deadline_by_exactly_the_part_of_it_that_would_have_run(
    data: st.DataObject, calendar: WorkCalendar, limit: Limit, longer: timedelta
) -> None:
    start = data.draw(starts())
    due = deadline(start, limit, calendar)
    assert due is not None
    since = start + data.draw(minutes_from(0, (due - start) // MINUTE - 1))
    until = since + data.draw(minutes_from(0, 24 * 60))
    before = deadline(start, limit, calendar, [Pause(since, until)])
    after = deadline(start, limit, calendar, [Pause(since, until + longer)])
    assert before is not None
    assert after is not None
    running_part = oracle_used(until, until + longer, limit.kind, calendar.rules, ())
    moved = oracle_used(before, after, limit.kind, calendar.rules, ())
    assert moved == running_part


@few
@given(st.data(), calendars, limits(), minutes_from(1, 4 * 24 * 60))
def test_spans_follow_each_other_without_gap_and_sum_to_the_elapsed_time(
    data: st.DataObject, calendar: WorkCalendar, limit: Limit, elapsed: timedelta
) -> None:
    start = data.draw(starts())
    clock = Clock(start, limit, data.draw(pauses_after(start)))
    told = explain(clock, calendar, start + elapsed)
    assert told.spans[0].starts_at == start
    assert told.spans[-1].ends_at == start + elapsed
    assert all(a.ends_at == b.starts_at for a, b in zip(told.spans, told.spans[1:], strict=False))
    assert all(s.starts_at < s.ends_at for s in told.spans)
    assert sum((told.total(s) for s in SpanState), timedelta(0)) == elapsed
    assert told.used == used(clock, calendar, start + elapsed)


@few
@given(st.data(), calendars, limits(), minutes_from(1, 4 * 24 * 60))
def test_every_minute_of_a_span_is_what_the_span_says(
    data: st.DataObject, calendar: WorkCalendar, limit: Limit, elapsed: timedelta
) -> None:
    start = data.draw(starts())
    pauses = data.draw(pauses_after(start))
    for span in explain(Clock(start, limit, pauses), calendar, start + elapsed).spans:
        middle = span.starts_at + (span.length // MINUTE // 2) * MINUTE
        for at in (span.starts_at, middle, span.ends_at - MINUTE):
            paused = any(p.since <= at and (p.until is None or at < p.until) for p in pauses)
            counted = is_counted(at, limit.kind, calendar.rules, pauses)
            expected = (
                SpanState.PAUSED
                if paused
                else SpanState.RUNNING
                if counted
                else SpanState.OFF_HOURS
            )
            assert span.state is expected


@few
@given(st.data(), calendars, limits(), st.integers(0, 2))
def test_the_clock_has_used_all_its_limit_when_it_is_due_and_less_just_before(
    data: st.DataObject, calendar: WorkCalendar, limit: Limit, extensions: int
) -> None:
    start = data.draw(starts())
    clock = Clock(start, limit, data.draw(pauses_after(start)), extensions)
    due = due_at(clock, calendar)
    assert due is not None
    allowed = limit.duration(calendar) * (1 + extensions)
    assert used(clock, calendar, due) == allowed
    assert used(clock, calendar, due - MINUTE) < allowed


@few
@given(starts(), st.integers(1, 20))
def test_work_days_and_the_same_number_of_work_hours_are_due_together(
    start: datetime, days: int
) -> None:
    for calendar in CALENDARS:
        assert deadline(start, Limit(days, Kind.WORK_DAY), calendar) == deadline(
            start,
            Limit(8 * days, Kind.WORK_HOUR),
            calendar,
        )
