"""The ladder: every rung once, in order, whatever happened to the timers meanwhile."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from hub.domain.actor import Role
from hub.domain.ladder import LADDER_ACTS
from hub.domain.people import Post
from hub.services.climb_ladder import AT_ONCE, climb_ladders
from hub.services.context import Hub
from hub.store import events, people
from hub.store.people import PersonRow
from hub.store.rows import GridEventRow, HistoryRow
from hub.timers import ClockWatch, Comparison, do_each, repeat, run_timers
from tests.hub.builders import (
    Clock,
    config,
    eventually,
    opened,
    rows,
    running,
    system_clock,
    together,
)
from tests.hub.cases import DEPT, DISPATCHER, MASTER, act, as_it_is, dispatched, steps, suspected

WEEK = timedelta(days=7)


def climb(hub: Hub) -> int:
    with hub.pool.connection() as conn:
        return climb_ladders(conn, hub)


def rungs(hub: Hub, event: GridEventRow) -> list[HistoryRow]:
    with hub.pool.connection() as conn:
        return [h for h in events.history(conn, event.id) if h.name in LADDER_ACTS]


def at(text: str) -> datetime:
    """A moment of that week in China."""
    return datetime.fromisoformat(f"2026-11-{text}:00+08:00").astimezone(UTC)


def test_every_rung_is_climbed_when_its_share_of_the_limit_is_used(hub: Hub, clock: Clock) -> None:
    clock.at = at("24T16:00")  # Tuesday; the limit is 4 work hours
    event = dispatched(hub)
    expected = [
        (at("24T18:00"), "remind", "handler", 1, False),
        (at("25T09:12"), "remind", "leader", 1, False),
        (at("25T10:00"), "supervise", "overdue", 1, True),
        (at("25T12:00"), "raise_level", "level_2", 2, True),
        (at("26T10:00"), "raise_level", "level_3", 3, True),
    ]
    for moment, name, rung, level, supervised in expected:
        clock.at = moment
        assert as_it_is(hub, event).next_rung_at == moment
        assert climb(hub) == 0  # done at the very deadline is in time
        clock.move(1)
        assert climb(hub) == 1
        last, now = rungs(hub, event)[-1], as_it_is(hub, event)
        assert (last.name, last.facts["given"]["rung"]) == (name, rung)
        assert (now.state, now.level, now.supervised) == ("dispatched", level, supervised)
    assert as_it_is(hub, event).next_rung_at is None


def test_a_week_without_timers_is_made_up_for_once_and_in_order(
    hub: Hub, clock: Clock, tmp_path: Path
) -> None:
    event = dispatched(hub)
    clock.at += WEEK
    assert climb(hub) == 5
    with opened(config(hub.config.database.url, tmp_path), clock) as restarted:
        assert climb(restarted) == 0

    given = [h.facts["given"] for h in rungs(hub, event)]
    assert [g["rung"] for g in given] == ["handler", "leader", "overdue", "level_2", "level_3"]
    reached = [datetime.fromisoformat(g["reached_at"]) for g in given]
    assert reached == sorted(reached)
    assert reached[-1] < clock.at - timedelta(days=3)


def test_two_hubs_climb_every_rung_of_every_event_exactly_once(
    hub: Hub, clock: Clock, tmp_path: Path
) -> None:
    cases = [dispatched(hub, metres=500.0 * n) for n in range(12)]
    clock.at += WEEK
    with opened(config(hub.config.database.url, tmp_path), clock) as other:
        climbed = together([lambda: climb(hub), lambda: climb(other)] * 2)

    assert sum(n for n in climbed if isinstance(n, int)) == 5 * len(cases)
    for case in cases:
        assert Counter(h.facts["given"]["rung"] for h in rungs(hub, case)).most_common(1)[0][1] == 1
        assert as_it_is(hub, case).level == 3


def test_a_lot_that_fell_due_is_made_up_for_in_one_round_in_small_transactions(
    hub: Hub, clock: Clock
) -> None:
    event = dispatched(hub)
    clock.at += WEEK
    done: list[int] = []

    def job(conn: Connection[Any], hub: Hub) -> int:
        done.append(climb_ladders(conn, hub))
        return AT_ONCE if len(done) < 3 else 0  # as if there had been more each time

    repeat(job, hub)

    assert done == [5, 0, 0]
    assert as_it_is(hub, event).level == 3


def test_an_event_whose_history_cannot_be_read_stands_in_nobodys_way(
    hub: Hub, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = dispatched(hub), dispatched(hub, metres=2000)
    with hub.pool.connection() as conn:
        conn.execute("SET LOCAL session_replication_role = replica")
        conn.execute(
            "UPDATE grid_event_history SET role = 'nobody' WHERE event = %s AND n = 1", (broken.id,)
        )
    clock.at += WEEK

    assert climb(hub) == 5
    assert as_it_is(hub, sound).level == 3
    assert as_it_is(hub, broken).next_rung_at == clock.at + timedelta(hours=1)
    assert f"the ladder of event {broken.number} is put off" in caplog.text


def test_a_timer_that_fails_keeps_no_other_from_what_falls_due(
    hub: Hub, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    event = dispatched(hub)
    clock.at += WEEK

    def broken(conn: Connection[Any], hub: Hub) -> int:
        conn.execute("SELECT 1 / 0")
        return 0

    do_each([broken, climb_ladders], hub)
    assert as_it_is(hub, event).level == 3
    assert "broken" in caplog.text


def test_a_hub_that_dies_in_the_middle_has_climbed_nothing(hub: Hub, clock: Clock) -> None:
    event = dispatched(hub)
    clock.at += WEEK
    with hub.pool.connection() as conn:
        assert climb_ladders(conn, hub) == 5
        conn.rollback()

    assert rungs(hub, event) == []
    assert climb(hub) == 5


def test_a_hang_stops_the_ladder_and_an_extension_sets_it_up_anew(hub: Hub, clock: Clock) -> None:
    clock.at = at("24T16:00")
    event = dispatched(hub)
    clock.at = at("25T09:30")
    assert climb(hub) == 2
    act(hub, event, "request_extension", DEPT, reason="rain")
    event = act(hub, event, "decide_extension", MASTER, granted=True)
    assert event.next_rung_at == at("25T10:00")  # half of eight hours
    event = act(hub, event, "request_hang", DEPT, reason="parts", until=at("27T09:30"))
    event = act(hub, event, "suspend", MASTER, until=at("27T09:30"))
    clock.at = at("27T09:00")
    assert climb(hub) == 0
    clock.at = at("27T10:00")
    event = act(hub, event, "resume", MASTER)
    clock.move(1)
    assert climb(hub) == 1
    assert [h.facts["given"]["rung"] for h in rungs(hub, event)] == ["handler", "leader", "handler"]


def test_the_desk_is_not_reminded_of_what_is_only_suspected(hub: Hub, clock: Clock) -> None:
    event = suspected(hub)
    clock.at += WEEK

    assert climb(hub) == 0
    assert steps(hub, event) == ["ingest_detection"]


def test_what_ended_or_goes_on_in_another_stage_has_no_rung_left_of_the_last(
    hub: Hub, clock: Clock
) -> None:
    event = dispatched(hub)
    clock.move(3 * 3600)
    event = act(hub, event, "recall", DISPATCHER, reason="wrong place")
    clock.at += WEEK

    assert climb(hub) == 0
    assert event.next_rung_at is None


def test_who_must_know_is_told_once_and_after_an_outage_only_the_highest(
    hub: Hub, clock: Clock
) -> None:
    url = hub.config.database.url

    def told() -> list[tuple[object, ...]]:
        return rows(
            url,
            "SELECT kind, person, unit, role FROM notice WHERE body LIKE '%dispose, %' ORDER BY id",
        )

    master = PersonRow("M1", "He", None, "", "", "zh", False, None)
    with hub.pool.connection() as conn:
        people.save_people(conn, [master])
        posts = [Post("M1", Role.MASTER, None, None, clock.at - WEEK, None)]
        people.set_posts(conn, ["M1"], posts, clock.at - WEEK)
    clock.at = at("24T16:00")
    event = dispatched(hub)
    clock.at = at("24T20:00")
    climb(hub)
    climb(hub)
    assert told() == [("half_time", None, "unit-b", None)]
    clock.at = at("25T09:30")
    climb(hub)
    assert told()[1:] == [("nearly_due", None, None, "leader")]
    clock.at = at("25T10:01")
    climb(hub)
    assert told()[2:] == [("supervision", "M1", None, None)]
    clock.at += WEEK
    assert climb(hub) == 2
    assert told()[3:] == [("escalated", None, None, "supervisor")]
    assert as_it_is(hub, event).level == 3


class Steady:
    """A steady clock that goes on as it is told."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def test_timers_wait_while_a_clock_that_jumped_is_not_believed(clock: Clock) -> None:
    steady = Steady()
    watch = ClockWatch(clock, steady)

    def after(seconds: float, jump: timedelta = timedelta(0)) -> bool:
        steady.s += seconds
        clock.at += timedelta(seconds=seconds) + jump
        return watch.is_steady()

    assert after(5)
    assert after(3600)  # a machine that slept is no clock that jumped
    assert not after(5, timedelta(days=365))
    assert not after(300)
    assert after(5, -timedelta(days=365))  # set right again: nothing was done meanwhile
    assert not after(5, -timedelta(hours=1))
    assert not after(500)
    assert after(101)  # it stays: that is the time then
    assert after(5)


def test_a_hub_whose_clock_is_not_the_databases_does_nothing_by_the_clock(
    hub: Hub, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now = system_clock()
    with opened(config(hub.config.database.url, tmp_path), lambda: now) as right:
        assert Comparison().agrees(right)
    comparison = Comparison()
    ahead = Clock(now + timedelta(days=365))
    with opened(config(hub.config.database.url, tmp_path), ahead) as wrong:
        assert not comparison.agrees(wrong)
        assert not comparison.agrees(wrong)
        (told,) = [r.message for r in caplog.records if r.levelno >= logging.WARNING]
        assert "differ by 36" in told
        ahead.at = system_clock()
        assert comparison.agrees(wrong)


def test_two_timers_on_one_database_climb_what_is_due_by_the_real_clock(
    hub: Hub, tmp_path: Path
) -> None:
    day_ago = Clock(system_clock() - timedelta(days=1))
    with opened(config(hub.config.database.url, tmp_path), day_ago) as yesterday:
        event = dispatched(yesterday, "burning_or_fire")
    with opened(config(hub.config.database.url, tmp_path)) as now:

        def part(stop: threading.Event) -> None:
            run_timers(now, stop, compare=True, every_s=0.1)

        with running(part), running(part):
            eventually(lambda: as_it_is(now, event).level, 3)
    assert steps(hub, event).count("supervise") == 1
    assert steps(hub, event).count("remind") == 2
