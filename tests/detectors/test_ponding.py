from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from contract.episode import EpisodeChange
from contract.taxonomy import Phase
from detectors.kit.types import Frame, Image
from detectors.look import EPOCH, frames, watch
from detectors.ponding import Ponding, PondingParams
from edge.scenes import open_scene
from edge.scenes.drawing import HEIGHT, WIDTH
from edge.scenes.underpass import CAMERA, DIP_M, GAUGE_M, road_m
from tests.detectors.rendered import measured, second
from tests.detectors.scenes import START, Painter, car, exposure, film

FPS = 2.0
UNDERPASS = {"zone_x": 0.15, "zone_y": 0.45, "zone_w": 0.7, "zone_h": 0.35}


def road() -> Image:
    """A road with kerbs, dashes and the grain of its surface."""
    random = np.random.default_rng(4)
    coarse = random.integers(70, 130, (60, 106), np.uint8)
    grey = np.asarray(cv2.resize(coarse, (320, 180)), np.uint8)
    image = np.repeat(grey[..., None], 3, axis=2)
    image[:, 20:24] = image[:, 296:300] = 200
    image[::12, 155:160] = 220
    return image


def water(rises: float, runs_off: float = 1e9, top: float = 0.55) -> Painter:
    """Brown water over everything below `top`, with ripples; deep after three seconds."""

    def paint(image: Image, second: float) -> None:
        deep = float(np.clip(min((second - rises) / 3.0, (runs_off - second) / 3.0), 0.0, 0.9))
        part = image[round(top * image.shape[0]) :]
        rows, columns = np.mgrid[: part.shape[0], : part.shape[1]]
        ripple = 6.0 * np.sin(rows * 0.5 + columns * 0.13 + second * 9.0)
        brown = np.array([80.0, 100.0, 110.0]) + ripple[..., None]
        part[:] = (part * (1.0 - deep) + brown * deep).astype(np.uint8)

    return paint


def told(stream: Iterator[Frame], **params: Any) -> list[tuple[str, float]]:
    return [
        (str(c.phase), (c.at - START).total_seconds())
        for c in watch(stream, Ponding(PondingParams(**params)))
        if isinstance(c, EpisodeChange)
        and c.phase is not Phase.UPDATED
        and c.reason != "the video ended"
    ]


def street_film(seconds: float, *painters: Painter, **more: Any) -> Iterator[Frame]:
    return film(seconds, *painters, fps=FPS, scene=road(), **more)


def test_water_over_the_road_is_told_and_ends_when_it_has_run_off() -> None:
    (raised, cleared) = told(street_film(160, water(30.0, 70.0)), confirm_s=5.0, off_delay_s=30.0)
    assert raised[0] == "raised"
    assert 35.0 <= raised[1] <= 45.0
    assert cleared[0] == "cleared"
    assert 95.0 <= cleared[1] <= 115.0


@pytest.mark.long
def test_water_that_stays_for_ten_hours_is_not_learnt_as_the_road() -> None:
    stream = film(36_000, water(2000.0), fps=0.025, scene=road(), noise=0.5)
    assert [p for p, _ in told(stream)] == ["raised"]


def test_a_dry_road_is_not_told() -> None:
    assert told(street_film(60)) == []


def test_traffic_is_not_told() -> None:
    cars = [car(0.4, lambda s, n=n: s * 0.3 - n * 0.9) for n in range(20)]  # type: ignore[misc]
    assert told(street_film(60, *cars)) == []


def test_vehicles_that_stand_in_the_zone_are_not_told() -> None:
    """They hide the markings as water does, but have edges of their own."""
    queue = [
        car(x, lambda s, y=y: y if s > 20.0 else -1.0, size=(0.25, 0.2))  # type: ignore[misc]
        for x in (0.2, 0.5, 0.8)
        for y in (0.62, 0.86)
    ]
    assert told(street_film(60, *queue)) == []


@pytest.mark.parametrize("leaves", [8.0, 30.0])
def test_vehicles_that_stood_while_the_road_was_learnt_and_drive_off_are_not_told(
    leaves: float,
) -> None:
    """They take their edges along; what they stood on has fewer, and is the road from then on."""

    def bare(image: Image, second: float) -> None:
        image[90:, 28:292] = 105

    parked = [
        car(x, lambda s, y=y, n=n: y + max(0.0, s - leaves - n) * 0.4, size=(0.25, 0.2))  # type: ignore[misc]
        for x in (0.2, 0.5, 0.8)
        for n, y in enumerate((0.86, 0.62))
    ]
    markings = [lambda image, _, x=x: image[170:174, x : x + 12].fill(200) for x in (60, 160, 260)]
    stream = (bare, *markings, *parked)
    assert told(street_film(80, *stream)) == []
    assert [p for p, _ in told(street_film(120, *stream, water(80.0)))] == ["raised"]


def test_water_that_a_car_drives_through_is_told() -> None:
    cars = [car(0.4, lambda s, n=n: s * 0.3 - n * 1.2) for n in range(20)]  # type: ignore[misc]
    ((phase, at), *_) = told(street_film(80, water(30.0), *cars))
    assert phase == "raised"
    assert 35.0 <= at <= 55.0


def test_changes_of_light_are_not_told() -> None:
    assert told(street_film(90, exposure(25.0, 1.4), exposure(50.0, 0.4))) == []


def blurred(begin: float) -> Painter:
    """Fog, or a lens out of focus: the whole picture loses its edges."""

    def paint(image: Image, second: float) -> None:
        if second >= begin:
            image[:] = np.asarray(cv2.GaussianBlur(image, (21, 21), 0), np.uint8)

    return paint


def test_a_picture_that_loses_its_edges_everywhere_is_not_told() -> None:
    assert told(street_film(60, blurred(25.0))) == []


def test_a_zone_that_never_had_edges_says_nothing() -> None:
    blank = np.full((180, 320, 3), 110, np.uint8)
    blank[110:140, 150:153] = 220  # a post
    assert told(film(60, water(25.0), fps=FPS, scene=blank)) == []


def test_water_outside_the_zone_is_not_told() -> None:
    assert told(street_film(60, water(25.0, top=0.7)), zone_y=0.1, zone_h=0.4) == []


def test_water_from_the_first_picture_on_is_not_told() -> None:
    assert told(street_film(60, water(-10.0))) == []


def test_a_pause_of_the_stream_keeps_the_road_that_was_learnt() -> None:
    def paused() -> Iterator[Frame]:
        for shown in street_film(60, water(30.0)):
            late = timedelta(hours=1) if shown.number >= 50 else timedelta()
            yield dataclasses.replace(shown, captured_at=shown.captured_at + late)

    assert [p for p, _ in told(paused())] == ["raised"]


def rendered(name: str, seconds: float) -> Iterator[Frame]:
    scene = open_scene(name)
    for number in range(round(seconds * FPS)):
        canvas = np.empty((*scene.size, 3), np.uint8)
        scene.draw(number / FPS % scene.duration_s, canvas)
        yield Frame(canvas, START + timedelta(seconds=number / FPS), name, number)


def test_the_underpass_is_told_between_a_closed_road_and_a_drowned_car() -> None:
    ((phase, raised_s), *_) = told(rendered("water", 60.0), **UNDERPASS)
    levels = open_scene("water").truth().levels
    level_m = np.interp(raised_s, [v.at_s for v in levels], [v.height_m for v in levels])
    assert phase == "raised"
    assert 0.15 <= level_m <= 0.60


@pytest.mark.long
@pytest.mark.parametrize("name", ["street", "fire", "freeze"])
def test_rendered_scenes_without_water_are_not_told(name: str) -> None:
    assert told(rendered(name, 60.0)) == []


@pytest.mark.clips
def test_a_flooded_motorway_is_told_when_its_five_seconds_are_shown_as_fifty(clips: Path) -> None:
    slow = (
        dataclasses.replace(f, captured_at=EPOCH + 10 * (f.captured_at - EPOCH))
        for f in frames(clips / "environment/E03_flood_highway_beforeafter.mp4")
    )
    changes = [c for c in watch(slow, Ponding(PondingParams())) if isinstance(c, EpisodeChange)]
    raised = [c for c in changes if c.phase is Phase.RAISED]
    assert len(raised) == 1
    assert raised[0].frame >= 45


@pytest.mark.clips
@pytest.mark.parametrize("name", ["T07_suburban_road.mp4", "T15_jam_headon.mp4"])
def test_real_traffic_is_not_told(clips: Path, name: str) -> None:
    assert list(watch(frames(clips / "traffic" / name), Ponding(PondingParams()))) == []


def gauge() -> str:
    """The staff of the rendered underpass, in metres above the lowest point of its road."""
    points = []
    for above_m in (0.0, 0.5, 1.0, 1.5, 2.0):
        height_m = float(road_m(GAUGE_M[1])) + above_m
        x, y = CAMERA.point(GAUGE_M[0], height_m, GAUGE_M[1])
        points.append(f"{x / WIDTH:.5f},{y / HEIGHT:.5f}={height_m + DIP_M:.3f}")
    return " ".join(points)


def test_the_level_at_the_staff_of_the_underpass_is_right_within_a_quarter_of_a_metre() -> None:
    scene = open_scene("water")
    found = measured(rendered("water", 92.0), Ponding(PondingParams(gauge=gauge())), "water_level")
    levels = scene.truth().levels
    assert len(found) == 9
    for seen in found:
        truth_m = np.interp(second(seen), [v.at_s for v in levels], [v.height_m for v in levels])
        assert seen.measurement.value == pytest.approx(truth_m, abs=0.25)
    dry, flooded = found[0].measurement, found[6].measurement
    assert (dry.unit, dry.place) == ("m", "gauge")
    assert flooded.value - dry.value > 0.9


def test_without_a_gauge_no_level_is_told() -> None:
    assert measured(street_film(40, water(15.0)), Ponding(PondingParams()), "water_level") == []


def test_water_in_a_zone_of_corners_is_told() -> None:
    corners = "0,0.5 1,0.5 1,1 0,1"
    found = told(street_film(60, water(30.0)), zone_corners=corners, zone_h=0.1)
    assert [phase for phase, _ in found] == ["raised"]
