"""Trust by verdicts, and the policy of filing by itself: arithmetic, laws and sentences."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.taxonomy import Severity
from hub.domain.control_window import ControlWindow, Sight, covering
from hub.domain.filing import Bar, Device, Seen, Why, judge, kept, read
from hub.domain.filing_reason import reason
from hub.domain.trust import Judged, Trust, TrustRule, calibrated, trust_of, wilson_lower

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
RULE = TrustRule(target=0.9, least=30, window=100)
SHANGHAI = ZoneInfo("Asia/Shanghai")
BAR = Bar(on=True, probability=0.8, persist_s=3.0, trust=0.9)
EARNED = Trust(verdicts=40, good=40, bound=0.912, earned=True, since=AT)
WINDOW = ControlWindow(
    id=7,
    kind="works",
    category="fire_safety",
    subcategory=None,
    detector=None,
    cells=("410105001001",),
    agent=None,
    stream=None,
    from_at=AT,
    until_at=AT + timedelta(hours=4),
    reason="welding on the bridge",
    permit="HW-12",
    made_at=AT,
    made_by="wang",
    event=None,
    ended_at=None,
    ended_by=None,
)
FIRE = Sight("fire_safety", "smoke", "smoke", "410105001001002", "edge-1", "cam-01")
SEEN = Seen(
    severity=Severity.S2,
    test=False,
    probability=0.93,
    lasted_s=6.0,
    device=Device.SOUND,
    trust=EARNED,
    least=30,
    window=None,
)


def verdicts(goods: str, score: float = 0.9) -> list[Judged]:
    """One verdict a minute: `+` good, `-` bad."""
    return [Judged(AT + timedelta(minutes=i), g == "+", score) for i, g in enumerate(goods)]


@pytest.mark.parametrize(
    ("good", "n", "bound"),
    [(0, 0, 0.0), (30, 30, 0.8865), (35, 35, 0.9011), (0, 10, 0.0), (81, 100, 0.7222)],
)
def test_the_lower_bound_is_wilsons(good: int, n: int, bound: float) -> None:
    assert wilson_lower(good, n) == pytest.approx(bound, abs=5e-4)


@given(st.integers(0, 400), st.integers(1, 400))
@settings(max_examples=100)
def test_the_bound_lies_below_the_precision_and_rises_with_it(good: int, n: int) -> None:
    good = min(good, n)
    assert 0.0 <= wilson_lower(good, n) <= good / n + 1e-12
    if good < n:
        assert wilson_lower(good, n) < wilson_lower(good + 1, n)


def test_trust_is_earned_by_verdicts_and_lost_the_same_way() -> None:
    few = trust_of(verdicts("+" * 29), RULE)
    assert (few.earned, few.since) == (False, None)
    earned = trust_of(verdicts("+" * 40), RULE)
    assert (earned.earned, earned.since) == (True, AT + timedelta(minutes=34))  # 35 of 35

    lost = trust_of(verdicts("+" * 40 + "----"), RULE)

    assert (lost.earned, lost.verdicts, lost.precision) == (False, 44, 40 / 44)
    assert lost.since == AT + timedelta(minutes=40)  # the first false alarm


def test_only_the_last_verdicts_count() -> None:
    old_sins = trust_of(verdicts("-" * 50 + "+" * 100), RULE)
    assert (old_sins.verdicts, old_sins.good, old_sins.earned) == (100, 100, True)


def test_a_score_is_calibrated_by_what_was_judged_and_stands_as_stated_before() -> None:
    low, high = verdicts("-" * 15, 0.6), verdicts("+" * 15, 0.9)
    assert calibrated(0.6, low, 30) == 0.6  # too few
    assert calibrated(0.6, [*low, *high], 30) == 0.0
    assert calibrated(0.95, [*low, *high], 30) == 1.0


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=30, max_size=80),
    st.floats(0, 1),
    st.floats(0, 1),
)
@settings(max_examples=60)
def test_a_higher_score_is_never_less_probable(
    seen: list[tuple[float, bool]], a: float, b: float
) -> None:
    judged = [Judged(AT, good, score) for score, good in seen]
    low, high = sorted((a, b))
    assert 0.0 <= calibrated(low, judged, 30) <= calibrated(high, judged, 30) <= 1.0


def test_what_meets_every_condition_is_filed_and_the_sentence_says_how() -> None:
    told = judge(BAR, SEEN)
    assert told.passed
    assert reason(told, SHANGHAI).en == (
        "Filed by itself: probability 0.93 at or above 0.80, seen for 3 s, device sound, no "
        "control window, trust 0.91 of 0.90 over 40 verdicts."
    )


@pytest.mark.parametrize(
    ("changed", "why", "sentence"),
    [
        (
            {"probability": 0.7},
            Why.SCORE,
            "Not filed by itself: probability 0.70 < 0.80.",
        ),
        ({"lasted_s": 1.5}, Why.PERSISTENCE, "Not filed by itself: seen for 1.5 of 3 s."),
        (
            {"device": Device.UNSOUND},
            Why.DEVICE,
            "Not filed by itself: the camera is not healthy.",
        ),
        ({"device": Device.SILENT}, Why.DEVICE, "Not filed by itself: the device is not heard of."),
        (
            {"trust": Trust(12, 12, 0.71, False, None)},
            Why.TRUST,
            "Not filed by itself: 12 of 30 verdicts, trust 0.71 < 0.90.",
        ),
        (
            {"trust": Trust(44, 40, 0.79, False, AT)},
            Why.TRUST,
            "Not filed by itself: trust 0.79 < 0.90 over 44 verdicts.",
        ),
        ({"test": True}, Why.DRILL, "Not filed by itself: it is a test."),
        (
            {"window": WINDOW},
            Why.WINDOW,
            "Would have been filed by itself; approved works by wang until 2026-11-24 20:00: "
            "welding on the bridge.",
        ),
    ],
    ids=lambda v: v.value if isinstance(v, Why) else "",
)
def test_each_condition_alone_keeps_it_from_being_filed(
    changed: dict[str, object], why: Why, sentence: str
) -> None:
    told = judge(BAR, replace(SEEN, **changed))  # type: ignore[arg-type]
    assert told.failed == (why,)
    assert reason(told, SHANGHAI).en == sentence
    assert read(kept(told)) == told  # as it is kept with the event


def test_an_emergency_needs_no_earned_trust_and_every_other_condition() -> None:
    nobody = Trust(0, 0, 0.0, False, None)
    fire = replace(SEEN, severity=Severity.S1, trust=nobody)
    assert judge(BAR, fire).passed
    assert judge(BAR, replace(fire, device=Device.SILENT)).failed == (Why.DEVICE,)
    assert judge(BAR, replace(fire, window=WINDOW)).failed == (Why.WINDOW,)
    assert judge(replace(BAR, on=False), fire).failed == (Why.OFF,)


def test_all_that_is_in_the_way_is_told_in_one_sentence_of_both_languages() -> None:
    told = judge(BAR, replace(SEEN, probability=0.5, lasted_s=0.0, window=WINDOW))
    said = reason(told, SHANGHAI)
    assert said.en.count(".") - said.en.count("0.") == 1
    assert "probability 0.50 < 0.80; seen for 0 of 3 s; approved works" in said.en
    assert said.zh.startswith("未自动立案：概率 0.50 < 0.80；")


@pytest.mark.parametrize(
    ("changed", "covered"),
    [
        ({}, True),
        ({"subcategory": "burning_or_fire"}, False),
        ({"category": None}, True),
        ({"detector": "flame"}, False),
        ({"cells": ("410105001002",)}, False),
        ({"cells": ("410105",)}, True),
        ({"cells": (), "agent": "edge-1", "stream": "cam-01"}, True),
        ({"cells": (), "agent": "edge-2", "stream": "cam-01"}, False),
        ({"ended_at": AT, "ended_by": "li"}, False),
        ({"from_at": AT + timedelta(minutes=1)}, False),
        ({"until_at": AT}, False),
    ],
)
def test_a_window_covers_what_where_and_when_it_says(
    changed: dict[str, object], covered: bool
) -> None:
    window = replace(WINDOW, **changed)  # type: ignore[arg-type]
    assert (covering([window], FIRE, AT) is window) is covered
