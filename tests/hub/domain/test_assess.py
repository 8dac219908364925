"""The indicators, over cases that went the ways cases go."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contract.taxonomy import Category
from hub.domain import assess
from hub.domain.actor import Role
from hub.domain.assess import Indicator
from hub.domain.case_facts import CaseFacts
from hub.domain.caseload import Caseload, caseload
from hub.domain.figures import Figure
from hub.domain.period import Period, PeriodKind, period_around
from hub.domain.tally import Tally, precision_by_stream, whole_of
from tests.hub.domain.clock_cases import at
from tests.hub.domain.stories import CELL, Story

MORNING = at("2025-09-05", "08:00")  # a Friday


def month(year: int, number: int) -> Period:
    day = date(year, number, 1)
    return period_around(PeriodKind.MONTH, day, ZoneInfo("Asia/Shanghai")).period


SEPTEMBER = month(2025, 9)
END = SEPTEMBER.until


def story(n: int = 0, start: datetime = MORNING) -> Story:
    return Story(start, f"E{n:05d}")


def load(stories: Iterable[Story], as_of: datetime = END) -> Caseload:
    return caseload((s.facts(as_of) for s in stories), SEPTEMBER)


def batch(*groups: tuple[int, Callable[[Story], Story]]) -> Caseload:
    """So many cases that went so, numbered on."""
    facts: list[CaseFacts] = []
    for count, way in groups:
        one = way(story()).facts(END)
        facts += [replace(one, number=f"E{len(facts) + n:05d}") for n in range(count)]
    return caseload(facts, SEPTEMBER)


def figure(indicator: Indicator, month: Caseload) -> Figure:
    """Of all cases together."""
    return Tally(month, whole_of(month)).figures(indicator)[""]


def in_time(s: Story) -> Story:
    return s.reported().closed_in(hours=3)


def late(s: Story) -> Story:
    return s.reported().closed_in(hours=80)


def left_open(s: Story) -> Story:
    return s.reported().filed().dispatched()


def hung(s: Story) -> Story:
    return left_open(s).do("suspend", Role.DISPATCHER, reason="permit", until=at("2025-11-01"))


def appealed(s: Story) -> Story:
    return late(s).do("appeal", Role.DEPT).do("decide_appeal", Role.SUPERVISOR, granted=True)


def refused(s: Story) -> Story:
    return s.reported().do("refuse", Role.LEADER, reason="private matter")


# -- golden vectors: published figures


def test_golden_closing_911_of_972_is_93_72_and_737_in_time_is_75_82() -> None:
    month = batch((737, in_time), (911 - 737, late), (972 - 911, left_open), (20, hung))
    closing, on_time = figure(assess.closing_rate, month), figure(assess.on_time_closing, month)
    assert (len(closing.counted), len(closing.among)) == (911, 972)
    assert closing.percent == "93.72 %"
    assert on_time.percent == "75.82 %"
    assert len(closing.left_out) == 20


def test_golden_953_of_996_disposed_in_time_is_95_68() -> None:
    month = batch((953, in_time), (996 - 953, late), (7, appealed))
    assert figure(assess.on_time_disposal, month).percent == "95.68 %"


def test_golden_902_of_956_filed_in_time_is_94_35() -> None:
    month = batch(
        (902, lambda s: s.reported().after(minutes=15).filed()),
        (54, lambda s: s.reported().after(minutes=16).filed()),
        (5, refused),
    )
    assert figure(assess.on_time_filing, month).percent == "94.35 %"


def test_golden_9_of_16_satisfied_is_56_25() -> None:
    month = batch(
        (9, lambda s: in_time(s).do("rate", Role.CITIZEN, satisfied=True)),
        (7, lambda s: in_time(s).do("rate", Role.CITIZEN, satisfied=False)),
        (3, in_time),
    )
    assert figure(assess.satisfaction, month).percent == "56.25 %"


def test_golden_5912_filed_of_6026_reported_is_98_11() -> None:
    assert figure(assess.filing_rate, batch((5912, left_open), (114, refused))).percent == "98.11 %"


def test_the_pilot_closes_75_of_76_over_nine_categories_with_one_at_level_3() -> None:
    def with_the_district(s: Story) -> Story:
        s.reported().filed().do("escalate", Role.LEADER, reason="needs the district")
        s.do("escalate", Role.MASTER, reason="needs co-handling").dispatched()
        return s.do("add_cohandler", Role.SUPERVISOR, unit="water bureau")

    facts = []
    for n, category in zip(range(76), list(Category) * 9, strict=False):
        start = MORNING + timedelta(minutes=7 * n)
        one = with_the_district(story(n, start)) if n == 75 else in_time(story(n, start))
        facts.append(one.facts(END, category=category))
    pilot = caseload(facts, SEPTEMBER)
    assert set(pilot.categories.values) == set(Category)
    assert len(pilot.numbers_of(assess.reported)) == 76
    assert figure(assess.closing_rate, pilot).percent == "98.68 %"
    assert figure(assess.share_at_level_3, pilot).counted == ("E00075",)
    assert figure(assess.share_at_level_2, pilot).counted == ()


# -- each formula


def test_a_case_belongs_to_the_period_in_which_its_deadline_falls() -> None:
    # reported on Friday 29 August after work: 8 work hours end on Monday 1 September
    august = month(2025, 8)
    facts = story(1, at("2025-08-29", "17:00")).reported().filed().facts(END)
    assert caseload([facts], SEPTEMBER).numbers_of(assess.to_close) == ("E00001",)
    assert caseload([facts], august).numbers_of(assess.to_close) == ()
    assert caseload([facts], august).numbers_of(assess.reported) == ("E00001",)


def test_months_follow_each_other_in_the_zone_of_the_district() -> None:
    december, january = (month(*m) for m in ((2025, 12), (2026, 1)))
    assert december.until == january.since == at("2026-01-01")
    assert january.holds(at("2026-01-01"))
    assert not december.holds(at("2026-01-01"))


def test_an_exempt_case_is_left_out_by_number() -> None:
    month = batch((2, in_time), (1, late), (1, appealed))
    assert figure(assess.on_time_closing, month) == Figure(
        counted=("E00000", "E00001"),
        among=("E00000", "E00001", "E00002"),
        left_out=("E00003",),
    )


def test_voided_merged_and_lapsed_ones_are_no_cases() -> None:
    month = batch(
        (1, lambda s: left_open(s).do("recall", Role.LEADER, reason="mistake")),
        (1, lambda s: s.reported().do("attach", Role.LEADER)),
        (1, lambda s: s.detected().do("lapse", Role.RULE)),
        (1, in_time),
    )
    assert figure(assess.filing_rate, month).among == ("E00003",)
    assert figure(assess.closing_rate, month).among == ("E00003",)


def test_a_case_dispatched_twice_is_listed_twice() -> None:
    def passed_on(s: Story) -> Story:
        s.reported().filed().dispatched("roads")
        return s.do("return_unit", Role.DEPT, reason="not ours").dispatched("parks")

    month = batch((1, passed_on), (2, in_time))
    assert figure(assess.accurate_dispatch, month).counted == ("E00000", "E00001", "E00002")
    assert figure(assess.accurate_dispatch, month).among == ("E00000", "E00000", "E00001", "E00002")
    assert figure(assess.return_rate, month).counted == ("E00000",)


def test_rework_counts_failed_checks_among_disposals() -> None:
    def done_twice(s: Story) -> Story:
        s.reported().filed().dispatched().disposed().checked(passed=False)
        return s.do("accept", Role.DEPT).disposed().checked()

    rework = figure(assess.rework_rate, batch((1, done_twice), (2, in_time)))
    assert (rework.counted, rework.value) == (("E00000",), 0.25)


def test_disposal_counts_done_ones_and_delay_extended_ones() -> None:
    def extended(s: Story) -> Story:
        left_open(s).do("request_extension", Role.DEPT)
        return s.do("decide_extension", Role.DISPATCHER, granted=True)

    month = batch((2, in_time), (1, late), (1, extended), (1, hung))
    assert figure(assess.disposal_rate, month).value == 3 / 4
    assert figure(assess.on_time_disposal, month).value == 2 / 4
    assert figure(assess.delay_rate, month).counted == ("E00003",)


def test_dispatch_and_check_have_their_own_time() -> None:
    def slow_dispatch(s: Story) -> Story:
        return s.reported().filed().after(minutes=31).dispatched()

    def slow_check(s: Story) -> Story:
        return left_open(s).disposed().after(hours=3).checked()

    month = batch((1, slow_dispatch), (1, slow_check), (2, in_time))
    assert figure(assess.on_time_dispatch, month).value == 3 / 4
    assert figure(assess.on_time_check, month).value == 2 / 3


def refused_from_assistant(s: Story) -> Story:
    return s.reported(Role.ASSISTANT, "ann").do("refuse", Role.LEADER, reason="not there")


def test_assistants_reports_are_valid_when_filed() -> None:
    month = batch(
        (3, lambda s: s.reported(Role.ASSISTANT, "ann").filed()),
        (1, refused_from_assistant),
        (5, in_time),
    )
    assert figure(assess.valid_report_rate, month).value == 3 / 4


def test_what_others_found_in_the_cell_of_an_assistant_was_missed() -> None:
    stories = [
        story(1).reported(Role.ASSISTANT, "ann").filed(),
        story(2).reported(Role.ASSISTANT, "bob").filed(),
        story(3).reported(Role.CITIZEN).filed(),
    ]
    facts = [s.facts(END) for s in stories]
    by_anybody = figure(assess.miss_rate, caseload(facts, SEPTEMBER))
    of_ann = figure(assess.miss_rate, caseload(facts, SEPTEMBER, {CELL: frozenset({"ann"})}))
    assert by_anybody.counted == ("E00003",)
    assert of_ann.counted == ("E00002", "E00003")


def test_machines_and_assistants_find_proactively() -> None:
    month = batch(
        (1, lambda s: s.detected().filed()),
        (1, lambda s: s.reported(Role.ASSISTANT, "ann")),
        (2, lambda s: s.reported(Role.CITIZEN)),
    )
    assert figure(assess.proactive_rate, month).value == 0.5


def judged(verdict: str) -> Callable[[Story], Story]:
    return lambda s: s.detected().do("reject", Role.LEADER, verdict=verdict, reason="seen")


def test_benign_positives_are_no_false_alarms_and_unclear_ones_no_label() -> None:
    month = batch(
        (4, lambda s: s.detected().filed()),
        (2, judged("false_alarm")),
        (1, judged("real_but_not_actionable")),
        (1, judged("real_but_authorised")),
        (1, lambda s: s.detected().do("send_verify", Role.LEADER, verdict="unclear")),
        (1, lambda s: s.detected().do("attach", Role.LEADER, verdict="duplicate")),
        (2, lambda s: s.detected().do("confirm", Role.LEADER, verdict="other_kind")),
        (3, lambda s: s.detected().do("lapse", Role.RULE)),
        (3, in_time),
    )
    assert figure(assess.false_alarm_rate, month).value == 2 / 10
    assert figure(assess.precision, month).value == 6 / 10
    assert figure(assess.lapse_rate, month).value == 3 / 15


def test_precision_is_told_apart_by_stream() -> None:
    facts = [
        story(1).detected().filed().facts(END, stream="demo/a"),
        judged("false_alarm")(story(2)).facts(END, stream="demo/a"),
        story(3).detected().filed().facts(END, stream="demo/b"),
    ]
    streams = precision_by_stream(caseload(facts, SEPTEMBER))
    assert {s: f.value for s, f in streams.items()} == {"demo/a": 0.5, "demo/b": 1.0}


def test_what_comes_back_after_closing_counts_itself_or_through_its_successor() -> None:
    facts = [
        story(1).reported().closed_in(hours=1).facts(END),
        story(2).reported().closed_in(hours=1).do("recur", Role.RULE).facts(END),
        story(3).reported().closed_in(hours=1).facts(END),
        story(4, at("2025-10-20", "08:00")).reported().facts(recurrence_of="E00001"),
    ]
    assert figure(assess.recurrence_rate, caseload(facts, SEPTEMBER)) == Figure(
        ("E00001", "E00002"), ("E00001", "E00002", "E00003")
    )


def test_latencies_run_between_the_moments_they_name() -> None:
    s = story(1)
    s.do("ingest_detection", Role.DEVICE, seen_at=MORNING - timedelta(seconds=20))
    s.after(minutes=2).filed().after(minutes=3).dispatched().after(hours=1).disposed()
    s.after(minutes=5).do("start_check", Role.LEADER).after(minutes=5)
    s.do("check_pass", Role.LEADER)
    s.do("comment", Role.LEADER).do("rate", Role.CITIZEN, satisfied=True)
    month = load([s])
    got = {name: latency.p50 for name, latency in month.latencies.items()}
    assert got == {
        "detect": timedelta(seconds=20),
        "confirm": timedelta(minutes=2),
        "dispose": timedelta(hours=1),
        "feedback": timedelta(minutes=5),
        "close": timedelta(hours=1, minutes=13),
        "machine_lead": None,
    }


def test_a_machine_leads_by_the_time_from_its_first_sight_to_the_first_report() -> None:
    ahead = story(1).detected().after(minutes=6).do("join_report", Role.CITIZEN)
    behind = story(2).reported().after(minutes=2)
    behind.do("raise_severity", Role.DEVICE, "cam-01", seen_at=behind.now)
    facts = [ahead.after(minutes=1).filed().facts(END), behind.facts(END)]
    lead = caseload(facts, SEPTEMBER).latencies["machine_lead"]
    assert lead.samples == (("E00002", timedelta(minutes=-2)), ("E00001", timedelta(minutes=6)))


WAYS = (in_time, late, left_open, hung, appealed, refused, judged("false_alarm"))


@given(st.lists(st.sampled_from(WAYS), max_size=12))
def test_what_is_counted_is_always_among_what_it_is_counted_among(
    ways: list[Callable[[Story], Story]],
) -> None:
    month = load(way(story(n)) for n, way in enumerate(ways))
    for indicator, _ in assess.INDICATORS.values():
        found = figure(indicator, month)
        among = list(found.among)
        for number in found.counted:
            among.remove(number)  # raises where it is not there
        assert not set(found.left_out) & set(found.among)


@given(st.lists(st.sampled_from(WAYS), max_size=8), st.integers(0, 29 * 24))
def test_splitting_a_period_splits_its_cases_without_loss_or_double(
    ways: list[Callable[[Story], Story]], hours: int
) -> None:
    facts = [way(story(n)).facts(END) for n, way in enumerate(ways)]
    middle = SEPTEMBER.since + timedelta(hours=hours)
    parts = [Period(SEPTEMBER.since, middle), Period(middle, SEPTEMBER.until)]
    whole, halves = caseload(facts, SEPTEMBER), [caseload(facts, p) for p in parts]
    for which in (*assess.TO_DO, assess.reported):
        together = [number for half in halves for number in half.numbers_of(which)]
        assert sorted(together) == sorted(whole.numbers_of(which))


@pytest.mark.parametrize("name", assess.INDICATORS)
def test_an_indicator_of_nothing_has_no_value(name: str) -> None:
    indicator, _ = assess.INDICATORS[name]
    assert figure(indicator, load([])).value is None
