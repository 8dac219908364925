"""The facts of a case, derived from its history alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.domain.actor import Role
from hub.domain.case_facts import NOT_COUNTED, Dispatch, Hand, Task
from hub.domain.stages import Stage
from tests.hub.domain.clock_cases import at
from tests.hub.domain.stories import Story, lifecycle

MORNING = at("2025-09-05", "08:00")  # a Friday


def test_what_is_no_case_is_what_the_lifecycle_does_not_count() -> None:
    states = lifecycle()["states"]
    ended = {n for n, s in states.items() if s["terminal"] and not s["counted_as_reported"]}
    assert ended == NOT_COUNTED


def test_a_straight_case_has_its_times_hands_and_stages() -> None:
    facts = Story(MORNING).reported(Role.ASSISTANT, "ann").closed_in(hours=2).facts()
    assert facts.state == "closed"
    assert facts.reported_at == facts.known_at == facts.filed_at == MORNING
    assert facts.closed_at == facts.disposed_at == MORNING + timedelta(hours=2)
    assert facts.hands == {
        Task.FIND: Hand(Role.ASSISTANT, "ann"),
        Task.FILE: Hand(Role.DISPATCHER, "dan"),
        Task.DISPATCH: Hand(Role.DISPATCHER, "dan"),
        Task.DISPOSE: Hand(Role.DEPT, "sanitation-1"),
        Task.CHECK: Hand(Role.LEADER, "lea"),
    }
    assert facts.unit == "sanitation"
    assert facts.dispatches == (Dispatch("sanitation"),)
    assert set(facts.stages) == set(Stage)
    assert all(s.in_time for s in facts.stages.values())


def test_done_at_the_very_deadline_is_in_time_and_a_moment_later_is_not() -> None:
    on_the_dot = Story(MORNING).reported().filed().dispatched().after(hours=4).disposed()
    late = Story(MORNING).reported().filed().dispatched().after(hours=4, microseconds=1).disposed()
    assert on_the_dot.facts().stages[Stage.DISPOSE].in_time
    assert not late.facts().stages[Stage.DISPOSE].in_time


def test_facts_as_of_a_moment_know_nothing_of_later() -> None:
    story = Story(MORNING).reported().closed_in(hours=2)
    facts = story.facts(as_of=MORNING + timedelta(hours=1))
    assert facts.state == "disposing"
    assert facts.closed_at is None
    assert facts.stages[Stage.DISPOSE].done_at is None
    with pytest.raises(ValueError, match="no history up to"):
        story.facts(as_of=MORNING - timedelta(seconds=1))


def test_a_hung_case_keeps_the_deadline_it_would_have_and_says_that_it_is_hung() -> None:
    story = Story(MORNING).reported().filed().dispatched().after(hours=1)
    story.do("suspend", Role.DISPATCHER, until=at("2025-09-20"), reason="permit")
    assert story.facts().hung
    assert story.facts().stages[Stage.TOTAL].due_at == at("2025-09-05", "18:00")
    later = story.facts(as_of=at("2025-09-20"))  # the hang is over though nobody resumed it
    assert not later.hung
    assert later.stages[Stage.TOTAL].due_at == at("2025-09-22", "17:00")
    story.after(days=1).do("resume", Role.DISPATCHER)
    assert not story.facts().hung


def test_a_returned_dispatch_is_kept_against_its_unit() -> None:
    story = Story(MORNING).reported().filed().dispatched("roads")
    story.do("return_unit", Role.DEPT, reason="not ours")
    waiting = story.facts()
    assert Stage.DISPOSE not in waiting.stages  # nobody has it to dispose of
    facts = story.dispatched("parks").facts()
    assert facts.dispatches == (Dispatch("roads", returned=True), Dispatch("parks"))
    assert facts.unit == "parks"


def test_a_failed_check_is_counted_and_the_disposal_is_open_again() -> None:
    story = Story(MORNING).reported().filed().dispatched().disposed().checked(passed=False)
    facts = story.facts()
    assert (facts.disposals, facts.failed_checks) == (1, 1)
    assert facts.disposed_at is None
    assert facts.stages[Stage.DISPOSE].done_at is None


def test_two_escalations_bring_a_case_to_the_district_and_no_further() -> None:
    story = Story(MORNING).reported().filed()
    levels = []
    for _ in range(3):
        levels.append(story.do("escalate", Role.LEADER, reason="beyond us").facts().level)
    assert levels == [2, 3, 3]


def test_the_ladder_raises_the_level_to_its_rungs_and_never_lowers_it() -> None:
    story = Story(MORNING).reported().filed().dispatched()
    levels = [
        story.do("raise_level", Role.RULE, level=level).facts().level for level in (2, 2, 3, 2)
    ]

    assert levels == [2, 2, 3, 3]


def test_a_granted_appeal_sets_the_exemption_and_leaves_the_facts() -> None:
    story = Story(MORNING).reported().closed_in(hours=30)
    story.do("appeal", Role.DEPT)
    assert not story.facts().exempt
    facts = story.do("decide_appeal", Role.SUPERVISOR, granted=True).facts()
    assert facts.exempt
    assert not facts.stages[Stage.TOTAL].in_time


def test_a_machine_find_that_nobody_confirmed_never_counts() -> None:
    refused = Story(MORNING).detected().do("reject", Role.LEADER, verdict="false_alarm").facts()
    lapsed = Story(MORNING).detected().do("lapse", Role.RULE).facts()
    assert [f.counts for f in (refused, lapsed)] == [False, False]
    assert refused.verdict == "false_alarm"


def test_a_refused_report_counts_as_reported_and_not_as_filed() -> None:
    facts = Story(MORNING).reported().do("refuse", Role.LEADER, reason="private matter").facts()
    assert facts.counts
    assert not facts.filed
    assert Stage.TOTAL not in facts.stages  # nothing to close


def test_a_case_given_back_to_filing_is_not_filed_until_it_is_again() -> None:
    story = Story(MORNING).reported().filed().do("return_to_filing", Role.MASTER, reason="unclear")
    assert not story.facts().filed
    assert story.filed().facts().filed


def test_an_undone_verdict_is_none() -> None:
    story = Story(MORNING).detected().filed().after(seconds=10).do("undo", Role.DISPATCHER)
    assert story.facts().verdict == ""
    assert story.facts().state == "suspected"


def test_who_saw_it_first_is_known_when_machine_and_person_both_did() -> None:
    story = Story(MORNING).detected().after(minutes=4)
    story.do("join_report", Role.CITIZEN, seen_at=MORNING - timedelta(minutes=1))
    facts = story.facts()
    assert facts.machine_at == MORNING
    assert facts.person_at == facts.seen_at == MORNING - timedelta(minutes=1)
    assert facts.hands[Task.FIND].role is Role.DEVICE  # it opened the case


def test_a_case_settled_on_the_spot_was_filed_and_needs_no_dispatch() -> None:
    story = Story(MORNING).reported(Role.ASSISTANT, "ann").filed()
    facts = story.do("self_handle", Role.ASSISTANT, "ann").checked().facts()
    assert facts.dispatches == ()
    assert facts.disposals == 1
    assert facts.stages[Stage.DISPATCH].in_time
    assert Stage.DISPOSE not in facts.stages


def test_a_stage_without_a_limit_has_no_deadline_and_belongs_to_when_it_began() -> None:
    facts = Story(MORNING).reported().filed().facts(limits={})
    assert facts.stages[Stage.ACCEPT].due_at is None
    assert facts.stages[Stage.ACCEPT].belongs_at == MORNING
    assert facts.stages[Stage.ACCEPT].in_time
