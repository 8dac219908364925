"""Assessment from the database: what is kept equals what the histories say, at any moment."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hub.domain.actor import Actor, Role
from hub.domain.case_facts import CaseFacts, Task
from hub.domain.period import PeriodKind, period_around
from hub.domain.scores import Dimension
from hub.services.assess_period import Assessment, Question, assess_period
from hub.services.context import Hub
from hub.services.count_cases import FinishedCases, cases_of, computed, count_finished
from hub.services.judge_detection import Judgement, Verdict
from hub.services.record_detections import record_detections
from hub.store import case_facts
from hub.store.detections import Change
from hub.store.rows import GridEventRow
from tests.hub.builders import Clock, detection
from tests.hub.cases import (
    CITIZEN,
    DEPT,
    DISPATCHER,
    LEADER,
    MASTER,
    OTHER_LEADER,
    SUPERVISOR,
    act,
    dispatched,
    judge,
    photo,
    reported,
    suspected,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOVEMBER = period_around(PeriodKind.MONTH, date(2026, 11, 1), SHANGHAI)


def closed(hub: Hub, clock: Clock, metres: float = 0.0) -> GridEventRow:
    """Reported, dealt with in an hour and closed."""
    event = dispatched(hub, metres=metres)
    act(hub, event, "accept", DEPT)
    clock.move(3600)
    act(hub, event, "feedback", DEPT, evidence=(photo(hub),))
    act(hub, event, "start_check", LEADER)
    return act(hub, event, "check_pass", LEADER, closing_condition_met=True)


def lived(hub: Hub, clock: Clock) -> list[datetime]:
    """A few days of a district, with all that makes facts change; moments in between."""
    moments = []
    first = closed(hub, clock)
    moments.append(clock.move(60))
    act(hub, first, "rate", CITIZEN, satisfaction=2)
    second = closed(hub, clock, 500)
    act(hub, second, "appeal", DEPT, reason="the road was closed")
    moments.append(clock.move(60))
    act(hub, second, "review_appeal", MASTER, granted=True)
    act(hub, second, "decide_appeal", SUPERVISOR, granted=True)
    third = closed(hub, clock, 1000)
    moments.append(clock.move(3600))
    act(hub, third, "reopen", MASTER, reason="it is back")
    seen = suspected(hub, 1500)
    moments.append(clock.move(60))
    judge(hub, seen, Judgement(Verdict("false_alarm"), reason="a lamp", evidence_viewed=True))
    other = suspected(hub, 2000)
    judge(hub, other, Judgement(Verdict("confirmed"), evidence_viewed=True))
    act(hub, other, "dispatch", DISPATCHER, responsible_unit="fire")
    act(hub, other, "return_unit", DEPT, reason="not ours")
    moments.append(clock.move(60))
    hung = dispatched(hub, metres=2500)
    until = clock.at + timedelta(days=9)
    act(hub, hung, "request_hang", DEPT, reason="parts", until=until)
    act(hub, hung, "suspend", DISPATCHER, reason="parts", until=until)
    refused = reported(hub, metres=3000)
    act(hub, refused, "refuse", LEADER, reason="private ground")
    moments.append(clock.move(3600))
    return moments


def everything(hub: Hub, as_of: datetime) -> dict[str, CaseFacts]:
    """The facts of all cases, out of their histories."""
    with hub.pool.connection() as conn:
        ids = [int(str(id)) for (id,) in conn.execute("SELECT id FROM grid_event")]
        return {f.number: f for f in computed(conn, hub, ids, as_of)}


def by_the_store(hub: Hub, as_of: datetime) -> dict[str, CaseFacts]:
    with hub.pool.connection() as conn:
        found = list(cases_of(conn, hub, NOVEMBER.period, as_of))
    assert len({f.number for f in found}) == len(found)
    return {f.number: f for f in found}


def finish(hub: Hub) -> int:
    """Keep the facts of what is over; how many were taken up."""
    with hub.pool.connection() as conn:
        return count_finished(conn, hub)


def assessed(hub: Hub, by: Dimension = Dimension.DISTRICT) -> Assessment:
    with hub.pool.connection() as conn:
        return assess_period(conn, hub, Question(NOVEMBER, hub.now(), (by,)))


def test_kept_facts_equal_those_of_the_history_at_every_moment(hub: Hub, clock: Clock) -> None:
    moments = lived(hub, clock)
    assert finish(hub) == 5  # two closed, one refused, one rejected, and the one that came back
    assert finish(hub) == 0
    for as_of in moments:
        assert by_the_store(hub, as_of) == everything(hub, as_of)
    with hub.pool.connection() as conn:
        period, now = NOVEMBER.period, clock.at
        rules = conn.execute("SELECT DISTINCT rules FROM case_fact").fetchall()[0][0]
        kept = case_facts.kept(conn, period.since, period.until, now, str(rules))
        assert len(list(kept)) == 4


def test_a_case_that_goes_on_is_counted_anew(hub: Hub, clock: Clock) -> None:
    event = closed(hub, clock)
    finish(hub)
    assert by_the_store(hub, clock.at)[event.number].satisfied is None
    act(hub, event, "rate", CITIZEN, satisfaction=5)
    assert by_the_store(hub, clock.at)[event.number].satisfied is True  # before a timer comes to it
    assert finish(hub) == 1
    assert by_the_store(hub, clock.at)[event.number].satisfied is True
    act(hub, event, "reopen", MASTER, reason="again")
    assert by_the_store(hub, clock.at)[event.number].state == "filed"


def test_other_rules_compute_everything_anew(hub: Hub, clock: Clock) -> None:
    event = closed(hub, clock)
    finish(hub)
    with hub.pool.connection() as conn:
        conn.execute("UPDATE case_fact SET rules = 'older', facts = ''")
    assert by_the_store(hub, clock.at) == everything(hub, clock.at)
    watch = FinishedCases()
    with hub.pool.connection() as conn:
        assert watch(conn, hub) == 1
        assert conn.execute("SELECT rules <> 'older' FROM case_fact").fetchone() == (True,)
    assert by_the_store(hub, clock.at)[event.number].state == "closed"


def test_the_daily_test_of_a_camera_is_nobodys_case(hub: Hub, clock: Clock) -> None:
    record = detection(at=hub.now(), test=True)
    with hub.pool.connection() as conn:
        record_detections(conn, hub, [Change("demo", "edge-1", "b1", 1, record, hub.now())])
        tests = conn.execute("SELECT count(*) FROM grid_event WHERE test").fetchone()
    assert tests == (1,)
    clock.move(60)
    assert finish(hub) == 0
    assert everything(hub, clock.at) == by_the_store(hub, clock.at) == {}


def test_facts_say_who_found_judged_and_handled_a_case_and_when_it_was_seen(
    hub: Hub, clock: Clock
) -> None:
    seen_at = clock.at
    event = suspected(hub)
    clock.move(30)
    judge(
        hub,
        event,
        Judgement(Verdict("real_but_not_actionable"), reason="candles", evidence_viewed=True),
    )
    facts = everything(hub, clock.at)[event.number]
    assert facts.verdict == "real_but_not_actionable"
    assert facts.machine_at == seen_at
    assert facts.judged_at == clock.at
    assert facts.stream == "edge-1/cam-01"
    assert facts.hands[Task.FIND].role is Role.DEVICE


def test_a_report_keeps_when_its_matter_was_seen(hub: Hub, clock: Clock) -> None:
    event = suspected(hub)
    clock.move(40)
    again = reported(hub, event.subcategory)
    assert again.number == event.number
    facts = everything(hub, clock.at)[event.number]
    assert facts.person_at is not None
    assert facts.machine_at is not None
    assert facts.person_at - facts.machine_at == timedelta(seconds=40)


def test_deadlines_of_the_assessment_are_those_of_the_event(hub: Hub, clock: Clock) -> None:
    event = dispatched(hub)
    facts = everything(hub, clock.at)[event.number]
    due = {f.due_at for f in facts.stages.values()}
    assert {event.due_at, event.close_by} <= due


def test_the_assessment_names_the_events_behind_each_figure(hub: Hub, clock: Clock) -> None:
    lived(hub, clock)
    finish(hub)
    clock.move(86400 * 4)
    found = assessed(hub)
    assert found.figures["filing_rate"].percent == "83.33 %"  # 5 of 6: one was refused
    assert found.figures["precision"].percent == "50.00 %"
    assert len(found.exempt) == len(found.hung) == 1
    for figure in found.figures.values():
        assert set(figure.counted) <= set(figure.among)
        assert not set(figure.left_out) & set(figure.among)
    assert found.streams["edge-1/cam-01"].percent == "50.00 %"
    (district,) = found.scores[Dimension.DISTRICT]
    assert district.version == found.version == "2026-1"
    assert district.points is not None


def test_people_and_units_are_compared_and_devices_are_not(hub: Hub, clock: Clock) -> None:
    lived(hub, clock)
    people = {s.subject for s in assessed(hub, Dimension.PERSON).scores[Dimension.PERSON]}
    assert people == {"wang", "li", "unit-b"}
    units = {s.subject for s in assessed(hub, Dimension.DEPARTMENT).scores[Dimension.DEPARTMENT]}
    assert units == {"unit-b", "fire"}
    assert OTHER_LEADER.name not in people
    assert Actor("edge-1", Role.DEVICE).name not in people


def test_a_period_before_any_set_of_indicators_has_figures_and_no_scores(
    hub: Hub, clock: Clock
) -> None:
    old = period_around(PeriodKind.YEAR, date(2020, 1, 1), SHANGHAI)
    with hub.pool.connection() as conn:
        found = assess_period(conn, hub, Question(old, clock.at))
    assert found.cases == 0
    assert found.scores == {}
    assert "2020-01-01" in found.without_scores
    assert found.figures["closing_rate"].percent == "-"
