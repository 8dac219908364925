"""Shares, their intervals and latencies."""

from __future__ import annotations

import statistics
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.figures import Figure, Latency, wilson


def share(counted: int, among: int) -> Figure:
    return Figure(("x",) * counted, ("x",) * among)


@pytest.mark.parametrize(
    ("counted", "among", "percent"),
    [
        (911, 972, "93.72 %"),
        (737, 972, "75.82 %"),
        (953, 996, "95.68 %"),
        (902, 956, "94.35 %"),
        (9, 16, "56.25 %"),
        (5912, 6026, "98.11 %"),
        (75, 76, "98.68 %"),
        (0, 3, "0.00 %"),
        (3, 3, "100.00 %"),
        (1, 32, "3.13 %"),  # 3.125: halves go up
        (0, 0, "-"),
    ],
)
def test_shares_are_published_as_the_golden_vectors_have_them(
    counted: int, among: int, percent: str
) -> None:
    assert share(counted, among).percent == percent


def test_nothing_to_count_among_has_no_value_and_could_be_anything() -> None:
    assert share(0, 0).value is None
    assert (share(0, 0).interval.low, share(0, 0).interval.high) == (0.0, 1.0)


@pytest.mark.parametrize(
    # Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_are_those_of_newcombe(
    successes: int, trials: int, low: float, high: float
) -> None:
    interval = wilson(successes, trials)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_lies_in_its_interval_and_the_interval_in_0_to_1(pair: tuple[int, int]) -> None:
    successes, trials = pair
    interval = wilson(successes, trials)
    assert 0.0 <= interval.low <= successes / trials <= interval.high <= 1.0
    mirrored = wilson(trials - successes, trials)
    assert mirrored.low == pytest.approx(1 - interval.high)


def test_more_successes_than_trials_is_refused() -> None:
    with pytest.raises(ValueError, match="5 successes in 4 trials"):
        wilson(5, 4)


@given(st.lists(st.integers(0, 100_000), min_size=2, max_size=50))
def test_quantiles_interpolate_like_the_standard_library(seconds: list[int]) -> None:
    latency = Latency.of([(str(n), timedelta(seconds=s)) for n, s in enumerate(seconds)])
    tenths = statistics.quantiles(seconds, n=10, method="inclusive")
    assert latency.p50 is not None
    assert latency.p90 is not None
    assert latency.p50.total_seconds() == pytest.approx(tenths[4], abs=1e-5)
    assert latency.p90.total_seconds() == pytest.approx(tenths[8], abs=1e-5)


def test_latencies_of_one_case_and_of_none() -> None:
    one = Latency.of([("a", timedelta(minutes=3))])
    assert one.p50 == one.p90 == timedelta(minutes=3)
    assert Latency.of([]).p90 is None
