from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectors.kit.types import Frame, Measurement
from detectors.look import Counted, frames, watch
from detectors.traffic_flow import TrafficFlow, TrafficFlowParams
from tests.detectors.scenes import START, car, exposure, film, flash, street


def counted(stream: Iterator[Frame], **params: Any) -> list[Counted]:
    detector = TrafficFlow(TrafficFlowParams(**params))
    return [c for c in watch(stream, detector) if isinstance(c, Counted)]


def away(second: float) -> float:
    return second * 0.25 - 0.3


def back(second: float) -> float:
    return 1.3 - second * 0.25


def follow(number: int, second: float) -> float:
    return second * 0.3 - 0.2 - number * 0.45


def words(stream: Iterator[Frame], **params: Any) -> list[str]:
    return [c.measurement.label for c in counted(stream, **params)]


def test_a_car_that_drives_down_is_one_crossing_down_at_the_time_it_passes() -> None:
    (crossing,) = counted(film(6, car(0.5, lambda s: s * 0.25 - 0.3), fps=25), line=0.6)
    assert crossing.measurement == Measurement("vehicle_crossing", 1.0, "1", "down", "line-1")
    # its centre is on the line at 3.6 s, and firmly beyond it a tenth of its length later
    assert 3.6 <= (crossing.at - START).total_seconds() < 4.0


@pytest.mark.parametrize(
    ("path", "across", "word"),
    [
        (away, False, "down"),
        (back, False, "up"),
        (away, True, "right"),
        (back, True, "left"),
    ],
)
def test_the_direction_is_that_of_the_car(path: Any, across: bool, word: str) -> None:
    axis = "vertical" if across else "horizontal"
    assert words(film(6, car(0.5, path, across=across), fps=25), line=0.5, axis=axis) == [word]


@pytest.mark.parametrize("fps", [8.0, 12.5, 25.0, 60.0])
def test_each_car_of_a_row_counts_once_at_any_frame_rate(fps: float) -> None:
    cars = [car(0.5, partial(follow, n)) for n in range(5)]
    assert words(film(13, *cars, fps=fps), line=0.6) == ["down"] * 5


@pytest.mark.parametrize(("width", "height"), [(320, 240), (1280, 720), (360, 640), (3840, 2160)])
def test_a_car_counts_at_any_size_of_picture(width: int, height: int) -> None:
    stream = film(
        2.5, car(0.5, lambda s: s * 0.6 - 0.3), fps=12.5, scene=street(width, height), noise=0.0
    )
    assert words(stream, line=0.5) == ["down"]


def test_cars_in_two_lanes_count_in_their_own_directions() -> None:
    stream = film(
        7, car(0.25, lambda s: s * 0.25 - 0.2), car(0.75, lambda s: 1.2 - s * 0.25), fps=25
    )
    assert Counter(words(stream, line=0.5)) == {"down": 1, "up": 1}


def test_each_lane_has_its_crossings_their_speed_and_how_long_its_line_was_covered() -> None:
    """The picture is 10 m by 20 m of road, and cars drive down at 6 m/s, in one lane of two."""
    cars = [car(0.25, partial(follow, n), size=(0.2, 0.1)) for n in range(0, 12, 2)]
    found = counted(
        film(16, *cars, fps=15),
        line=0.6,
        lanes="in:down=0,0 0.5,0 0.5,1 0,1; out:up=0.5,0 1,0 1,1 0.5,1",
        calibration="0,0>0,20 1,0>10,20 1,1>10,0 0,1>0,0",
        report_s=5.0,
    )
    by_metric: dict[str, list[Measurement]] = {}
    for one in found:
        by_metric.setdefault(one.measurement.metric, []).append(one.measurement)
    crossings = by_metric["vehicle_crossing"]
    assert {(m.place, m.label) for m in crossings} == {("in", "down")}
    speeds = by_metric["vehicle_speed"]
    assert len(speeds) == len(by_metric["vehicle_speed_deviation"]) == len(crossings) >= 3
    assert all(m.unit == "km/h" for m in speeds)
    for speed, deviation in zip(speeds, by_metric["vehicle_speed_deviation"], strict=True):
        assert abs(speed.value - 21.6) < 3.0 * deviation.value < 10.0
    covered = {m.place: m.value for m in by_metric["lane_occupancy"]}
    assert covered["out"] == 0.0
    assert 0.02 < covered["in"] < 0.3


def test_a_queue_that_stands_on_the_line_counts_nobody_until_it_moves_and_then_each_once() -> None:
    """Stop and go: in at 2 s, standing with its middle on the line for 40 s, then off."""

    def stop_and_go(n: int) -> Any:
        def path(second: float) -> float:
            going_in = min(second, 2.0) * 0.4
            off = max(0.0, second - 42.0) * 0.4
            jitter = 0.004 * math.sin(second * 9.0)  # the outline of a running engine
            return going_in + off - 0.2 - n * 0.3 + jitter

        return path

    colours = [(200, 190, 60), (40, 40, 170), (230, 230, 230)]
    cars = [car(0.5, stop_and_go(n), colours[n]) for n in range(3)]
    crossings = counted(film(50, *cars, fps=12.5), line=0.6)
    seconds = [(c.at - START).total_seconds() for c in crossings]
    assert [c.measurement.label for c in crossings] == ["down"] * 3
    assert all(s > 41.0 for s in seconds)


def test_a_car_that_trembles_on_the_line_is_never_counted() -> None:
    trembling = car(0.5, lambda s: 0.6 + 0.012 * math.sin(s * 5.0))
    assert words(film(40, trembling, fps=12.5), line=0.6) == []


def test_a_car_that_turns_round_at_the_line_is_not_counted() -> None:
    stream = film(8, car(0.5, lambda s: 0.55 - abs(s - 4.0) * 0.2), fps=25)
    assert words(stream, line=0.6) == []


def test_a_car_that_drives_off_leaves_nothing_behind_that_counts() -> None:
    parked = car(0.5, lambda s: 0.3 + max(0.0, s - 10.0) * 0.4)
    assert words(film(40, parked, fps=12.5), line=0.7) == ["down"]


def test_a_shadow_is_no_vehicle() -> None:
    def shadow(image: Any, second: float) -> None:
        top = max(0, int((second * 0.25 - 0.2) * 180))
        part = image[top : top + 40, 100:190]
        part[:] = (part * 0.65).astype(np.uint8)

    assert words(film(6, shadow, fps=25), line=0.5) == []


def test_light_that_changes_at_once_counts_nothing() -> None:
    assert words(film(8, exposure(3.0, 1.5), exposure(5.0, 0.6), fps=25), line=0.5) == []


def test_a_flash_while_a_car_crosses_loses_no_car_and_adds_none() -> None:
    stream = film(6, car(0.5, lambda s: s * 0.25 - 0.3), flash(2.0, 0.1), fps=25)
    assert words(stream, line=0.6) == ["down"]


def test_what_is_smaller_than_a_vehicle_is_not_counted() -> None:
    walker = car(0.5, lambda s: s * 0.25 - 0.3, size=(0.02, 0.05))
    assert words(film(6, walker, fps=25), line=0.6) == []


def test_moving_the_line_while_it_runs_counts_at_the_new_one() -> None:
    detector = TrafficFlow(TrafficFlowParams(line=0.3))
    found: list[Any] = []
    for frame in film(6, car(0.5, lambda s: s * 0.25 - 0.3), fps=25):
        if frame.number == 30:
            detector.use(TrafficFlowParams(line=0.8))
        found += detector.observe(frame)
    assert [f.label for f in found] == ["down"]


LINES = {
    "traffic/T01_intel_car_detection.mp4": ("horizontal", 0.50),
    "traffic/T02_bgs_video.avi": ("vertical", 0.50),
    "traffic/T04_bgs_video03.avi": ("horizontal", 0.60),
    "traffic/T07_suburban_road.mp4": ("horizontal", 0.62),
}


@pytest.mark.clips
@pytest.mark.parametrize("name", LINES)
def test_hand_counted_clips_are_counted_within_a_tenth(clips: Path, name: str) -> None:
    labels = {x["file"]: x for x in json.loads((clips / "labels.json").read_text())}
    axis, line = LINES[name]
    found = Counter(words(frames(clips / name), line=line, axis=axis))
    by_hand = {d: labels[name][d] for d in ("down", "up", "left", "right") if d in labels[name]}
    error = sum(abs(found[d] - by_hand.get(d, 0)) for d in {*found, *by_hand})
    assert error <= 0.1 * labels[name]["count"]
