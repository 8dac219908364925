"""Detectors over the readings of one metric."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from contract.geometry import Point
from contract.messages import Detection, Reading
from contract.taxonomy import Lane
from edge.readings import watch as watching
from edge.readings.watch import SensorWatch
from tests.edge.readings.builders import AT
from tests.edge.sensor_builders import detections, sensor, told

WATER = """
[[sensor]]
id = "yard"
kind = "number"
topic = "{device}/water_level"
metric = "water_level"
position = [113.65, 34.76]
[[sensor.device]]
id = "well-1"
cell = "410105001002005"
[[sensor.watch]]
metric = "water_level"
device = "well-*"
[sensor.watch.detectors.reading_limit]
"""


def watch(tmp_path: Path, parameters: str) -> SensorWatch:
    settings = sensor(tmp_path, WATER + parameters)
    return SensorWatch("a-1", settings, settings.watches[0])


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def level(seconds: float, value: float, device: str = "well-2", place: str = "") -> Reading:
    return Reading(
        device=device, metric="water_level", value=value, unit="m", captured_at=after(seconds),
        place=place,
    )  # fmt: skip


def see(w: SensorWatch, *seen: Reading) -> list[tuple[str, str, str]]:
    return told([e for r in seen for e in w.observe(r, r.captured_at)])


def test_a_value_beyond_its_limit_is_a_detection_with_the_curve_as_its_evidence(
    tmp_path: Path,
) -> None:
    w = watch(tmp_path, "high_on = true\nhigh = 2.0\nhysteresis = 0.5\n")
    assert see(w, level(0, 1.0), level(60, 1.9)) == []
    (raised,) = detections(w.observe(level(120, 2.5), after(121)))
    assert (raised.stream, raised.kind, raised.label) == (
        "well-2",
        "reading_limit",
        "water_level.high",
    )
    assert raised.readings is not None
    assert raised.readings.values == [(-120.0, 1.0), (-60.0, 1.9), (0.0, 2.5)]
    assert (raised.readings.unit, raised.readings.high, raised.readings.low) == ("m", 2.0, None)
    assert raised.rule.reason.startswith("water_level.high at 2.5: ")
    assert raised.position is not None
    assert raised.position.lon == 113.65
    assert see(w, level(180, 1.6)) == []
    assert see(w, level(240, 1.4)) == [("well-2", "water_level.high", "cleared")]


def test_a_device_of_which_only_the_cell_is_known_says_that(tmp_path: Path) -> None:
    w = watch(tmp_path, "high_on = true\nhigh = 2.0\n")
    (raised,) = detections(w.observe(level(0, 3.0, "well-1"), AT))
    assert (raised.position, raised.cell) == (None, "410105001002005")


def test_a_device_the_pattern_does_not_fit_and_another_metric_are_not_watched(
    tmp_path: Path,
) -> None:
    w = watch(tmp_path, "high_on = true\n")
    assert w.wants(level(0, 1.0))
    assert not w.wants(level(0, 1.0, "tank-1"))
    assert not w.wants(Reading(device="well-1", metric="battery", value=1.0, captured_at=AT))


def test_silence_is_told_by_a_look_at_the_clock_and_ends_with_the_next_reading(
    tmp_path: Path,
) -> None:
    w = watch(tmp_path, "gap_s = 60\n")
    see(w, level(0, 1.0))
    assert told(w.idle(after(59))) == []
    assert told(w.idle(after(61))) == [("well-2", "water_level.gap", "raised")]
    assert see(w, level(70, 1.0)) == [("well-2", "water_level.gap", "cleared")]


@pytest.mark.parametrize("off_s", [-200.0, 200.0])
def test_a_device_whose_clock_is_off_by_minutes_is_not_silent(tmp_path: Path, off_s: float) -> None:
    w = watch(tmp_path, "gap_s = 60\n")
    for k in range(20):
        heard = after(30.0 * k)
        assert told(w.observe(level(30.0 * k + off_s, 1.0), heard)) == []
        assert ("well-2", "water_level.gap", "raised") not in told(w.idle(after(30.0 * k + 20)))
    assert told(w.idle(after(30.0 * 19 + 62))) == [("well-2", "water_level.gap", "raised")]


def test_a_device_of_the_settings_that_never_comes_is_silent_since_the_start(
    tmp_path: Path,
) -> None:
    w = watch(tmp_path, "gap_s = 60\n")
    assert told(w.idle(AT)) == []
    assert told(w.idle(after(61))) == [("well-1", "water_level.gap", "raised")]
    assert see(w, level(70, 1.0, "well-1", "north")) == [("well-1", "water_level.gap", "cleared")]


def test_a_command_moves_the_limit_of_every_series_live(tmp_path: Path) -> None:
    w = watch(tmp_path, "high_on = true\nhigh = 2.0\n")
    assert see(w, level(0, 1.5), level(0, 1.5, "well-3")) == []
    assert w.use({"reading_limit": {"high": 1.0}}) == []
    assert see(w, level(60, 1.5), level(60, 1.5, "well-3")) == [
        ("well-2", "water_level.high", "raised"),
        ("well-3", "water_level.high", "raised"),
    ]
    (running,) = w.manifests()
    assert running.parameters["high"] == 1.0
    assert running.schema["properties"]["duration_s"]["x-unit"] == "s"
    assert w.use({}) == []
    assert see(w, level(120, 1.5)) == [("well-2", "water_level.high", "cleared")]


def test_what_a_command_cannot_mean_is_refused_by_name_and_the_rest_applies(tmp_path: Path) -> None:
    w = watch(tmp_path, "high_on = true\nhigh = 2.0\n")
    errors = w.use({"reading_limit": {"high": 1.0, "hihg": 3}, "flame": {}})
    assert [e[:60] for e in errors] == [
        "watch yard.water_level has no detector 'flame'; it has: read",
        "reading_limit of watch yard.water_level has no parameter 'hi",
    ]
    assert see(w, level(0, 1.5)) == [("well-2", "water_level.high", "raised")]


def test_one_series_says_nothing_of_another(tmp_path: Path) -> None:
    w = watch(tmp_path, "stuck_s = 60\n")
    assert see(w, level(0, 1.0), level(30, 1.0, place="north"), level(61, 2.0)) == []
    assert see(w, level(91, 1.0, place="north")) == [("well-2", "water_level.stuck", "raised")]


def test_more_series_than_can_be_watched_are_counted_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "MAX_SERIES", 2)
    w = watch(tmp_path, "high_on = true\nhigh = 2.0\n")
    seen = see(w, *(level(k, 3.0, f"well-{k}") for k in range(2, 6)))
    assert len(seen) == 2
    assert w.left_out == 2
    assert "more than 2 series" in w.fault()


def test_scores_are_kept_for_a_sweep_of_thresholds(tmp_path: Path) -> None:
    w = watch(tmp_path, "high_on = true\nhigh = 2.0\n")
    see(w, level(0, 1.0), level(10, 1.0))
    assert [e.lane for e in w.flush()] == [Lane.SCORE]


AIR = (
    """
[[sensor]]
id = "street"
kind = "number"
topic = "{device}/pm2_5"
metric = "pm2_5"
"""
    + "".join(
        f'[[sensor.device]]\nid = "air-{k}"\nposition = [{113.65 + 0.002 * k}, 34.76]\n'
        for k in range(5)
    )
    + """
[[sensor.watch]]
metric = "pm2_5"
[sensor.watch.detectors.reading_limit]
high_on = true
high = 500
[sensor.watch.detectors.reading_neighbours]
duration_s = 600
change = 60
"""
)


def air(tmp_path: Path) -> SensorWatch:
    settings = sensor(tmp_path, AIR)
    return SensorWatch("a-1", settings, settings.watches[0])


def measure(w: SensorWatch, *rounds: tuple[float, ...]) -> list[Detection]:
    """Every ten minutes a value of each device."""
    out: list[Detection] = []
    for k, values in enumerate(rounds):
        for n, value in enumerate(values):
            at = after(600.0 * k + n)
            reading = Reading(
                device=f"air-{n}", metric="pm2_5", value=value, unit="ug/m3", captured_at=at
            )
            out += detections(w.observe(reading, at))
    return out


def test_a_device_unlike_its_neighbours_is_a_detection_of_that_device(tmp_path: Path) -> None:
    usual, odd = (40.0, 42.0, 38.0, 41.0, 39.0), (40.0, 42.0, 38.0, 41.0, 160.0)
    (raised, cleared) = measure(air(tmp_path), usual, odd, odd, usual)
    assert (raised.stream, raised.kind, raised.label, raised.phase) == (
        "air-4",
        "reading_neighbours",
        "pm2_5.disagrees",
        "raised",
    )
    assert raised.rule.reason.startswith("pm2_5.disagrees at 160, its neighbours at 40.5: ")
    assert raised.readings is not None
    assert [v for _, v in raised.readings.values] == [39.0, 160.0, 160.0]
    assert (raised.position, cleared.phase) == (Point(113.658, 34.76), "cleared")


def test_a_neighbourhood_that_rises_is_one_detection_in_its_middle(tmp_path: Path) -> None:
    usual, risen = (40.0,) * 5, (150.0, 160.0, 140.0, 155.0, 150.0)
    (raised,) = measure(air(tmp_path), usual, usual, risen, risen)
    assert (raised.stream, raised.label) == ("street.pm2_5", "pm2_5.rising")
    assert raised.position is not None
    assert raised.position.lon == pytest.approx(113.654, abs=1e-4)


def test_a_detector_across_devices_is_tuned_told_and_scored_as_the_others(tmp_path: Path) -> None:
    w = air(tmp_path)
    assert [m.kind for m in w.manifests()] == ["reading_limit", "reading_neighbours"]
    assert w.use({"reading_neighbours": {"share": 9.0, "shore": 1.0}}) == [
        "reading_neighbours of watch street.pm2_5 has no parameter 'shore'; did you mean 'share'? "
        "(it has: change, change_window_s, duration_s, fresh_s, least, radius_m, share, threshold, "
        "tolerance)"
    ]
    usual, odd = (40.0, 42.0, 38.0, 41.0, 39.0), (40.0, 42.0, 38.0, 41.0, 160.0)
    assert measure(w, usual, odd, odd) == []
    assert {e.lane for e in w.flush()} == {Lane.SCORE}
