"""Window sum, cumulative sum and the text that chooses between the rules."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.cusum import Cusum, Ratios, learn_ratios
from contract.rule_text import chosen_rule, read_rule, write_cusum
from contract.rules import ConfirmationRule, KOfN
from contract.window_sum import WindowSum

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
RATIOS = Ratios(((0.0, -1.0), (0.5, 0.0), (1.0, 2.0)))
TEXTS = (
    "k_of_n k=3 n=5 threshold=0.4",
    "window_sum n=4 c=2",
    "cusum bar=4 ratios=0:-1,0.5:0,1:2",
)


def active(rule: ConfirmationRule, scores: list[float], gap_s: float = 0.1) -> list[bool]:
    return [
        rule.step(START + timedelta(seconds=i * gap_s), score).active
        for i, score in enumerate(scores)
    ]


def test_a_sum_is_raised_at_c_and_held_down_to_four_fifths_of_it() -> None:
    rule = WindowSum(n=4, c=2.0).build()
    assert active(rule, [0.5, 0.5, 0.5, 0.5, 0.4, 0.4, 0.4, 0.4, 0.3]) == [
        *[False] * 3,
        *[True] * 5,
        False,
    ]


def test_scores_below_k_of_ns_bar_still_add_up() -> None:
    wavering = [0.45, 0.9] * 4
    assert not any(active(KOfN(k=5, n=8, threshold=0.5).build(), wavering))
    assert active(WindowSum(n=8, c=4.0).build(), wavering)[-1]


def test_a_cusum_raises_when_the_evidence_reaches_its_bar_and_says_so() -> None:
    rule = Cusum(RATIOS, bar=4.0).build()
    assert active(rule, [1.0]) == [False]
    told = rule.step(START + timedelta(seconds=0.1), 1.0)
    assert told.active
    assert told.reason == (
        "evidence 4.00 of 2 samples within 0.1 s (4.00 needed); score 1.00 adds +2.00"
    )
    assert told.since == START


def test_doubt_takes_evidence_away_but_never_below_nothing() -> None:
    rule = Cusum(RATIOS, bar=4.0).build()
    assert active(rule, [*[0.0] * 500, 1.0, 1.0])[-1]


def test_a_cusum_lets_go_however_long_it_was_sure() -> None:
    short = active(Cusum(RATIOS, bar=4.0).build(), [*[1.0] * 3, *[0.0] * 5])
    long = active(Cusum(RATIOS, bar=4.0).build(), [*[1.0] * 3000, *[0.0] * 5])
    assert short[-5:] == long[-5:] == [True, True, False, False, False]


@pytest.mark.parametrize("text", TEXTS)
def test_a_gap_begins_every_rule_anew(text: str) -> None:
    rule = chosen_rule(text, KOfN())
    step = 0
    for step in range(20):
        decision = rule.step(START + timedelta(seconds=step), 1.0)
    assert decision.active
    assert not rule.step(START + timedelta(seconds=step + 6), 0.6).active
    assert not rule.step(START, 0.6).active, "nor does time that goes back add up"


@pytest.mark.parametrize("text", TEXTS)
@given(scores=st.lists(st.floats(0.0, 1.0), max_size=40))
def test_every_rule_decides_the_same_after_a_reset(text: str, scores: list[float]) -> None:
    rule = chosen_rule(text, KOfN())
    first = active(rule, scores)
    rule.reset()
    assert active(rule, scores) == first


@pytest.mark.parametrize("text", TEXTS)
@given(
    pairs=st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 0.5)), max_size=40),
)
def test_higher_scores_never_raise_later(text: str, pairs: list[tuple[float, float]]) -> None:
    low = active(chosen_rule(text, KOfN()), [score for score, _ in pairs])
    high = active(chosen_rule(text, KOfN()), [min(1.0, score + more) for score, more in pairs])
    if any(low):
        assert high.index(True) <= low.index(True)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan")])
def test_a_score_that_is_none_is_refused(text: str, score: float) -> None:
    with pytest.raises(ValueError, match=r"0\.\.1"):
        chosen_rule(text, KOfN()).step(START, score)


def test_what_a_text_leaves_out_comes_from_the_detectors_own_rule() -> None:
    own = KOfN(k=6, n=10, threshold=0.3, max_gap_s=9.0)
    assert read_rule("", own) is own
    assert read_rule("window_sum", own) == WindowSum(10, 3.0, 0.8, 9.0)
    assert read_rule("k_of_n n=4", own) == KOfN(4, 4, 0.3, 0.8, 9.0)


@given(
    text=st.one_of(
        st.builds("k_of_n k={}".format, st.integers(1, 40)),
        st.builds("window_sum c={}".format, st.floats(0.1, 40.0)),
        st.builds("window_sum n={}".format, st.integers(1, 40)),
        st.just("k_of_n n=2"),
    ),
    n=st.integers(1, 40),
)
def test_a_text_that_is_a_rule_is_one_for_every_detector(text: str, n: int) -> None:
    """It is checked before anybody knows whose rule it will stand in for."""
    read_rule(text)
    assert read_rule(text, KOfN(k=n, n=n, threshold=0.7))


def test_a_cusum_is_read_as_it_was_written() -> None:
    settings = Cusum(RATIOS, bar=5.5, hold_ratio=0.4, max_gap_s=7.0)
    assert read_rule(write_cusum(settings)) == settings


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("kofn", "no rule 'kofn'; there are: k_of_n, window_sum, cusum"),
        ("k_of_n tresh=1", "did you mean threshold="),
        ("window_sum n=4 n=5", "once each"),
        ("window_sum n=4 c=5", r"c must lie in \(0, n\]"),
        ("window_sum n=0", "n of 1 or more"),
        ("window_sum n=-3", "no whole number"),
        ("window_sum c=much", "c=much is no number"),
        ("window_sum c=nan", "c must lie in"),
        ("cusum bar=4", "cusum needs ratios=.*learn-rule"),
        ("cusum ratios=0.5", "no point SCORE:RATIO"),
        ("cusum ratios=0:-1,1:inf", "must lie in -100..100"),
        ("cusum ratios=0:-1,0:1", "must rise"),
        ("cusum ratios=0:1,1:2", "one below 0 and one above"),
        ("cusum bar=0 ratios=0:-1,1:1", "bar must lie in"),
    ],
)
def test_a_text_that_is_no_rule_is_refused_with_the_way_out(text: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        read_rule(text)


def test_learnt_ratios_are_those_of_the_scores_they_were_learnt_from() -> None:
    """Of triangles 2 (1 - x) without and 2 x with the thing the ratio is ln(x / (1 - x))."""
    draw = random.Random(7)
    without = [1.0 - (1.0 - draw.random()) ** 0.5 for _ in range(40_000)]
    with_it = [draw.random() ** 0.5 for _ in range(40_000)]
    ratios = learn_ratios(without, with_it)
    for score, truth in ((0.25, -1.10), (0.5, 0.0), (0.75, 1.10)):
        assert ratios(score) == pytest.approx(truth, abs=0.12)
    assert ratios.even() == pytest.approx(0.5, abs=0.03)


def test_a_higher_score_never_speaks_less_for_the_thing_and_none_decides_alone() -> None:
    ratios = learn_ratios([0.05] * 900 + [0.95], [0.05] + [0.55] * 300 + [0.75, 0.95])
    values = [ratio for _, ratio in ratios.points]
    assert values == sorted(values)
    assert max(map(abs, values)) <= 3.0


def test_scores_that_say_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="no rule can part them"):
        learn_ratios([0.8] * 50, [0.2] * 50)
    with pytest.raises(ValueError, match="need scores"):
        learn_ratios([], [0.2])
