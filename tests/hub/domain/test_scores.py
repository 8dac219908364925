"""Scores by versioned, weighted indicator sets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hub.domain.actor import Role
from hub.domain.assess import INDICATORS, Indicator
from hub.domain.case_facts import CaseFacts, Task
from hub.domain.caseload import caseload
from hub.domain.course import course_of
from hub.domain.figures import AMONG, LEFT_OUT, Figure
from hub.domain.indicator_sets import AssessmentError, Weight, in_force, read_indicator_sets
from hub.domain.scores import STAFF, Dimension, Score, scores
from hub.domain.stages import Stage
from tests.hub.domain.stories import Story
from tests.hub.domain.test_assess import END, SEPTEMBER, WAYS, in_time, late, left_open, story

SHIPPED = Path(__file__).parents[3] / "configs" / "assessment.toml"

SET = """
[[set]]
version = "t"
valid_from = 2025-01-01
[[set.indicator]]
indicator = "on_time_disposal"
weight = 3
zero_at = 0.5
full_at = 1.0
[[set.indicator]]
indicator = "rework_rate"
weight = 1
zero_at = 0.5
full_at = 0.0
[[set.indicator]]
indicator = "return_rate"
weight = 1
zero_at = 1.0
full_at = 0.0
[[set.adjustment]]
name = "late for the district"
indicator = "share_at_level_3"
points = -4
at_most = 6
"""


def table(stories: list[Story], dimension: Dimension, text: str = SET) -> dict[str, Score]:
    (weights,) = read_indicator_sets(text)
    cases = [s.facts(END) for s in stories]
    return {s.subject: s for s in scores(caseload(cases, SEPTEMBER), weights, dimension)}


@pytest.mark.parametrize(
    ("zero_at", "full_at", "value", "mark"),
    [
        (0.6, 1.0, 0.8, 50),
        (0.6, 1.0, 0.5, 0),
        (0.6, 0.9, 0.95, 100),
        (0.2, 0.0, 0.05, 75),
        (0.2, 0.0, 0.3, 0),
    ],
)
def test_marks_run_linearly_from_zero_at_to_full_at_in_either_direction(
    zero_at: float, full_at: float, value: float, mark: float
) -> None:
    weight = Weight(indicator="x", weight=1, zero_at=zero_at, full_at=full_at)
    assert weight.mark(value) == pytest.approx(mark)


def test_the_score_is_the_weighted_mean_of_the_marks() -> None:
    got = table([in_time(story(n)) for n in range(3)] + [late(story(3))], Dimension.DISTRICT)[""]
    assert [(m.indicator, m.mark) for m in got.marks] == [
        ("on_time_disposal", 50.0),  # 3 of 4
        ("rework_rate", 100.0),
        ("return_rate", 100.0),
    ]
    assert got.points == pytest.approx((3 * 50 + 100 + 100) / 5)
    assert got.version == "t"


def test_what_cannot_be_judged_drops_out_of_the_mean() -> None:
    open_ones = [left_open(story(n)) for n in range(2)]  # nothing disposed: no rework to speak of
    got = table(open_ones, Dimension.DISTRICT)[""]
    assert [m.mark for m in got.marks] == [0.0, None, 100.0]
    assert got.points == pytest.approx(100 / 4)


def test_penalties_are_taken_off_for_each_event_up_to_their_limit() -> None:
    stories = []
    for n in range(2):
        s = story(n).reported().filed()
        for _ in range(2):
            s.do("escalate", Role.LEADER, reason="beyond us")
        stories.append(s.dispatched().disposed().checked())
    got = table(stories, Dimension.DISTRICT)[""]
    assert [(e.points, e.figure.counted) for e in got.extras] == [(-6, ("E00000", "E00001"))]
    assert got.points == pytest.approx(94)


def test_a_score_drills_down_to_the_events_it_counts() -> None:
    got = table([in_time(story(1)), late(story(2))], Dimension.DISTRICT)[""]
    on_time = got.marks[0].figure
    assert (on_time.counted, on_time.among) == (("E00001",), ("E00001", "E00002"))


def test_each_department_answers_for_its_own_dispatches_and_the_last_for_the_disposal() -> None:
    s = story(1).reported().filed().dispatched("roads")
    s.do("return_unit", Role.DEPT, reason="not ours").dispatched("parks").after(hours=1)
    s.disposed().checked()
    got = table([s], Dimension.DEPARTMENT)
    values = {
        unit: {m.indicator: m.figure.value for m in score.marks} for unit, score in got.items()
    }
    assert values == {
        "roads": {"on_time_disposal": None, "rework_rate": None, "return_rate": 1.0},
        "parks": {"on_time_disposal": 1.0, "rework_rate": 0.0, "return_rate": 0.0},
    }
    assert list(got) == ["parks", "roads"]  # the best first


def test_areas_are_secondary_grids_and_cells_basic_ones() -> None:
    a = in_time(story(1)).facts(END, cell="410105001001001")
    b = in_time(story(2)).facts(END, cell="410105001001002")
    outside = in_time(story(3)).facts(END, cell="")
    (weights,) = read_indicator_sets(SET)
    found = {
        d: [s.subject for s in scores(caseload([a, b, outside], SEPTEMBER), weights, d)]
        for d in (Dimension.DISTRICT, Dimension.AREA, Dimension.CELL)
    }
    assert found == {
        Dimension.DISTRICT: [""],
        Dimension.AREA: ["410105001001"],
        Dimension.CELL: ["410105001001001", "410105001001002"],
    }


def test_people_and_posts_are_judged_by_what_they_did() -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    stories = [in_time(story(1)), late(story(2))]
    people = table(stories, Dimension.PERSON, text)
    posts = table(stories, Dimension.POST, text)
    assert set(people) == {"dan", "sanitation-1", "lea"}  # the citizen who reported is not scored
    assert set(posts) == {"dispatcher", "dept", "leader"}
    assert {m.indicator for m in people["lea"].marks} == {"closing_rate", "on_time_closing"}
    assert {m.indicator for m in people["dan"].marks} == {
        "filing_rate",
        "on_time_filing",
        "accurate_dispatch",
        "on_time_dispatch",
    }


def test_the_set_in_force_is_the_latest_that_had_begun() -> None:
    later = SET.replace('"t"', '"u"').replace("2025-01-01", "2025-07-01")
    sets = read_indicator_sets(later + SET)
    assert [s.version for s in sets] == ["t", "u"]
    assert in_force(sets, date(2025, 6, 30)).version == "t"
    assert in_force(sets, date(2025, 7, 1)).version == "u"
    with pytest.raises(AssessmentError, match="2024-12-31"):
        in_force(sets, date(2024, 12, 31))


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("on_time_disposal", "speed", "'speed'; there are: filing_rate"),
        ("share_at_level_3", "luck", "'luck'"),
        ("weight = 3", "weight = 0", "weight"),
        ("full_at = 1.0", "full_at = 93.0", "full_at"),
        ("full_at = 1.0", "full_at = 0.5", "must differ"),
        ("rework_rate", "on_time_disposal", "twice"),
        ("version", "name", "name"),
    ],
)
def test_a_set_that_makes_no_sense_is_refused_by_name(
    before: str, after: str, message: str
) -> None:
    with pytest.raises(AssessmentError, match=message):
        read_indicator_sets(SET.replace(before, after))


def test_two_sets_of_one_version_or_day_are_refused() -> None:
    with pytest.raises(AssessmentError, match="same version"):
        read_indicator_sets(SET + SET)


def test_the_shipped_weights_name_known_indicators_and_sum_to_a_hundred() -> None:
    (shipped,) = read_indicator_sets(SHIPPED.read_text(encoding="utf-8"))
    assert {w.indicator for w in shipped.indicator} <= set(INDICATORS)
    assert sum(w.weight for w in shipped.indicator) == 100


CELLS = ("410105001001001", "410105001001002", "410105002001001", "410105001001", "")


def given_back(s: Story) -> Story:
    s.reported(Role.ASSISTANT, "ann").filed().dispatched("roads")
    s.do("return_unit", Role.DEPT, reason="not ours").dispatched("parks").after(hours=1)
    return s.disposed().checked()


def failed_once(s: Story) -> Story:
    s.detected().filed().dispatched("roads").disposed().checked(passed=False)
    return s.do("accept", Role.DEPT, "roads-1").disposed().checked()


FURTHER = (*WAYS, given_back, failed_once)


@given(
    st.lists(
        st.tuples(st.sampled_from(FURTHER), st.sampled_from(CELLS), st.integers(0, 12)), max_size=12
    ),
    st.sampled_from(Dimension),
)
def test_whoever_is_compared_gets_the_figures_of_their_own_cases(
    told: list[tuple[Callable[[Story], Story], str, int]], dimension: Dimension
) -> None:
    cases = [
        way(story(n)).facts(END, cell=cell, recurrence_of=f"E{of:05d}" if of < n else "")
        for n, (way, cell, of) in enumerate(told)
    ]
    keepers = {CELLS[0]: frozenset({"ann"}), CELLS[1]: frozenset({"bob"})}
    (weights,) = read_indicator_sets(SET)

    month = caseload(cases, SEPTEMBER, keepers)
    found = {s.subject: s for s in scores(month, weights, dimension)}

    own: dict[str, dict[Task, list[CaseFacts]]] = {}
    for case in cases:
        for subject, task, part in work_of(case, dimension):
            own.setdefault(subject, {}).setdefault(task, []).append(part)
    expected = {
        subject: {
            name: counted_one_by_one(indicator, parts[task], keepers)
            for name, (indicator, task) in INDICATORS.items()
            if task in parts
        }
        for subject, parts in own.items()
    }
    assert {subject: dict(s.figures) for subject, s in found.items()} == expected


def counted_one_by_one(
    indicator: Indicator, cases: list[CaseFacts], keepers: dict[str, frozenset[str]]
) -> Figure:
    counted, among, left_out = [], [], []
    again = {case.recurrence_of for case in cases}
    for case in cases:
        course = course_of(case, SEPTEMBER, keepers)
        outcome = indicator(course._replace(recurred=case.number in again))
        if outcome == LEFT_OUT:
            left_out.append(case.number)
        else:
            among += [case.number] * (outcome // AMONG)
            counted += [case.number] * (outcome % AMONG)
    return Figure(tuple(counted), tuple(among), tuple(left_out))


def work_of(case: CaseFacts, dimension: Dimension) -> list[tuple[str, Task, CaseFacts]]:
    """Whose work a case is, by task, and what of it."""
    match dimension:
        case Dimension.DISTRICT:
            return [("", task, case) for task in Task]
        case Dimension.AREA:
            return [(case.cell[:12], task, case) for task in Task if len(case.cell) >= 12]
        case Dimension.CELL:
            return [(case.cell, task, case) for task in Task if len(case.cell) == 15]
        case Dimension.POST | Dimension.PERSON:
            people = [(t, h) for t, h in case.hands.items() if h.role in STAFF]
            by_post = dimension is Dimension.POST
            return [(str(h.role) if by_post else h.person, t, case) for t, h in people]
        case Dimension.DEPARTMENT:
            parts = []
            for unit in {d.unit: None for d in case.dispatches}:
                own = tuple(d for d in case.dispatches if d.unit == unit)
                stages = dict(case.stages)
                if unit != case.unit:
                    stages = {s: f for s, f in stages.items() if s is Stage.DISPATCH}
                parts.append((unit, Task.DISPOSE, replace(case, dispatches=own, stages=stages)))
            return parts
