"""What counts can prove, against known values."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridwarden.evaluation.statistics import f1, poisson_upper, quantile, rate, share


@pytest.mark.parametrize(
    ("count", "bound"), [(0, 2.9957), (1, 4.7439), (2, 6.2958), (3, 7.7537), (10, 16.9622)]
)
def test_the_exact_poisson_bound_is_that_of_the_tables(count: int, bound: float) -> None:
    assert poisson_upper(count) == pytest.approx(bound, abs=1e-4)


def test_half_an_hour_without_a_false_alarm_proves_six_an_hour_and_no_more() -> None:
    found = rate(0, 0.5)
    assert found.per_hour == 0.0
    assert found.at_most == pytest.approx(5.99, abs=0.01)


def test_no_time_gives_no_rate() -> None:
    assert rate(0, 0.0).per_hour is None
    assert rate(0, 0.0).at_most is None


@given(st.integers(0, 200))
def test_the_bound_gives_the_count_or_fewer_one_time_in_twenty(count: int) -> None:
    mean = poisson_upper(count)
    chance = math.fsum(
        math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(count + 1)
    )
    assert chance == pytest.approx(0.05, abs=1e-6)


def test_a_share_of_nothing_could_be_anything() -> None:
    assert share(0, 0).value is None
    assert (share(0, 0).low, share(0, 0).high) == (0.0, 1.0)


def test_four_of_eight_lie_between_22_and_78_percent() -> None:
    found = share(4, 8)
    assert found.low == pytest.approx(0.2152, abs=1e-4)
    assert found.high == pytest.approx(0.7848, abs=1e-4)


def test_f1_is_the_harmonic_mean_and_lies_within_its_interval() -> None:
    found = f1(right=6, wrong=2, missed=4)
    precision, recall = 6 / 8, 6 / 10
    assert found.value == pytest.approx(2 * precision * recall / (precision + recall))
    assert found.value is not None
    assert 0.0 < found.low < found.value < found.high < 1.0


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_f1_never_leaves_its_interval(right: int, wrong: int, missed: int) -> None:
    found = f1(right, wrong, missed)
    assert found.value is None or found.low - 1e-12 <= found.value <= found.high + 1e-12


def test_a_median_of_ten_has_the_second_and_the_ninth_as_bounds() -> None:
    # 95 % interval of the median, n = 10: order statistics 2 and 9 (coverage .979)
    found = quantile([float(n) for n in range(1, 11)], 0.5)
    assert (found.base, found.value, found.low, found.high) == (10, 5.5, 2.0, 9.0)


def test_two_delays_bound_nothing() -> None:
    found = quantile([4.2, 5.1], 0.5)
    assert found.value == pytest.approx(4.65)
    assert (found.low, found.high) == (None, None)
