"""Shares, their intervals and latencies."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.figures import Figure, Latency, Numbers, wilson


def share(counted: int, among: int) -> Figure:
    return Figure(("x",) * counted, ("x",) * among)


def took(*times: timedelta, names: Sequence[str] = "abcdefgh" * 7) -> Latency:
    us = np.array([t // timedelta(microseconds=1) for t in times], np.int64)
    return Latency(tuple(names[: len(times)]), us)


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
    latency = took(*(timedelta(seconds=s) for s in seconds))
    tenths = statistics.quantiles(seconds, n=10, method="inclusive")
    assert latency.p50 is not None
    assert latency.p90 is not None
    assert latency.p50.total_seconds() == pytest.approx(tenths[4], abs=1e-5)
    assert latency.p90.total_seconds() == pytest.approx(tenths[8], abs=1e-5)


def test_latencies_of_one_case_and_of_none() -> None:
    one = took(timedelta(minutes=3))
    assert one.p50 == one.p90 == timedelta(minutes=3)
    assert took().p90 is None


def test_latencies_name_their_cases_shortest_first_then_by_number() -> None:
    day, second = timedelta(days=1), timedelta(seconds=1)
    latency = took(day, second, second, -day, names="cbad")
    assert latency.samples == (("d", -day), ("a", second), ("b", second), ("c", day))
    assert latency.cases == 4


def test_numbers_are_as_the_tuple_of_them() -> None:
    numbers = Numbers(np.array(["a", "b", "c"], object), np.array([2, 0, 0], np.int32))
    assert numbers == ("c", "a", "a")
    assert numbers != ("a", "a", "c")
    assert numbers != ["c", "a", "a"]  # as a tuple differs from a list
    assert (len(numbers), numbers[0], numbers[-1]) == (3, "c", "a")
    assert numbers[1:] == ("a", "a")
    assert Figure(numbers, numbers) == Figure(("c", "a", "a"), ("c", "a", "a"))
    assert hash(numbers) == hash(("c", "a", "a"))
    assert repr(numbers) == "('c', 'a', 'a')"
