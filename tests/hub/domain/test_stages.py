"""Stage clocks: what starts, stops, pauses and takes them up again."""

from __future__ import annotations

from datetime import datetime

from hub.domain.actor import Role
from hub.domain.case_history import ACTS, standing
from hub.domain.deadline import Pause, due_at
from hub.domain.stages import STAGE_OF, UNREPORTED, Stage, StageRun, clock_of, stage_runs
from tests.hub.domain.clock_cases import at, shanghai
from tests.hub.domain.stories import LIMITS, Story, lifecycle

MORNING = at("2025-09-05", "08:00")  # a Friday


def runs(story: Story, stage: Stage) -> list[StageRun]:
    return [r for r in stage_runs(standing(story.entries)) if r.stage is stage]


def due(story: Story, stage: Stage) -> datetime | None:
    everything = stage_runs(standing(story.entries))
    last = [r for r in everything if r.stage is stage][-1]
    clock = clock_of(last, everything, LIMITS, shanghai())
    assert clock is not None
    return due_at(clock, shanghai())


def test_the_stages_and_acts_are_those_of_the_lifecycle() -> None:
    states = lifecycle()["states"]
    living = {name for name, s in states.items() if not s["terminal"]}
    assert set(STAGE_OF) == living
    assert {n for n in living if not states[n]["counted_as_reported"]} == {UNREPORTED}
    assert {a["name"] for a in lifecycle()["acts"]} == ACTS


def test_each_stage_begins_where_the_one_before_stops() -> None:
    story = Story(MORNING).detected().after(minutes=5).filed().after(minutes=10)
    story.dispatched().after(hours=1).disposed().after(minutes=20).checked()
    told = {r.stage: (r.started_at, r.stopped_at) for r in stage_runs(story.entries)}
    assert told == {
        Stage.ACCEPT: (at("2025-09-05", "08:00"), at("2025-09-05", "08:05")),
        Stage.DISPATCH: (at("2025-09-05", "08:05"), at("2025-09-05", "08:15")),
        Stage.DISPOSE: (at("2025-09-05", "08:15"), at("2025-09-05", "09:15")),
        Stage.CHECK: (at("2025-09-05", "09:15"), at("2025-09-05", "09:35")),
        Stage.TOTAL: (at("2025-09-05", "08:05"), at("2025-09-05", "09:35")),
    }


def test_a_machine_find_counts_as_reported_from_filing_and_a_report_at_once() -> None:
    assert runs(Story(MORNING).detected(), Stage.TOTAL) == []
    assert runs(Story(MORNING).reported(), Stage.TOTAL)[0].started_at == MORNING


def test_being_hung_pauses_disposal_and_total() -> None:
    story = Story(MORNING).reported().filed().dispatched().after(hours=1)
    story.do("suspend", Role.DISPATCHER, until=at("2025-09-05", "15:00"), reason="permit")
    assert due(story, Stage.DISPOSE) == at("2025-09-05", "18:00")
    story.after(hours=1).do("resume", Role.DISPATCHER)
    assert due(story, Stage.DISPOSE) == at("2025-09-05", "15:00")
    assert due(story, Stage.TOTAL) == at("2025-09-08", "09:00")


def test_a_resume_that_comes_late_gives_no_time_beyond_what_was_approved() -> None:
    story = Story(MORNING).reported().filed().dispatched().after(hours=1)
    story.do("suspend", Role.DISPATCHER, until=at("2025-09-05", "10:00"))
    story.after(hours=8).do("resume", Role.RULE)
    assert due(story, Stage.DISPOSE) == at("2025-09-05", "15:00")


def test_a_failed_check_takes_the_disposal_clock_up_where_it_stopped() -> None:
    story = Story(MORNING).reported().filed().dispatched().after(hours=3).disposed()
    story.after(hours=4).checked(passed=False)
    (run,) = runs(story, Stage.DISPOSE)
    assert run.pauses == (
        Pause(at("2025-09-05", "11:00"), at("2025-09-05", "15:00"), "at the check"),
    )
    assert due(story, Stage.DISPOSE) == at("2025-09-05", "16:00")  # 3 h used, 1 h left


def test_a_second_check_has_a_clock_of_its_own() -> None:
    story = Story(MORNING).reported().filed().dispatched().disposed().checked(passed=False)
    story.after(hours=1).do("accept", Role.DEPT).disposed()
    assert [r.started_at for r in runs(story, Stage.CHECK)] == [MORNING, at("2025-09-05", "09:00")]


def test_a_returned_dispatch_gives_the_next_unit_its_full_time() -> None:
    story = Story(MORNING).reported().filed().dispatched("roads").after(hours=2)
    story.do("return_unit", Role.DEPT, reason="not ours").after(minutes=10).dispatched("parks")
    assert [r.left_to for r in runs(story, Stage.DISPOSE)] == ["filed", ""]
    assert due(story, Stage.DISPOSE) == at("2025-09-05", "16:10")
    assert due(story, Stage.TOTAL) == at("2025-09-05", "18:00")  # goes on all the time


def test_an_undone_step_leaves_no_trace_on_the_clocks() -> None:
    story = Story(MORNING).reported().filed().dispatched().after(hours=1)
    before = stage_runs(standing(story.entries))
    story.disposed().after(seconds=20).do("undo", Role.DEPT)
    assert stage_runs(standing(story.entries)) == before


def test_an_undo_passes_over_acts_to_the_last_transition() -> None:
    story = Story(MORNING).reported().filed().do("comment", Role.DISPATCHER, "dan")
    names = [e.name for e in standing(story.do("undo", Role.DISPATCHER).entries)]
    assert names == ["report", "comment"]


def test_time_merged_into_another_event_is_a_pause_once_it_is_unmerged() -> None:
    story = Story(MORNING).reported().filed().dispatched().after(hours=1)
    story.do("merge", Role.DISPATCHER).after(hours=2).do("unmerge", Role.DISPATCHER)
    assert due(story, Stage.DISPOSE) == at("2025-09-05", "16:00")
    assert due(story, Stage.TOTAL) == at("2025-09-08", "10:00")


def test_a_reopened_case_begins_all_its_clocks_anew() -> None:
    story = Story(MORNING).reported().closed_in(hours=1).after(days=3)
    story.do("reopen", Role.DISPATCHER)
    assert [r.stopped_at is None for r in runs(story, Stage.TOTAL)] == [False, True]
    assert due(story, Stage.TOTAL) == at("2025-09-09", "09:00")


def test_an_extension_gives_one_disposal_limit_more_and_the_total_clock_stands_still_for_it() -> (
    None
):
    story = Story(MORNING).reported().filed().dispatched().after(hours=2)
    story.do("request_extension", Role.DEPT).after(hours=1)
    story.do("decide_extension", Role.DISPATCHER, granted=True)
    assert due(story, Stage.DISPOSE) == at("2025-09-05", "18:00")
    assert due(story, Stage.TOTAL) == at("2025-09-08", "12:00")  # 4 of 8 h, stands till 18:00


def test_a_refused_extension_changes_nothing() -> None:
    story = Story(MORNING).reported().filed().dispatched().after(hours=2)
    story.do("request_extension", Role.DEPT)
    before = due(story, Stage.DISPOSE)
    assert due(story.do("decide_extension", Role.DISPATCHER), Stage.DISPOSE) == before


def test_a_change_of_limits_keeps_every_pause() -> None:
    story = Story(MORNING).reported().filed().dispatched().after(hours=1)
    story.do("suspend", Role.DISPATCHER, reason="permit")
    run = runs(story, Stage.DISPOSE)[0]
    for limits in (LIMITS, {**LIMITS, Stage.DISPOSE: LIMITS[Stage.CHECK]}):
        clock = clock_of(run, (run,), limits, shanghai())
        assert clock is not None
        assert clock.pauses == (Pause(at("2025-09-05", "09:00"), None, "permit"),)
        assert due_at(clock, shanghai()) is None
