from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.rules import KOfN, KOfNRule

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def active(rule: KOfNRule, scores: list[float], gap_s: float = 0.1) -> list[bool]:
    return [
        rule.step(START + timedelta(seconds=i * gap_s), score).active
        for i, score in enumerate(scores)
    ]


def test_it_raises_at_the_kth_sample_at_or_above_the_threshold() -> None:
    rule = KOfN(k=3, n=5, threshold=0.5).build()
    assert active(rule, [0.5, 0.1, 0.7, 0.49, 0.9]) == [False, False, False, False, True]


def test_samples_older_than_n_no_longer_count() -> None:
    rule = KOfN(k=2, n=3, threshold=0.5).build()
    assert not any(active(rule, [0.9, 0.0, 0.0, 0.9, 0.0, 0.0, 0.9]))


def test_once_raised_it_holds_at_the_lower_bar() -> None:
    rule = KOfN(k=2, n=3, threshold=0.5, hold_ratio=0.8).build()
    assert active(rule, [0.6, 0.6, 0.42, 0.42, 0.42, 0.39, 0.39]) == [
        False,
        True,
        True,
        True,
        True,
        True,
        False,
    ]


def test_scores_between_the_bars_never_raise() -> None:
    rule = KOfN(k=2, n=3, threshold=0.5, hold_ratio=0.8).build()
    assert not any(active(rule, [0.45] * 20))


def test_samples_on_either_side_of_a_long_gap_do_not_add_up() -> None:
    rule = KOfN(k=2, n=3, threshold=0.5, max_gap_s=5.0).build()
    assert not any(active(rule, [0.9] * 10, gap_s=5.1))
    rule.reset()
    assert active(rule, [0.9] * 3, gap_s=5.0) == [False, True, True]


def test_a_clock_that_goes_back_begins_the_window_anew() -> None:
    rule = KOfN(k=2, n=3, threshold=0.5).build()
    rule.step(START, 0.9)
    assert not rule.step(START - timedelta(hours=1), 0.9).active


def test_the_reason_names_the_hits_the_bar_and_what_was_needed() -> None:
    rule = KOfN(k=2, n=3, threshold=0.5).build()
    rule.step(START, 0.9)
    decision = rule.step(START + timedelta(seconds=1), 0.9)
    assert decision.reason == (
        "2 of the last 2 samples at or above 0.50 within 1.0 s (2 of 3 needed)"
    )


def test_after_a_reset_it_decides_as_a_new_rule_does() -> None:
    rule = KOfN(k=2, n=3).build()
    first = active(rule, [0.9, 0.1, 0.9, 0.4])
    rule.reset()
    assert active(rule, [0.9, 0.1, 0.9, 0.4]) == first


scores = st.lists(st.floats(0, 1), max_size=60)


@given(scores, st.floats(0.05, 0.95), st.floats(0.0, 0.05))
def test_a_higher_threshold_never_raises_earlier(
    series: list[float], threshold: float, more: float
) -> None:
    low = active(KOfN(k=3, n=5, threshold=threshold).build(), series)
    high = active(KOfN(k=3, n=5, threshold=threshold + more).build(), series)
    if any(high):
        assert low.index(True) <= high.index(True)


@given(scores)
def test_a_replay_decides_as_the_first_run_did(series: list[float]) -> None:
    assert active(KOfN().build(), series) == active(KOfN().build(), series)


@pytest.mark.parametrize("score", [-0.01, 1.01, math.nan, math.inf])
def test_a_score_that_is_none_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match="score must lie in"):
        KOfN().build().step(START, score)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"k": 0}, "k = 0"),
        ({"k": 9, "n": 8}, "n = 8"),
        ({"threshold": 0.0}, "threshold"),
        ({"threshold": 1.1}, "threshold"),
        ({"threshold": math.nan}, "threshold"),
        ({"hold_ratio": 0.0}, "hold_ratio"),
        ({"hold_ratio": 1.5}, "hold_ratio"),
        ({"max_gap_s": 0.0}, "max_gap_s"),
        ({"max_gap_s": math.nan}, "max_gap_s"),
    ],
)
def test_settings_that_make_no_rule_are_refused_by_name(
    settings: dict[str, float], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        KOfN(**settings)  # type: ignore[arg-type]
