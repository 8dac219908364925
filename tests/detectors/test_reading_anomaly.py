from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from contract.messages import Reading
from detectors.kit.params import ParameterError
from detectors.kit.reading_registry import available, reading_detector
from detectors.kit.registry import UnknownDetectorError
from detectors.kit.surprise import Surprise
from detectors.reading_anomaly import ReadingAnomaly, ReadingAnomalyParams

START = datetime(2026, 3, 2, tzinfo=UTC)


def series(values: list[float], step_s: float = 900.0) -> list[Reading]:
    return [
        Reading(
            device="s", metric="level", value=v, captured_at=START + timedelta(seconds=k * step_s)
        )
        for k, v in enumerate(values)
    ]


def scores(values: list[float]) -> list[float]:
    detector = ReadingAnomaly(ReadingAnomalyParams())
    return [o.score for r in series(values) for o in detector.observe(r)]


def daily(days: int) -> list[float]:
    """A wave of a day with a ripple that is the same every day, and one that is not."""
    quarter_hours = range(days * 96)
    return [20.0 + 5.0 * ((k % 96) / 96) + 0.3 * ((k * 7919) % 101 / 101) for k in quarter_hours]


def test_a_value_beyond_all_that_came_before_is_an_anomaly() -> None:
    values = daily(14)
    values[1200] = 90.0
    found = scores(values)
    assert max(found[700:1200]) < 0.5 < found[1200]


def test_a_value_that_is_usual_at_noon_is_an_anomaly_at_midnight() -> None:
    values = daily(14)
    values[1152:1156] = [24.9] * 4  # midnight has 20.0 to 20.3, the end of the day 25
    assert max(scores(values)[1152:1156]) > max(scores(daily(14))[1152:1156])


def test_the_same_series_gives_the_same_scores_after_a_reset() -> None:
    detector = ReadingAnomaly(ReadingAnomalyParams())
    values = series(daily(6))
    first = [o for r in values for o in detector.observe(r)]
    detector.reset()
    assert [o for r in values for o in detector.observe(r)] == first


def test_what_comes_later_changes_no_score_that_was_given() -> None:
    values = daily(10)
    assert scores(values)[:600] == scores(values[:600])


def test_an_anomaly_that_lasts_is_told_at_its_beginning() -> None:
    values = daily(14)
    values[1200:1260] = [90.0] * 60
    found = scores(values)[1200:1260]
    assert found[0] > 0.5
    assert sum(score > 0.5 for score in found) < 10


def test_a_constant_series_is_no_anomaly() -> None:
    assert max(scores([7.0] * 1000)) < 0.5


def test_every_score_lies_between_0_and_1_whatever_the_values() -> None:
    wild = [0.0, 9e299, -9e299, 1e-300, 5.0, 5.0, -5.0] * 60
    assert all(0.0 <= score <= 1.0 for score in scores(wild))


def test_an_older_reading_is_left_out() -> None:
    detector = ReadingAnomaly(ReadingAnomalyParams())
    late, early = series([1.0, 2.0])[::-1]
    assert len(list(detector.observe(late))) == 1
    assert list(detector.observe(early)) == []


def test_the_label_names_the_metric_and_the_features_name_the_views() -> None:
    detector = ReadingAnomaly(ReadingAnomalyParams())
    (seen,) = detector.observe(series([1.0])[0])
    assert seen.label == "level.anomaly"
    assert set(seen.features) == {
        "hour", "hour_short", "week", "level", "shift", "calm", "total",
    }  # fmt: skip


def test_a_surprise_is_how_many_tens_rarer_than_usual() -> None:
    past = Surprise()
    for k in range(1, 10_001):
        past.of(k / 10_000)
    assert past.of(0.1) == pytest.approx(0.05, abs=0.03)
    assert past.of(0.9) == pytest.approx(1.0, abs=0.2)
    assert past.of(50.0) > 10.0


def test_a_surprise_forgets_slowly() -> None:
    past = Surprise(memory=1000)
    for _ in range(500):
        past.of(100.0)
    for _ in range(20_000):
        past.of(1.0)
    assert past.of(100.0) > 2.0


@pytest.mark.parametrize("name", ["Asia/Zhengzhou", "", "../etc/passwd", "Asia", "x" * 5000, "a\0"])
def test_a_time_zone_that_is_not_known_is_refused(name: str) -> None:
    with pytest.raises(ParameterError, match=r"time_zone .* is not known here"):
        ReadingAnomalyParams(time_zone=name)


def test_both_detectors_over_readings_are_known_and_another_is_refused_by_name() -> None:
    assert {"reading_anomaly", "reading_limit"} <= set(available())
    with pytest.raises(UnknownDetectorError, match=r"no reading detector 'smke'; available: "):
        reading_detector("smke")
