from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contract.episode import Episode, EpisodeChange, Sample, Subject
from contract.messages import Reading
from contract.taxonomy import Phase
from detectors.kit.params import ParameterError, build, schema
from detectors.reading_limit import ReadingLimit, ReadingLimitParams

START = datetime(2026, 3, 2, tzinfo=UTC)
R, U, C = Phase.RAISED, Phase.UPDATED, Phase.CLEARED


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def reading(seconds: float, value: float) -> Reading:
    return Reading(device="s", metric="water_level", value=value, captured_at=after(seconds))


class Watch:
    """A detector with its episodes, as the agent runs it."""

    def __init__(self, **params: Any) -> None:
        self.detector = ReadingLimit(ReadingLimitParams(**params))
        self.episodes: dict[str, Episode] = {}

    def see(self, seconds: float, value: float) -> list[tuple[str, Phase]]:
        observed = list(self.detector.observe(reading(seconds, value)))
        return self._step(after(seconds), observed)

    def wait(self, seconds: float) -> list[tuple[str, Phase]]:
        return self._step(after(seconds), list(self.detector.idle(after(seconds))))

    def _step(self, at: datetime, observed: list[Any]) -> list[tuple[str, Phase]]:
        told: list[tuple[str, Phase]] = []
        for seen in observed:
            if seen.label not in self.episodes:
                subject = Subject("a", "s", "reading_limit", seen.label)
                self.episodes[seen.label] = Episode(
                    subject, self.detector.rule(), self.detector.policy()
                )
            change: EpisodeChange | None = self.episodes[seen.label].step(Sample(at, seen.score))
            if change is not None:
                told.append((seen.label, change.phase))
        return told


def test_a_value_at_the_limit_raises_and_only_beyond_the_hysteresis_clears() -> None:
    watch = Watch(high_on=True, high=2.0, hysteresis=0.5)
    assert watch.see(0, 1.99) == []
    assert watch.see(60, 2.0) == [("water_level.high", R)]
    assert watch.see(120, 1.6) == []
    assert watch.see(180, 1.49) == [("water_level.high", C)]


def test_without_hysteresis_the_limit_is_the_limit_both_ways() -> None:
    watch = Watch(low_on=True, low=0.0)
    assert watch.see(0, 0.01) == []
    assert watch.see(60, -0.01) == [("water_level.low", R)]
    assert watch.see(120, 0.01) == [("water_level.low", C)]


def test_a_short_excess_raises_nothing_where_it_must_last() -> None:
    watch = Watch(high_on=True, high=2.0, duration_s=300.0)
    assert watch.see(0, 3.0) == []
    assert watch.see(240, 3.0) == []
    assert watch.see(270, 1.0) == []
    assert watch.see(300, 3.0) == []
    assert watch.see(600, 3.0) == [("water_level.high", R)]


def test_a_quick_rise_and_a_quick_fall_are_told_apart() -> None:
    watch = Watch(rate=1.0, rate_window_s=600.0)
    assert watch.see(0, 0.0) == []
    assert watch.see(300, 0.9) == []
    assert watch.see(400, 1.1) == [("water_level.rising", R)]
    told = watch.see(500, -0.1)
    assert ("water_level.falling", R) in told
    assert ("water_level.rising", C) in told


def test_a_slow_rise_of_the_same_size_is_none() -> None:
    watch = Watch(rate=1.0, rate_window_s=600.0)
    assert [watch.see(k * 300, k * 0.4) for k in range(10)] == [[]] * 10


def test_exactly_the_same_value_for_too_long_is_a_stuck_sensor() -> None:
    watch = Watch(stuck_s=600.0)
    assert watch.see(0, 1.5) == []
    assert watch.see(300, 1.5) == []
    assert watch.see(600, 1.5) == [("water_level.stuck", R)]
    assert watch.see(660, 1.51) == [("water_level.stuck", C)]


def test_values_within_a_narrow_span_for_too_long_are_a_flat_line() -> None:
    watch = Watch(flat_s=600.0, flat_span=0.1)
    values = [1.0, 1.05, 1.0, 1.08, 1.02]
    told = [watch.see(k * 150, v) for k, v in enumerate(values)]
    assert told == [[], [], [], [], [("water_level.flat", R)]]
    assert watch.see(750, 1.5) == [("water_level.flat", C)]


def test_no_reading_for_too_long_is_a_gap_that_the_next_one_clears() -> None:
    watch = Watch(gap_s=120.0)
    assert watch.wait(1000) == []
    assert watch.see(0, 1.0) == []
    assert watch.wait(110) == []
    assert watch.wait(121) == [("water_level.gap", R)]
    assert watch.see(180, 1.0) == [("water_level.gap", C)]


def test_a_value_no_sensor_can_show_is_out_of_range_and_no_alarm_of_the_water() -> None:
    watch = Watch(high_on=True, high=2.0, range_low=0.0, range_high=10.0)
    assert watch.see(0, 65535.0) == [("water_level.out_of_range", R)]
    assert watch.see(60, 1.0) == [("water_level.out_of_range", C)]


def test_a_reading_that_comes_too_late_changes_nothing() -> None:
    watch = Watch(high_on=True, high=2.0)
    assert watch.see(600, 1.0) == []
    assert watch.see(0, 5.0) == []


def test_a_threshold_moved_by_the_hub_moves_the_limit_by_a_known_amount() -> None:
    watch = Watch(threshold=0.6, high_on=True, high=2.0, hysteresis=0.5)
    assert watch.see(0, 2.4) == []
    assert watch.see(60, 2.5) == [("water_level.high", R)]


def test_nothing_that_is_off_is_scored() -> None:
    assert list(ReadingLimit(ReadingLimitParams()).observe(reading(0, 1e9))) == []


def test_other_limits_keep_what_was_learnt() -> None:
    watch = Watch(stuck_s=6000.0)
    watch.see(0, 1.5)
    watch.detector.use(ReadingLimitParams(stuck_s=600.0))
    assert watch.see(600, 1.5) == [("water_level.stuck", R)]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"high": math.nan}, "high must be a finite number, got nan"),
        ({"low": -math.inf}, "low must be a finite number, got -inf"),
        ({"high": 10**400}, "high must be a finite number"),
        ({"stuck_s": -1.0}, "stuck_s must be at least 0.0 s, got -1.0"),
        ({"duration_s": 1e9}, "duration_s must lie in 0.0 to 604800.0 s"),
    ],
)
def test_a_limit_that_is_none_is_refused(values: dict[str, float], told: str) -> None:
    with pytest.raises(ParameterError, match=told):
        build(ReadingLimitParams, values, "reading_limit of s")


@pytest.mark.parametrize("values", [{"high": "x" * 50_000}, {"h" * 50_000: 1.0}])
def test_a_long_hostile_value_does_not_fill_the_message(values: dict[str, Any]) -> None:
    with pytest.raises(ParameterError) as refused:
        build(ReadingLimitParams, values, "reading_limit of s")
    assert len(str(refused.value)) < 500


def test_a_misspelt_limit_is_refused_by_name_and_every_limit_explains_itself() -> None:
    with pytest.raises(ParameterError, match="did you mean 'hysteresis'"):
        build(ReadingLimitParams, {"hysteresys": 1.0}, "reading_limit of s")
    described = schema(ReadingLimitParams)["properties"]
    assert all(entry["description"] for entry in described.values())
