"""Dispatch: what is proposed, what comes back, who helps, and tasks to go and look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from contract.geometry import Point
from contract.taxonomy import Category
from hub.domain.actor import Actor, Role
from hub.domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotAllowedError,
)
from hub.domain.responsibility import Assignment
from hub.services.context import Hub
from hub.services.dispatch.answer_task import answer_task
from hub.services.dispatch.dispatch_by_rule import dispatch_by_rule
from hub.services.dispatch.my_work import my_work
from hub.services.dispatch.propose import Proposal, propose
from hub.services.end_state import end_states
from hub.services.reach import event_in_reach
from hub.services.report_manually import ManualReport, report_manually
from hub.store import cohandlers, duty, notices, tasks, units
from hub.store.rows import GridEventRow
from hub.store.tasks import TaskRow
from tests.hub.builders import Clock, config, opened
from tests.hub.cases import act, as_it_is, photo, steps
from tests.hub.staff import BEGUN, DISTRICT, EAST, SECONDARY, WEST, day, found, hire, small_grid

PLACE = Point(113.605, 34.705)  # in WEST
RUBBISH = "exposed_rubbish"
CHEN = Actor("chen", Role.DISPATCHER)
NEAR = Actor("near", Role.ASSISTANT, (WEST,))
LEADER = Actor("leader", Role.LEADER, (SECONDARY,))
OTHER = Actor("other", Role.LEADER, (SECONDARY,))
STREET = Actor("ol", Role.DEPT, unit="street")
CITY = Actor("om", Role.DEPT, unit="city")


@pytest.fixture
def hub(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Hub]:
    """A small district: two assistants and a leader on duty, two units for rubbish."""
    with (
        opened(config(database_url, tmp_path), clock) as first,
        first.pool.connection() as conn,
    ):
        small_grid(conn)
        found(conn, "street", "city", "water")
        for code, cell in (("near", WEST), ("far", WEST), ("next", EAST)):
            hire(conn, code, Role.ASSISTANT, cell, shift=day(clock()))
        hire(conn, "leader", Role.LEADER, SECONDARY, shift=day(clock()))
        hire(conn, "other", Role.LEADER, SECONDARY)
        hire(conn, "chen", Role.DISPATCHER, None)
        hire(conn, "trainee", Role.ASSISTANT, WEST, in_training=True)
        hire(conn, "ol", Role.DEPT, None, unit="street")
        what = Category.ENVIRONMENTAL_SAFETY
        units.assign(
            conn,
            [
                Assignment(what, RUBBISH, WEST, "street", BEGUN, None),
                Assignment(what, None, DISTRICT, "city", BEGUN, None),
            ],
            BEGUN,
        )
        duty.report_position(conn, "near", Point(113.6051, 34.705), 5.0, clock())
        duty.report_position(conn, "far", Point(113.6090, 34.705), 5.0, clock())
    with opened(config(database_url, tmp_path), clock) as again:  # it reads the grid at its start
        yield again


def reported(hub: Hub, place: Point = PLACE) -> GridEventRow:
    with hub.pool.connection() as conn:
        report = ManualReport(
            Actor("zhang", Role.CITIZEN),
            "Rubbish at the gate",
            place,
            Category.ENVIRONMENTAL_SAFETY,
            subcategory=RUBBISH,
        )
        return report_manually(conn, hub, report)


def filed(hub: Hub) -> GridEventRow:
    return act(hub, reported(hub), "file", CHEN)


def proposed(hub: Hub, event: GridEventRow) -> Proposal:
    with hub.pool.connection() as conn:
        proposal = propose(conn, hub, event)
    assert proposal is not None
    return proposal


def accepted(hub: Hub) -> GridEventRow:
    event = act(hub, filed(hub), "dispatch", CHEN, responsible_unit="street", assignee="near")
    return act(hub, event, "accept", NEAR)


def told(hub: Hub, actor: Actor) -> list[str]:
    with hub.pool.connection() as conn:
        return [n.kind for n in notices.inbox(conn, actor, None, 50, unread=False)]


def tasks_of(hub: Hub, event: GridEventRow) -> list[TaskRow]:
    with hub.pool.connection() as conn:
        return tasks.of_event(conn, event.id)


def answer(
    hub: Hub, task: TaskRow, said: str, actor: Actor, note: str = "", *photos: str
) -> GridEventRow:
    with hub.pool.connection() as conn:
        return answer_task(conn, hub, task.id, said, note, photos, actor)  # type: ignore[arg-type]


def test_the_unit_of_the_matrix_and_the_nearest_on_duty_are_proposed_with_the_reason(
    hub: Hub,
) -> None:
    proposal = proposed(hub, filed(hub))
    assert proposal.unit is not None
    assert proposal.person is not None
    assert (proposal.unit.code, proposal.person.code) == ("street", "near")
    assert proposal.distance_m == pytest.approx(9.1, abs=0.5)
    assert "Street answers for this kind here" in proposal.reason.en
    assert "near Near is the nearest there, 9 m away." in proposal.reason.en
    assert "距离 9 米" in proposal.reason.zh


def test_who_gave_it_back_is_left_out_of_the_next_proposal_and_the_desk_is_told(hub: Hub) -> None:
    event = accepted(hub)
    event = act(hub, event, "return_unit", NEAR, reason="It is a building site")
    proposal = proposed(hub, event)
    assert proposal.unit is not None
    assert proposal.person is not None
    assert (proposal.unit.code, proposal.person.code) == ("city", "far")
    assert proposal.left_out == ("near", "street")
    assert "left out: near, street, who gave it back" in proposal.reason.en
    assert told(hub, CHEN)[0] == "returned"
    event = act(hub, event, "dispatch", CHEN, responsible_unit="city")
    event = act(hub, event, "return_unit", CITY, reason="Nor ours")
    assert proposed(hub, event).unit is None
    assert "names no other unit" in proposed(hub, event).reason.en


def test_a_return_that_was_undone_leaves_nobody_out(hub: Hub) -> None:
    event = act(hub, accepted(hub), "return_unit", NEAR, reason="Pressed by mistake")
    act(hub, event, "undo", NEAR)
    event = act(hub, event, "escalate", LEADER, reason="Too large for us")
    assert proposed(hub, event).left_out == ()


def test_escalation_goes_from_basic_to_secondary_to_district_and_says_who_is_told(
    hub: Hub,
) -> None:
    event = act(hub, filed(hub), "escalate", LEADER, reason="Too large for us")
    assert (event.state, event.level) == ("filed", 2)
    second = proposed(hub, event)
    assert second.unit is not None
    assert second.person is not None
    assert (second.unit.code, second.person.code) == ("city", "leader")  # no entry of a basic grid
    assert "secondary grid" in second.reason.en
    assert "escalated" in told(hub, OTHER)
    event = act(hub, event, "escalate", LEADER, reason="For the district")
    assert event.level == 3
    assert "escalated" in told(hub, Actor("sun", Role.SUPERVISOR))
    with pytest.raises(NotAllowedError, match="at the district's level already"):
        act(hub, event, "escalate", LEADER, reason="Higher")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"responsible_unit": "streets"}, "there is no unit 'streets'"),
        ({"responsible_unit": "street", "assignee": "nobody"}, "nobody with the staff number"),
        ({"responsible_unit": "street", "assignee": "trainee"}, "is in training"),
    ],
)
def test_a_case_goes_to_a_real_unit_and_a_real_person(
    hub: Hub, given: dict[str, str], message: str
) -> None:
    with pytest.raises(InvalidError, match=message):
        act(hub, filed(hub), "dispatch", CHEN, **given)


def test_a_category_configured_so_is_dispatched_by_rule_once_its_filing_stands(
    hub: Hub, clock: Clock
) -> None:
    what = msgspec.structs.replace(hub.categories.subcategories[RUBBISH], dispatch_by_rule=True)
    kinds = {**hub.categories.subcategories, RUBBISH: what}
    hub = replace(hub, categories=replace(hub.categories, subcategories=kinds))
    event = filed(hub)
    with hub.pool.connection() as conn:
        assert dispatch_by_rule(conn, hub) == 0  # it can be undone still
    clock.move(31)
    with hub.pool.connection() as conn:
        assert dispatch_by_rule(conn, hub) == 1
        assert dispatch_by_rule(conn, hub) == 0
    event = as_it_is(hub, event)
    assert (event.state, event.responsible_unit, event.assignee) == ("dispatched", "street", "near")
    assert told(hub, NEAR) == ["dispatched"]
    event = act(hub, event, "return_unit", NEAR, reason="Not here")
    clock.move(60)
    with hub.pool.connection() as conn:
        assert dispatch_by_rule(conn, hub) == 0  # what came back is for a person
    assert steps(hub, event)[-1] == "return_unit"


def test_each_unit_that_helps_has_its_own_part_and_reaches_the_case(hub: Hub) -> None:
    event = accepted(hub)
    with hub.pool.connection() as conn, pytest.raises(ForbiddenError):
        event_in_reach(conn, event.number, CITY)
    event = act(hub, event, "add_cohandler", CHEN, unit="city", note="Brings a lorry")
    event = act(hub, event, "add_cohandler", CHEN, unit="water", note="Shuts the pipe")
    with hub.pool.connection() as conn:
        event_in_reach(conn, event.number, CITY)
        assert [c.number for c in my_work(conn, CITY).to_help] == [event.number]
    assert told(hub, CITY) == ["cohandler"]
    with pytest.raises(NotAllowedError, match="own part"):
        act(hub, event, "finish_part", CITY, unit="water")
    act(hub, event, "finish_part", CITY, note="The lorry came")
    with hub.pool.connection() as conn:
        parts = {c.unit: (c.done_by, c.note) for c in cohandlers.of_event(conn, event.id)}
        assert parts == {"city": ("om", "The lorry came"), "water": (None, "")}
        assert my_work(conn, CITY).count == 0
    with pytest.raises(NotAllowedError, match="own part"):
        act(hub, event, "finish_part", CITY)


def test_whoever_is_sent_to_verify_answers_with_a_photo(hub: Hub, clock: Clock) -> None:
    event = act(hub, reported(hub), "send_verify", CHEN, assignee="near")
    (task,) = tasks_of(hub, event)
    assert (task.kind, task.person, task.due_at) == ("verify", "near", event.state_ends_at)
    assert told(hub, NEAR) == ["task"]
    with hub.pool.connection() as conn:
        assert [m.case.number for m in my_work(conn, NEAR).tasks] == [event.number]
    with pytest.raises(ForbiddenError, match="is near's"):
        answer(hub, task, "exists", Actor("far", Role.ASSISTANT, (WEST,)), "", photo(hub))
    with pytest.raises(NotAllowedError, match="at least one photo"):
        answer(hub, task, "exists", NEAR)
    with pytest.raises(InvalidError, match="answers no task to verify"):
        answer(hub, task, "passed", NEAR)
    clock.move(60)
    after = answer(hub, task, "exists", NEAR, "", photo(hub))
    (task,) = tasks_of(hub, event)
    assert after.state == "reported"
    assert (task.outcome, task.answered_by, task.ended_at) == ("exists", "near", clock())
    with pytest.raises(ConflictError, match="the task is over"):
        answer(hub, task, "exists", NEAR, "", photo(hub))


def test_a_task_that_nobody_answers_in_time_expires(hub: Hub, clock: Clock) -> None:
    event = act(hub, reported(hub), "send_verify", CHEN, assignee="near")
    clock.move(3601)
    with hub.pool.connection() as conn:
        assert end_states(conn, hub) == 1
    (task,) = tasks_of(hub, event)
    assert (task.outcome, task.answered_by) == ("expired", None)
    assert as_it_is(hub, event).state == "reported"


def test_taking_back_that_somebody_was_sent_ends_the_task(hub: Hub) -> None:
    event = act(hub, reported(hub), "send_verify", CHEN, assignee="near")
    act(hub, event, "undo", CHEN)
    assert [t.outcome for t in tasks_of(hub, event)] == ["overtaken"]


def test_the_checker_is_nobody_who_handled_it_and_says_it_is_not_done(
    hub: Hub, clock: Clock
) -> None:
    event = act(hub, filed(hub), "dispatch", CHEN, responsible_unit="street")
    event = act(hub, event, "accept", LEADER)
    event = act(hub, event, "feedback", LEADER, evidence=(photo(hub),))
    proposal = proposed(hub, event)
    assert proposal.person is not None
    assert proposal.person.code == "other"  # not on duty: the one who is handled it
    assert "left out: leader, who handled it" in proposal.reason.en
    with pytest.raises(NotAllowedError, match="a checker who did not handle it, as leader did"):
        act(hub, event, "start_check", CHEN, assignee="leader")
    clock.move(61)
    with hub.pool.connection() as conn:
        end_states(conn, hub)
    (task,) = tasks_of(hub, event)
    assert (task.kind, task.person) == ("check", "other")
    assert told(hub, OTHER) == ["to_check"]
    with pytest.raises(NotAllowedError, match="needs a reason"):
        answer(hub, task, "failed", OTHER)
    event = answer(hub, task, "failed", OTHER, "Half of it still lies there")
    assert (event.state, event.assignee, event.rework_count) == ("dispatched", "leader", 1)
    assert told(hub, LEADER)[0] == "rework"


def test_what_an_assistant_finds_done_a_leader_closes(hub: Hub) -> None:
    event = accepted(hub)
    event = act(hub, event, "feedback", NEAR, evidence=(photo(hub),))
    event = act(hub, event, "start_check", LEADER, assignee="far")
    (task,) = tasks_of(hub, event)
    far = Actor("far", Role.ASSISTANT, (WEST,))
    event = answer(hub, task, "passed", far, "All gone", photo(hub, b"gone"))
    (task,) = tasks_of(hub, event)
    assert (event.state, task.found, task.found_by) == ("checking", "passed", "far")
    assert told(hub, OTHER)[0] == "to_check"
    event = act(hub, event, "check_pass", OTHER, closing_condition_met=True)
    (task,) = tasks_of(hub, event)
    assert (event.state, task.outcome, task.answered_by) == ("closed", "passed", "other")


def test_work_shows_what_is_mine_my_units_and_in_my_cell(hub: Hub, clock: Clock) -> None:
    event = act(hub, filed(hub), "dispatch", CHEN, responsible_unit="street")

    def waits(actor: Actor) -> tuple[int, int]:
        with hub.pool.connection() as conn:
            work = my_work(conn, actor)
        return len(work.to_accept), len(work.to_handle)

    elsewhere = Actor("next", Role.ASSISTANT, (EAST,))
    assert [waits(a) for a in (NEAR, elsewhere, STREET, CITY)] == [(1, 0), (0, 0), (1, 0), (0, 0)]
    act(hub, event, "accept", NEAR)
    clock.move(timedelta(minutes=1).total_seconds())
    assert [waits(a) for a in (NEAR, elsewhere, STREET, CITY)] == [(0, 1), (0, 0), (0, 1), (0, 0)]


def test_who_a_case_was_given_to_reaches_it_outside_their_own_cell(hub: Hub) -> None:
    elsewhere = Actor("next", Role.ASSISTANT, (EAST,))
    event = act(hub, filed(hub), "dispatch", CHEN, responsible_unit="street", assignee="next")
    event = act(hub, event, "accept", elsewhere)
    assert event.state == "disposing"
    with hub.pool.connection() as conn:
        event_in_reach(conn, event.number, elsewhere)
