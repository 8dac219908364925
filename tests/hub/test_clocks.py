"""Clocks as the services keep them: due when a count of minutes says so, and told in words."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.domain.actor import Actor, Role
from hub.domain.deadline import Kind, Pause
from hub.domain.errors import ConflictError, NotAllowedError
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import Hub
from hub.services.end_state import end_states
from hub.services.judge_detection import Judgement, Verdict
from hub.services.record_detections import record_detections
from hub.services.report_manually import ManualReport, report_manually
from hub.store import events
from hub.store.detections import Change
from hub.store.rows import GridEventRow
from tests.hub.builders import SQUARE, START, Clock, detection
from tests.hub.cases import (
    CITIZEN,
    DEPT,
    DISPATCHER,
    LEADER,
    MASTER,
    SUPERVISOR,
    act,
    as_it_is,
    dispatched,
    force_close,
    judge,
    photo,
    reported,
    suspected,
)
from tests.hub.domain.clock_cases import minutes_from, oracle_deadline, shanghai, starts

CONFIRMED = Judgement(Verdict.CONFIRMED, evidence_viewed=True)
# sub-category -> minutes and kind of its first condition, of the dispatch, and of the check
LIMITS = {
    "burning_or_fire": ((60, Kind.URGENT_HOUR), (10, Kind.URGENT_HOUR), (60, Kind.URGENT_HOUR)),
    "exposed_rubbish": ((240, Kind.WORK_HOUR), (30, Kind.URGENT_HOUR), (120, Kind.WORK_HOUR)),
    "livelihood_request": ((1440, Kind.WORK_DAY), (480, Kind.WORK_DAY), (480, Kind.WORK_DAY)),
}


_places = itertools.count()


def due(start: datetime, limit: tuple[int, Kind], pauses: tuple[Pause, ...] = ()) -> datetime:
    return oracle_deadline(start, limit[0], limit[1], shanghai().rules, pauses)


def ended(hub: Hub) -> int:
    with hub.pool.connection() as conn:
        return end_states(conn, hub)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    start=starts(),
    subcategory=st.sampled_from(sorted(LIMITS)),
    waits=st.tuples(*[minutes_from(0, 300)] * 4),
    hang=st.none() | st.tuples(minutes_from(1, 3000), minutes_from(0, 4000)),
    extended=st.booleans(),
)
def test_through_every_stage_an_event_is_due_when_a_count_of_minutes_says_so(
    hub: Hub,
    clock: Clock,
    start: datetime,
    subcategory: str,
    waits: tuple[timedelta, ...],
    hang: tuple[timedelta, timedelta] | None,
    extended: bool,
) -> None:
    dispose, dispatch, check = LIMITS[subcategory]
    clock.at = start
    event = reported(hub, subcategory, 1_000.0 * next(_places))  # or it would repeat another

    clock.at += waits[0]
    event = act(hub, event, "file", DISPATCHER)
    assert event.due_at == due(clock.at, dispatch)
    clock.at += waits[1]
    event = act(hub, event, "dispatch", DISPATCHER, responsible_unit="unit-b")
    begun, pauses = clock.at, list[Pause]()
    assert event.due_at == due(begun, dispose)
    event = act(hub, event, "accept", DEPT)
    if extended:
        act(hub, event, "request_extension", DEPT, reason="rain")
        event = act(hub, event, "decide_extension", MASTER, granted=True)
        dispose = (2 * dispose[0], dispose[1])
        assert event.due_at == due(begun, dispose)
    clock.at += waits[2]
    if hang is not None:
        planned, comes_back = clock.at + hang[0], clock.at + hang[1]
        act(hub, event, "request_hang", DEPT, reason="parts", until=planned)
        event = act(hub, event, "suspend", MASTER, until=planned)
        pauses = [Pause(clock.at, planned)]
        assert event.due_at == due(begun, dispose, tuple(pauses))
        assert event.state_ends_at == planned
        clock.at = comes_back
        if comes_back > planned:
            assert ended(hub) == 1  # late by as much as it is late: no time is given away
            event = as_it_is(hub, event)
        else:
            event = act(hub, event, "resume", MASTER)
            pauses = [Pause(pauses[0].since, clock.at)]
        assert (event.state, event.state_ends_at) == ("disposing", None)
        assert event.due_at == due(begun, dispose, tuple(pauses))
    clock.at += waits[3]
    handled_at = clock.at
    event = act(hub, event, "feedback", DEPT, evidence=(photo(hub),))
    assert event.due_at == due(handled_at, check)
    clock.at += timedelta(minutes=7)
    event = act(hub, event, "start_check", LEADER)
    assert event.due_at == due(handled_at, check)
    event = act(hub, event, "check_fail", LEADER, reason="still there")
    taken_up = (*pauses, Pause(handled_at, clock.at))
    assert event.due_at == due(begun, dispose, taken_up)
    event = force_close(hub, event, "enough")
    assert (event.due_at, event.close_by, event.next_rung_at) == (None, None, None)


def test_a_machine_find_is_due_as_soon_as_it_must_be_decided(hub: Hub) -> None:
    event = suspected(hub)

    assert event.due_at == event.decide_by == START + timedelta(seconds=60)
    assert event.next_rung_at is None  # no ladder for what nobody has reported


def test_a_graver_report_gives_the_desk_the_graver_limit_from_then_on(
    hub: Hub, clock: Clock
) -> None:
    event = reported(hub)  # S3: 15 minutes
    clock.move(600)
    with hub.pool.connection() as conn:
        event = report_manually(
            conn,
            hub,
            ManualReport(
                CITIZEN,
                "It burns!",
                SQUARE,
                hub.categories.subcategories["exposed_rubbish"].category,
                severity=hub.categories.subcategories["burning_or_fire"].severity,
            ),
        )

    assert (event.severity, event.due_at) == ("S1", clock.at + timedelta(seconds=60))
    assert event.due_at == event.decide_by


def test_a_change_of_severity_changes_the_limit_and_keeps_start_and_pauses(
    hub: Hub, clock: Clock
) -> None:
    event = dispatched(hub)
    act(hub, event, "request_hang", DEPT, reason="flood", until=clock.at + timedelta(days=9))
    act(hub, event, "suspend", MASTER, until=clock.at + timedelta(days=9))
    clock.move(3600)
    act(hub, event, "resume", MASTER)
    with hub.pool.connection() as conn:
        report_manually(
            conn,
            hub,
            ManualReport(
                CITIZEN,
                "It is worse",
                SQUARE,
                hub.categories.subcategories["exposed_rubbish"].category,
                severity=hub.categories.subcategories["smoke"].severity,
            ),
        )
    graver = as_it_is(hub, event)

    # the disposal's limit hangs on the condition, that of the whole case on the severity too
    assert (graver.severity, graver.due_at) == (
        "S2",
        due(START, (240, Kind.WORK_HOUR), (Pause(START, clock.at),)),
    )
    assert graver.close_by == due(START, (360, Kind.WORK_HOUR), (Pause(START, clock.at),))


def test_an_undo_restores_the_clocks_as_if_nothing_had_been(hub: Hub, clock: Clock) -> None:
    before = act(hub, reported(hub), "file", DISPATCHER)
    clock.move(20)
    act(hub, before, "dispatch", DISPATCHER, responsible_unit="unit-b")
    clock.move(20)
    after = act(hub, before, "undo", DISPATCHER)

    assert (after.due_at, after.close_by, after.next_rung_at) == (
        before.due_at,
        before.close_by,
        before.next_rung_at,
    )


def test_an_extension_is_asked_for_in_time_decided_by_another_and_granted_twice_at_most(
    hub: Hub, clock: Clock
) -> None:
    event = dispatched(hub, "burning_or_fire")
    with pytest.raises(NotAllowedError, match="a request for an extension that waits"):
        act(hub, event, "decide_extension", MASTER, granted=True)
    act(hub, event, "request_extension", DEPT, reason="no water")
    itself = Actor(DEPT.name, Role.MASTER)
    with pytest.raises(NotAllowedError, match="somebody to decide who did not ask"):
        act(hub, event, "decide_extension", itself, granted=True)
    clock.move(7200)  # overdue meanwhile: it was asked for in time
    event = act(hub, event, "decide_extension", MASTER, granted=True)
    assert event.due_at == START + timedelta(hours=2)
    clock.move(1)
    with pytest.raises(NotAllowedError, match="before it is overdue"):
        act(hub, event, "request_extension", DEPT, reason="still no water")


def test_an_appeal_is_decided_once_by_two_who_did_not_appeal(hub: Hub) -> None:
    event = dispatched(hub)
    event = force_close(hub, event, "done")
    with pytest.raises(NotAllowedError, match="an appeal that waits"):
        act(hub, event, "decide_appeal", SUPERVISOR, granted=True)
    act(hub, event, "appeal", LEADER, reason="the road was closed")
    with pytest.raises(NotAllowedError, match="who did not appeal"):
        act(hub, event, "review_appeal", Actor(LEADER.name, Role.MASTER), granted=True)
    with pytest.raises(NotAllowedError, match="a first review"):
        act(hub, event, "decide_appeal", SUPERVISOR, granted=True)
    act(hub, event, "review_appeal", SUPERVISOR, granted=True)
    with pytest.raises(NotAllowedError, match="by another person"):
        act(hub, event, "decide_appeal", SUPERVISOR, granted=True)
    act(hub, event, "review_appeal", MASTER, granted=False)
    with pytest.raises(NotAllowedError, match="as the first review said"):
        act(hub, event, "decide_appeal", SUPERVISOR, granted=True)
    act(hub, event, "review_appeal", MASTER, granted=True)
    event = act(hub, event, "decide_appeal", SUPERVISOR, granted=True)
    assert event.exempt
    with pytest.raises(NotAllowedError, match="an appeal that waits"):
        act(hub, event, "decide_appeal", SUPERVISOR, granted=True)


def test_closing_by_force_is_signed_by_two_and_not_after_another_change(hub: Hub) -> None:
    event = dispatched(hub)
    with pytest.raises(NotAllowedError, match="to be proposed first"):
        act(hub, event, "force_close", SUPERVISOR, reason="done")
    act(hub, event, "propose_close", SUPERVISOR, reason="done")
    with pytest.raises(NotAllowedError, match="by another person"):
        act(hub, event, "force_close", SUPERVISOR, reason="done")
    act(hub, event, "propose_close", MASTER, reason="done")
    act(hub, event, "accept", DEPT)
    with pytest.raises(NotAllowedError, match="since its last change"):
        act(hub, event, "force_close", SUPERVISOR, reason="done")
    event = force_close(hub, event)
    with hub.pool.connection() as conn:
        last = events.history(conn, event.id)[-1]
    assert (last.actor, last.facts["given"]["second_actor"]) == (SUPERVISOR.name, MASTER.name)


def test_a_clock_that_no_calendar_covers_keeps_no_fire_out(hub: Hub, clock: Clock) -> None:
    clock.at = datetime.fromisoformat("2055-06-01T08:00:00+00:00")
    with hub.pool.connection() as conn:
        record = detection(at=hub.now(), kind="dumping", label="dumping")
        record_detections(conn, hub, [Change("demo", "edge-1", "b1", 1, record, hub.now())])
    assert dispatched(hub, "damaged_facility", 5000).due_at is None


def test_a_clock_that_was_set_back_stops_no_work(hub: Hub, clock: Clock) -> None:
    event = dispatched(hub)
    act(hub, event, "accept", DEPT)
    act(hub, event, "feedback", DEPT, evidence=(photo(hub),))
    act(hub, event, "start_check", LEADER)
    clock.move(-86_400)

    event = act(hub, event, "check_fail", LEADER, reason="still there")

    assert event.state == "dispatched"
    assert event.due_at is not None


def test_a_rung_that_a_timer_climbed_is_no_conflict_for_who_decides(hub: Hub, clock: Clock) -> None:
    from hub.services.climb_ladder import climb_ladders

    seen = dispatched(hub)
    clock.move(2 * 86_400)
    with hub.pool.connection() as conn:
        assert climb_ladders(conn, hub) > 0

    def accept(version: int) -> GridEventRow:
        with hub.pool.connection() as conn:
            return act_on_event(conn, hub, seen.number, Act("accept"), DEPT, version)

    assert accept(seen.version).state == "disposing"
    with pytest.raises(ConflictError, match="unit-b did accept") as refused:
        accept(seen.version)
    assert refused.value.action == "accept"


def test_a_verification_nobody_answers_goes_back_to_where_it_was(hub: Hub, clock: Clock) -> None:
    event = act(hub, suspected(hub), "send_verify", DISPATCHER, assignee="zhou")
    asked = act(hub, reported(hub, metres=3000), "send_verify", DISPATCHER, assignee="zhou")
    assert event.state_ends_at == clock.at + timedelta(hours=1)

    clock.move(3600)
    assert ended(hub) == 0
    clock.move(1)
    assert ended(hub) == 2
    assert ended(hub) == 0

    assert as_it_is(hub, event).state == "suspected"
    assert (as_it_is(hub, asked).state, as_it_is(hub, asked).assignee) == ("reported", None)


def test_the_check_begins_by_itself_once_the_disposal_cannot_be_undone(
    hub: Hub, clock: Clock
) -> None:
    event = act(hub, dispatched(hub), "accept", DEPT)
    event = act(hub, event, "feedback", DEPT, evidence=(photo(hub),))
    clock.move(30)
    assert ended(hub) == 0
    clock.move(31)
    assert ended(hub) == 1

    event = as_it_is(hub, event)
    assert (event.state, event.assignee) == ("checking", None)
    event = act(hub, event, "check_pass", LEADER, closing_condition_met=True)
    assert event.state == "closed"


def test_an_event_that_stands_in_its_own_way_stops_no_other(hub: Hub, clock: Clock) -> None:
    first = act(hub, suspected(hub), "send_verify", DISPATCHER, assignee="zhou")
    other = act(hub, reported(hub, metres=3000), "send_verify", DISPATCHER, assignee="zhou")
    clock.move(10)
    with hub.pool.connection() as conn:  # a column that is older than the state it tells of
        events.note(conn, first.id, {"state_ends_at": clock.at - timedelta(seconds=5)})
    clock.move(3600)

    assert ended(hub) == 2
    assert as_it_is(hub, other).state == "reported"


def test_judging_in_time_or_not_starts_the_next_clock(hub: Hub, clock: Clock) -> None:
    event = suspected(hub)
    clock.move(600)
    event = judge(hub, event, CONFIRMED)
    assert (event.due_at, event.decide_by) == (clock.at + timedelta(minutes=10), None)
    event = act(hub, event, "return_to_filing", DISPATCHER, reason="wrong place")
    assert event.due_at == event.decide_by == clock.at + timedelta(seconds=60)
