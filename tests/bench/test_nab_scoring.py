"""The scorer itself: it cannot flatter. Checked against a slow one written from the paper."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.bench.nab.corpus import Window
from tests.bench.nab.scoring import (
    LOW_FN,
    LOW_FP,
    NEVER,
    PROFILES,
    STANDARD,
    Marked,
    Profile,
    best_threshold,
    mark,
    normalised,
    probation,
    total,
)

WINDOWS: list[Window] = [(300, 399), (700, 749)]
ROWS = 1000


def detections(*rows: int) -> list[Marked]:
    scores = np.zeros(ROWS)
    scores[list(rows)] = 1.0
    return [mark(scores, WINDOWS)]


def points(marked: list[Marked], profile: Profile = STANDARD) -> float:
    return normalised(marked, profile, total(marked, profile, 1.0))


@pytest.mark.parametrize("profile", PROFILES)
def test_no_detection_at_all_scores_0(profile: Profile) -> None:
    assert points(detections(), profile) == 0.0


@pytest.mark.parametrize("profile", PROFILES)
def test_one_detection_at_the_left_edge_of_each_window_scores_100(profile: Profile) -> None:
    assert points(detections(300, 700), profile) == pytest.approx(100.0)


def test_more_detections_in_a_window_change_nothing() -> None:
    assert points(detections(300, 301, 350, 399, 700)) == pytest.approx(100.0)


def test_a_later_detection_is_worth_less_and_the_last_row_of_a_window_almost_nothing() -> None:
    early, middle, last = (points(detections(row, 700)) for row in (300, 350, 399))
    assert early == pytest.approx(100.0)
    assert early > middle > last
    assert middle == pytest.approx(100.0 - 25.0 * (1.0 - 0.84828 / 0.98661), abs=0.1)
    assert last == pytest.approx(75.0, abs=1.0)


def test_a_false_alarm_costs_a_ninth_of_a_hit_and_twice_that_for_those_who_fear_them() -> None:
    standard = points(detections(300, 700)) - points(detections(200, 300, 700))
    strict = points(detections(300, 700), LOW_FP) - points(detections(200, 300, 700), LOW_FP)
    assert standard == pytest.approx(100.0 * 0.11 / 4.0)
    assert strict == pytest.approx(100.0 * 0.22 / 4.0)


def test_a_false_alarm_just_after_a_window_costs_less_than_one_far_from_it() -> None:
    near, far = points(detections(300, 402, 700)), points(detections(300, 698, 700))
    assert near > far


def test_a_missed_window_costs_twice_for_those_who_fear_misses() -> None:
    assert points(detections(300)) == pytest.approx(50.0)
    assert points(detections(300), LOW_FN) == pytest.approx(50.0)
    assert total(detections(), LOW_FN, 1.0) == 2.0 * total(detections(), STANDARD, 1.0)


def test_what_happens_in_probation_is_not_scored() -> None:
    assert points(detections(0, 10, 149)) == 0.0
    assert points(detections(150)) < 0.0


def test_probation_is_15_percent_and_750_rows_at_most() -> None:
    assert [probation(n) for n in (1000, 4032, 22695)] == [150, 604, 750]


def test_a_perfect_score_series_has_its_best_threshold_at_100() -> None:
    for profile in PROFILES:
        threshold, raw = best_threshold(detections(300, 700), profile)
        assert threshold == 1.0
        assert raw == pytest.approx(2.0)


def test_scores_that_only_raise_false_alarms_are_best_left_alone() -> None:
    threshold, raw = best_threshold(detections(200, 500), STANDARD)
    assert (threshold, raw) == (NEVER, -2.0)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_the_best_threshold_is_the_best_of_all_and_the_total_agrees_with_the_paper(
    seed: int,
) -> None:
    random = np.random.default_rng(seed)
    series = []
    slow: list[tuple[NDArray[np.float64], list[Window]]] = []
    cases: list[list[Window]] = [WINDOWS, [], [(160, 200)]]
    for windows in cases:
        scores = np.round(random.random(ROWS), 2)
        series.append(mark(scores, windows))
        slow.append((scores, windows))
    for profile in PROFILES:
        threshold, raw = best_threshold(series, profile)
        assert raw == pytest.approx(total(series, profile, threshold))
        for other in random.random(5):
            assert total(series, profile, float(other)) <= raw + 1e-9
            expected = sum(_by_the_paper(one, w, profile, float(other)) for one, w in slow)
            assert total(series, profile, float(other)) == pytest.approx(expected)


def _by_the_paper(
    scores: NDArray[np.float64],
    windows: list[Window],
    profile: Profile,
    threshold: float,
) -> float:
    """Row by row, with the formulas as they are printed."""

    def sigmoid(position: float) -> float:
        return -1.0 if position >= 3.0 else 2.0 / (1.0 + math.exp(5.0 * position)) - 1.0

    result = 0.0
    for first, last in windows:
        width = last - first + 1
        hits = [
            sigmoid(-(last - row + 1) / width) / sigmoid(-1.0)
            for row in range(max(first, 150), last + 1)
            if float(scores[row]) >= threshold
        ]
        result += profile.hit * max(hits) if hits else -profile.miss
    for row in range(150, len(scores)):
        if scores[row] < threshold or any(a <= row <= b for a, b in windows):
            continue
        before = [(a, b) for a, b in windows if b < row]
        position = 3.0
        if before:
            first, last = before[-1]
            position = (row - last) / (last - first)
        result += profile.false_alarm * sigmoid(position)
    return result
