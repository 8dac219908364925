"""One matter is one event: from many senses at once, again after closing, by hand and back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from contract.geometry import EARTH_RADIUS_M, Point
from contract.messages import Detection
from contract.taxonomy import Category
from hub.domain.actor import Actor, Role
from hub.domain.control_window import WindowKind
from hub.domain.errors import InvalidError, NotAllowedError
from hub.services.act import Act
from hub.services.act_on_event import act_on_event, undo
from hub.services.context import Hub
from hub.services.event_history import verify_history
from hub.services.filing.control_windows import WantedWindow, make_window
from hub.services.judge_detection import Judgement, Verdict, judge_detection
from hub.services.record_detections import record_detections
from hub.services.report_manually import ManualReport, report_manually
from hub.store import events, reports, views
from hub.store.detections import Change
from hub.store.rows import GridEventRow, HistoryRow
from tests.hub.builders import (
    Clock,
    config,
    detection,
    episode_id,
    north,
    opened,
    rows,
    together,
)
from tests.hub.staff import DISTRICT, small_grid

YARD = Point(113.605, 34.705)  # in the western cell
NEXT_CELL = Point(113.6105, 34.705)  # 500 m east, in the eastern one
DISPATCHER = Actor("wang", Role.DISPATCHER)
SUPERVISOR = Actor("zhao", Role.SUPERVISOR)
DEGREE_M = math.radians(1) * EARTH_RADIUS_M


@pytest.fixture
def hub(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Hub]:
    """A hub with a grid of two cells side by side."""
    with psycopg.connect(database_url) as conn:
        small_grid(conn)
    with opened(config(database_url, tmp_path), clock) as hub:
        yield hub


def record(hub: Hub, *found: Detection, agent: str = "edge-1") -> None:
    with hub.pool.connection() as conn:
        changes = [Change("demo", agent, "b1", n, r, hub.now()) for n, r in enumerate(found, 1)]
        assert record_detections(conn, hub, changes) == []


def smoke(hub: Hub, position: Point = YARD, stream: str = "cam-01", **more: Any) -> Detection:
    return detection(
        at=hub.now(), kind="smoke", label="smoke", position=position, stream=stream, **more
    )


def dust(hub: Hub, position: Point = YARD, label: str = "pm2_5.high") -> Detection:
    return detection(
        at=hub.now(), kind="reading_limit", label=label, position=position, stream="pm-1"
    )


def report(hub: Hub, who: str = "zhang", position: Point = YARD) -> GridEventRow:
    citizen = Actor(who, Role.CITIZEN)
    said = ManualReport(citizen, "It burns", position, Category.FIRE_SAFETY, subcategory="smoke")
    with hub.pool.connection() as conn:
        return report_manually(conn, hub, said)


def act(hub: Hub, number: str, name: str, actor: Actor = DISPATCHER, **more: Any) -> GridEventRow:
    with hub.pool.connection() as conn:
        return act_on_event(conn, hub, number, Act(name, **more), actor, None)


def judge(hub: Hub, number: str, verdict: Verdict, **more: Any) -> GridEventRow:
    with hub.pool.connection() as conn:
        said = Judgement(verdict, **more)
        return judge_detection(conn, hub, number, said, DISPATCHER, None)


def all_events(hub: Hub) -> list[GridEventRow]:
    with hub.pool.connection() as conn:
        numbers = conn.execute("SELECT number FROM grid_event ORDER BY id").fetchall()
        return [e for (n,) in numbers if (e := events.by_number(conn, str(n))) is not None]


def history(hub: Hub, event: GridEventRow) -> list[HistoryRow]:
    with hub.pool.connection() as conn:
        assert verify_history(conn, event.number) is None
        return events.history(conn, event.id)


def closed(hub: Hub, number: str) -> GridEventRow:
    """The event, filed and closed by force."""
    act(hub, number, "confirm", evidence_viewed=True)
    act(hub, number, "propose_close", reason="done")
    return act(hub, number, "force_close", SUPERVISOR, reason="done")


# one matter, many senses ------------------------------------------------------------------------


def test_fifty_at_once_ten_metres_apart_across_a_tile_edge_are_one_event(
    database_url: str, tmp_path: Path, clock: Clock
) -> None:
    with opened(config(database_url, tmp_path), clock) as hub:
        tile_m = hub.categories.groups["fire"].radius_m
        edge = Point(YARD.lon, math.ceil(YARD.lat * DEGREE_M / tile_m) * tile_m / DEGREE_M)

        def tell(i: int) -> None:
            there = north(edge, 5 if i % 2 else -5)
            if i % 5 == 0:
                report(hub, f"citizen-{i}", there)
            elif i % 5 == 1:
                sensor = detection(
                    at=clock(), kind="reading_limit", label="smoke.high", position=there
                )
                record(hub, sensor, agent=f"edge-{i}")
            else:
                record(hub, smoke(hub, there, f"cam-{i}"), agent=f"edge-{i}")

        done = together([partial(tell, i) for i in range(50)])

        assert done == [None] * 50
        (event,) = all_events(hub)
        assert rows(database_url, "SELECT count(DISTINCT event) FROM detection") == [(1,)]
        assert rows(database_url, "SELECT count(*) FROM report") == [(10,)]
        assert [h.n for h in history(hub, event)] == list(range(1, event.version + 1))


@pytest.mark.parametrize("first", ["camera", "sensor"])
def test_smoke_and_bad_air_at_one_place_are_one_graver_event_whichever_came_first(
    hub: Hub, clock: Clock, first: str
) -> None:
    found = [smoke(hub), dust(hub, north(YARD, 40))]
    for one in found if first == "camera" else found[::-1]:
        record(hub, one)
        clock.move(60)

    events_now = [e for e in all_events(hub) if e.state != "merged"]
    assert [(e.subcategory, e.severity) for e in events_now] == [("smoke", "S1")]
    with hub.pool.connection() as conn:
        assert len(views.detections_of(conn, events_now[0].id)) == 2
    (step,) = [h for h in history(hub, events_now[0]) if h.name == "corroborate"]
    assert step.facts["changed"]["severity"] == ["S2", "S1"]
    assert step.reason == "Smoke or fire seen, and the air measured: pm2_5.high by edge-1/pm-1"


def test_bad_air_in_the_adjacent_cell_confirms_and_stays_an_event_of_its_own(
    hub: Hub, clock: Clock
) -> None:
    record(hub, smoke(hub))
    record(hub, dust(hub, NEXT_CELL))

    seen, measured = all_events(hub)
    assert (seen.severity, measured.severity, measured.subcategory) == ("S1", "S3", "site_dust")
    step = history(hub, seen)[-1]
    assert step.facts["given"]["event"] == measured.number


def test_it_is_raised_once_and_not_by_what_was_measured_long_before(hub: Hub, clock: Clock) -> None:
    record(hub, dust(hub, NEXT_CELL))
    clock.move(901)
    record(hub, smoke(hub))
    assert all_events(hub)[1].severity == "S2"

    for label in ("pm2_5.high", "pm10.high", "temperature.high"):
        record(hub, dust(hub, NEXT_CELL, label))

    seen = all_events(hub)[1]
    assert seen.severity == "S1"
    assert [h.name for h in history(hub, seen)].count("corroborate") == 1


def test_a_camera_and_a_sensor_that_speak_at_the_same_moment_see_each_other(hub: Hub) -> None:
    for i in range(6):
        at = north(YARD, 0)
        both = [smoke(hub, at, f"cam-{i}"), dust(hub, Point(NEXT_CELL.lon, at.lat))]
        together([partial(record, hub, d, agent=f"edge-{d.kind}") for d in both])
        seen = [e for e in all_events(hub) if e.subcategory == "smoke"][-1]
        assert seen.severity == "S1", i
        with hub.pool.connection() as conn:
            conn.execute("TRUNCATE detection, detection_change CASCADE")
            conn.execute("UPDATE grid_event SET last_seen_at = last_seen_at - interval '1 day'")


# again after closing ----------------------------------------------------------------------------


def test_what_comes_back_soon_reopens_the_case_and_waits_for_a_person(
    hub: Hub, clock: Clock
) -> None:
    record(hub, smoke(hub))
    first = closed(hub, all_events(hub)[0].number)
    clock.move(3600)

    record(hub, smoke(hub, north(YARD, 30), "cam-02"))

    (again,) = all_events(hub)
    assert (again.number, again.state, again.confirmation) == (first.number, "filed", "pending")
    assert (again.reopened_count, again.occurrence, again.ended_at) == (1, 2, None)
    step = history(hub, again)[-1]
    assert (step.name, step.role) == ("recur", "rule")
    assert step.reason == "found again at the same place 1.0 h after it was closed"


def test_what_comes_back_later_is_a_new_event_linked_and_the_third_is_a_hotspot(
    hub: Hub, clock: Clock
) -> None:
    for _ in range(3):
        record(hub, smoke(hub, episode=episode_id()))
        closed(hub, all_events(hub)[-1].number)
        clock.move(7 * 3600)

    first, second, third = all_events(hub)
    assert [e.occurrence for e in (first, second, third)] == [1, 2, 3]
    assert [second.recurrence_of, third.recurrence_of] == [first.id, second.id]
    clock.move(31 * 86_400)
    record(hub, smoke(hub))
    assert all_events(hub)[-1].occurrence == 1  # too long ago


def test_what_was_seen_before_the_closing_and_told_of_after_it_is_nothing_new(
    hub: Hub, clock: Clock
) -> None:
    record(hub, smoke(hub))
    before = smoke(hub, stream="cam-02")
    clock.move(60)
    done = closed(hub, all_events(hub)[0].number)
    clock.move(60)

    record(hub, before)

    assert all_events(hub) == [done]


def test_a_control_window_keeps_a_machine_from_reopening_and_a_person_reopens_all_the_same(
    hub: Hub, clock: Clock
) -> None:
    record(hub, smoke(hub))
    first = closed(hub, all_events(hub)[0].number)
    with hub.pool.connection() as conn:
        until = clock() + timedelta(hours=2)
        wanted = WantedWindow(WindowKind.WORKS, until, "welding", cells=(DISTRICT,))
        make_window(conn, hub, wanted, DISPATCHER)
    clock.move(60)

    record(hub, smoke(hub, stream="cam-02"))

    old, new = all_events(hub)
    assert (old.state, new.state, new.recurrence_of) == ("closed", "suspected", first.id)


# by hand ------------------------------------------------------------------------------------------


def test_a_merged_event_gives_what_it_has_to_its_parent_and_takes_it_back(
    hub: Hub, clock: Clock
) -> None:
    record(hub, smoke(hub))
    other = report(hub, "li", north(YARD, 300))
    parent = all_events(hub)[0]
    act(hub, other.number, "send_verify", assignee="chen")

    merged = act(hub, other.number, "attach", parent=parent.number)

    assert (merged.state, merged.parent) == ("merged", parent.id)
    now = all_events(hub)[0]
    assert (now.ever_reported, history(hub, now)[-1].name) == (True, "take_in")
    with hub.pool.connection() as conn:
        assert reports.reporters(conn, parent.id) == ["li"]
        assert [r.reporter for r in views.reports(conn, parent.id)] == ["li"]
        assert views.root_of(conn, other.id).number == parent.number

    act(hub, other.number, "unmerge", reason="two fires")

    parent, split = all_events(hub)
    assert (split.state, split.parent) == ("verifying", None)
    assert (parent.ever_reported, history(hub, parent)[-1].name) == (False, "let_go")
    with hub.pool.connection() as conn:
        assert reports.reporters(conn, parent.id) == []


def test_whoever_merged_may_undo_it_in_another_of_their_roles(hub: Hub) -> None:
    record(hub, smoke(hub))
    record(hub, smoke(hub, north(YARD, 300)))
    parent, child = all_events(hub)
    judge(hub, child.number, Verdict.DUPLICATE, parent=parent.number)

    with hub.pool.connection() as conn:
        undo(conn, hub, child.number, Actor(DISPATCHER.name, Role.SUPERVISOR))

    assert [e.state for e in all_events(hub)] == ["suspected", "suspected"]


def test_a_merge_is_undone_within_half_a_minute_on_both_sides(hub: Hub, clock: Clock) -> None:
    record(hub, smoke(hub))
    record(hub, smoke(hub, north(YARD, 300)))
    parent, child = all_events(hub)
    judge(hub, child.number, Verdict.DUPLICATE, parent=parent.number)
    clock.move(20)

    with hub.pool.connection() as conn:
        undo(conn, hub, child.number, DISPATCHER)

    assert [e.state for e in all_events(hub)] == ["suspected", "suspected"]
    assert history(hub, parent)[-1].name == "let_go"


def test_a_graver_child_makes_its_parent_graver_until_they_are_split(
    hub: Hub, clock: Clock
) -> None:
    record(hub, smoke(hub))
    record(hub, detection(at=hub.now(), position=north(YARD, 300), stream="cam-02"))
    parent, flame = all_events(hub)
    act(hub, flame.number, "attach", parent=parent.number)
    assert all_events(hub)[0].severity == "S1"
    act(hub, flame.number, "unmerge", reason="another fire")
    assert all_events(hub)[0].severity == "S2"


def test_what_cannot_be_the_parent_is_refused_with_the_way_out(hub: Hub, clock: Clock) -> None:
    for i in range(3):
        record(hub, smoke(hub, north(YARD, 300 * i)))
    a, b, c = all_events(hub)
    act(hub, b.number, "attach", parent=a.number)
    with pytest.raises(InvalidError, match=rf"merged into {a.number}: name that one"):
        act(hub, c.number, "attach", parent=b.number)
    with pytest.raises(InvalidError, match="cannot join itself"):
        act(hub, a.number, "attach", parent=a.number)
    with pytest.raises(InvalidError, match="name that one"):  # no circle
        act(hub, a.number, "attach", parent=b.number)
    act(hub, c.number, "reject", reason="steam")
    with pytest.raises(NotAllowedError, match="the number of a live event"):
        act(hub, a.number, "attach", parent=c.number)


def test_a_scene_is_clear_once_what_was_merged_into_it_is_clear_too(hub: Hub, clock: Clock) -> None:
    first, second = episode_id(), episode_id()
    record(hub, smoke(hub, episode=first))
    record(hub, smoke(hub, north(YARD, 300), episode=second))
    parent, child = all_events(hub)
    act(hub, child.number, "attach", parent=parent.number)

    record(hub, smoke(hub, episode=first, revision=2, phase="cleared"))
    assert all_events(hub)[0].scene_cleared_at is None
    record(hub, smoke(hub, north(YARD, 300), episode=second, revision=2, phase="cleared"))
    assert all_events(hub)[0].scene_cleared_at == clock()


def test_two_operators_who_merge_in_opposite_ways_leave_one_event(hub: Hub, clock: Clock) -> None:
    for i in range(5):
        record(hub, smoke(hub, north(YARD, 1000 * i)), smoke(hub, north(YARD, 1000 * i + 300)))
        a, b = all_events(hub)[-2:]

        def join(child: GridEventRow, parent: GridEventRow) -> object:
            return act(hub, child.number, "attach", parent=parent.number)

        done = together([partial(join, a, b), partial(join, b, a)])
        assert sum(isinstance(d, GridEventRow) for d in done) == 1, done
        assert [e.state for e in all_events(hub)[-2:]].count("merged") == 1
