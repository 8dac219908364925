from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contract.episode import EpisodeChange
from contract.taxonomy import Phase
from detectors.kit.types import Frame, Image, Observation
from detectors.kit.zones import Zone
from detectors.look import EPOCH, frames, watch
from detectors.stopped_vehicle import StoppedVehicle, StoppedVehicleParams
from edge.scenes import open_scene
from tests.detectors.scenes import START, Painter, car, exposure, film, flash

FPS = 5.0


def changes(stream: Iterator[Frame], **params: Any) -> list[EpisodeChange]:
    detector = StoppedVehicle(StoppedVehicleParams(**params))
    return [
        c
        for c in watch(stream, detector)
        if isinstance(c, EpisodeChange) and c.phase is not Phase.UPDATED
    ]


def told(stream: Iterator[Frame], **params: Any) -> list[tuple[str, float]]:
    return [
        (str(c.phase), (c.at - START).total_seconds())
        for c in changes(stream, **params)
        if c.reason != "the video ended"
    ]


def stops(at_s: float, goes_s: float = 1e9, place: float = 0.5) -> Callable[[float], float]:
    """Comes from above, stands at `place` from `at_s` on, and goes on down at `goes_s`."""

    def path(second: float) -> float:
        return place - max(0.0, at_s - second) * 0.2 + max(0.0, second - goes_s) * 0.2

    return path


def test_a_car_that_drives_in_and_stands_is_told_soon_after_its_dwell_where_it_stands() -> None:
    (raised, ended) = changes(film(30, car(0.5, stops(10.0)), fps=FPS), dwell_s=8.0)
    assert raised.phase is Phase.RAISED
    assert 15.0 <= (raised.at - START).total_seconds() <= 20.0
    assert raised.box is not None
    assert raised.box.x + raised.box.w / 2 == pytest.approx(0.5, abs=0.03)
    assert raised.box.y + raised.box.h / 2 == pytest.approx(0.5, abs=0.03)
    assert ended.reason == "the video ended"


def test_the_alarm_ends_when_the_car_has_gone() -> None:
    stream = film(60, car(0.5, stops(8.0, goes_s=30.0)), fps=FPS)
    (raised, cleared) = told(stream, off_delay_s=5.0)
    assert (raised[0], cleared[0]) == ("raised", "cleared")
    assert 33.0 <= cleared[1] <= 42.0


def test_a_car_that_stays_is_one_alarm_that_lasts() -> None:
    assert [p for p, _ in told(film(100, car(0.5, stops(8.0)), fps=FPS))] == ["raised"]


def test_a_car_that_stands_shorter_than_the_dwell_is_not_told() -> None:
    assert told(film(30, car(0.5, stops(8.0, goes_s=12.0)), fps=FPS)) == []


@pytest.mark.parametrize("fps", [3.0, 5.0, 12.5])
def test_the_dwell_does_not_depend_on_the_frame_rate(fps: float) -> None:
    ((phase, second), *_) = told(film(30, car(0.5, stops(8.0)), fps=fps), dwell_s=10.0)
    assert phase == "raised"
    assert 15.0 <= second <= 20.0


@pytest.mark.parametrize("colour", [(255, 255, 255), (130, 125, 60), (30, 30, 30)])
def test_the_dwell_does_not_depend_on_the_contrast(colour: tuple[int, int, int]) -> None:
    """Four fifths of it and three samples after it stopped."""
    ((phase, second), *_) = told(film(22, car(0.5, stops(8.0), colour), fps=FPS))
    assert phase == "raised"
    assert 15.2 <= second <= 16.2


def test_traffic_that_flows_is_not_told() -> None:
    cars = [car(0.5, lambda s, n=n: s * 0.3 - n * 0.7) for n in range(25)]  # type: ignore[misc]
    assert told(film(60, *cars, fps=FPS)) == []


@pytest.mark.long
def test_a_car_that_others_pass_in_front_of_stays_told_as_one() -> None:
    passing = [
        car(0.42, lambda s, n=n: s * 0.5 - 5.0 - n * 3.0, (40, 40, 190))  # type: ignore[misc]
        for n in range(12)
    ]
    phases = [p for p, _ in told(film(70, car(0.5, stops(8.0)), *passing, fps=FPS))]
    assert phases == ["raised"]


@pytest.mark.parametrize("colour", [(200, 190, 60), (30, 30, 30), (240, 240, 240)])
def test_a_car_parked_from_the_first_picture_that_leaves_is_not_told(
    colour: tuple[int, int, int],
) -> None:
    leaving = car(0.5, lambda s: 0.5 + max(0.0, s - 15.0) * 0.2, colour)
    assert told(film(45, leaving, fps=FPS)) == []


def test_a_car_parked_from_the_first_picture_is_a_part_of_the_scene() -> None:
    assert told(film(40, car(0.5, lambda s: 0.5), fps=FPS)) == []


@pytest.mark.long
def test_changes_of_light_are_not_told() -> None:
    stream = film(60, exposure(10.0, 1.5), exposure(25.0, 0.6), flash(40.0, 0.4), fps=FPS)
    assert told(stream) == []


def test_a_flash_does_not_lose_the_car_that_stands() -> None:
    stream = film(30, car(0.5, stops(8.0)), flash(12.0, 0.4), fps=FPS)
    assert [p for p, _ in told(stream)] == ["raised"]


def patch(gain: float, begin: float) -> Painter:
    """Sun or shade that falls on a part of the street with hard edges."""

    def paint(image: Image, second: float) -> None:
        if second >= begin:
            part = image[60:110, 120:200]
            part[:] = np.clip(part * gain, 0, 255).astype(np.uint8)

    return paint


@pytest.mark.parametrize("gain", [1.6, 0.55])
def test_sun_or_shade_that_falls_on_the_road_is_not_told(gain: float) -> None:
    assert told(film(35, patch(gain, 12.0), fps=FPS)) == []


def test_only_what_stands_inside_the_zone_is_told() -> None:
    def stream() -> Iterator[Frame]:
        return film(30, car(0.75, stops(8.0)), fps=FPS)

    assert told(stream(), zone_x=0.0, zone_w=0.5) == []
    assert [p for p, _ in told(stream(), zone_x=0.5, zone_w=0.5)] == ["raised"]


def test_a_strip_that_no_vehicle_is_as_long_as_is_not_told() -> None:
    """What light, a banner or a row of far vehicles leaves."""
    assert told(film(30, car(0.5, stops(10.0), size=(0.6, 0.09)), fps=FPS)) == []


def test_what_is_smaller_than_a_vehicle_is_not_told() -> None:
    walker = car(0.5, stops(8.0), size=(0.02, 0.05))
    assert told(film(30, walker, fps=FPS), min_size=0.05) == []


def test_a_pause_of_the_stream_begins_the_scene_anew() -> None:
    detector = StoppedVehicle(StoppedVehicleParams())
    for shown in film(14, car(0.5, stops(8.0)), fps=FPS):
        detector.observe(shown)
    (frame,) = film(0.2, car(0.5, lambda s: 0.5), fps=FPS)
    later = Frame(frame.image, START + timedelta(hours=1), "scene", 999)
    (seen,) = detector.observe(later)
    assert isinstance(seen, Observation)
    assert seen.score == 0.0


@pytest.mark.long
def test_the_car_that_pulls_over_in_the_rendered_street_is_told_within_fifteen_seconds() -> None:
    """Its first pictures show others driving: the road beneath them must not be told instead."""
    scene = open_scene("street")
    (span,) = scene.truth().spans
    assert span.box is not None

    def shown() -> Iterator[Frame]:
        for number in range(0, int(36.0 * scene.fps), 2):
            canvas = np.empty((*scene.size, 3), np.uint8)
            scene.draw(number / scene.fps, canvas)
            at = START + timedelta(seconds=number / scene.fps)
            yield Frame(canvas, at, "street", number)

    (raised, _) = changes(shown())
    delay_s = (raised.at - START).total_seconds() - span.start_s
    assert 0.0 <= delay_s <= 15.0
    assert raised.box is not None
    assert raised.box.iou(span.box) > 0.3


@pytest.mark.clips
def test_a_car_that_crashes_and_stands_is_told_within_ten_seconds_in_a_real_clip(
    clips: Path,
) -> None:
    found = changes(frames(clips / "traffic/T26_crash_india.mp4"))
    raised = [c for c in found if c.phase is Phase.RAISED]
    assert len(raised) == 1
    assert 0.0 <= (raised[0].at - EPOCH).total_seconds() - 250 / 25.0 <= 10.0


@pytest.mark.clips
def test_parked_cars_of_a_real_clip_are_not_told(clips: Path) -> None:
    assert changes(frames(clips / "traffic/T23_car_park_dusk.mp4")) == []


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        (Zone(), (slice(0, 100), slice(0, 200))),
        (Zone(0.25, 0.5, 0.5, 0.25), (slice(50, 75), slice(50, 150))),
        (Zone(1.0, 1.0, 1.0, 1.0), (slice(99, 100), slice(199, 200))),
        (Zone(0.5, 0.5, 1.0, 1.0), (slice(50, 100), slice(100, 200))),
        (Zone(0.5, 0.5, 0.0, 0.0), (slice(50, 51), slice(100, 101))),
    ],
)
def test_a_zone_is_cut_off_at_the_picture_and_never_empty(
    zone: Zone, expected: tuple[slice, slice]
) -> None:
    assert zone.pixels(200, 100) == expected
