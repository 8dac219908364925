from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from contract.geometry import Box
from detectors.dumping import Dumping, DumpingParams
from detectors.kit.types import Frame, Image
from edge.scenes import open_scene
from tests.detectors.rendered import episodes, shown
from tests.detectors.scenes import START, Painter, car, exposure, film, street

FPS = 3.0
ROAD = street(160, 90)


def told(*painters: Painter, seconds: float = 60.0, **params: Any) -> list[tuple[str, str, float]]:
    values = DumpingParams(**{"dwell_s": 10.0, **params})
    return episodes(film(seconds, *painters, fps=FPS, scene=ROAD), Dumping(values))


def bag(x: float, from_s: float, to_s: float = 1e9, size: float = 0.1) -> Painter:
    """A dark bag on the ground."""

    def paint(image: Image, second: float) -> None:
        if from_s <= second < to_s:
            height, width = image.shape[:2]
            left, half = round((x - size / 2) * width), round(size * width / 2)
            image[height // 2 : height // 2 + half, left : left + 2 * half] = (30, 34, 36)

    return paint


def person(x: float, comes_s: float, goes_s: float) -> Painter:
    """Somebody who comes from the left, is there, shifting from foot to foot, and goes again."""

    def paint(image: Image, second: float) -> None:
        height, width = image.shape[:2]
        away = max(0.0, comes_s - second, second - goes_s) * 0.12
        swing = round(1.6 * np.sin(second * 5.0))
        left = round((x - away) * width) + swing
        part = image[round(0.3 * height) : round(0.68 * height), max(0, left) : max(0, left + 9)]
        part[:] = (60, 50, 150)
        part[::3] = (90, 80, 180)

    return paint


def test_a_bag_that_somebody_leaves_is_told_once_it_lay_alone_for_its_dwell() -> None:
    found = told(person(0.4, 12.0, 16.0), bag(0.5, 13.0), seconds=60.0)
    assert [phase for phase, _, _ in found] == ["raised"]
    assert 24.0 <= found[0][2] <= 36.0


def test_the_alarm_ends_when_it_is_taken_away() -> None:
    found = told(person(0.4, 12.0, 16.0), bag(0.5, 13.0, 40.0), seconds=75.0, off_delay_s=5.0)
    assert [phase for phase, _, _ in found] == ["raised", "cleared"]


def test_a_bag_is_not_told_while_somebody_is_with_it() -> None:
    assert told(person(0.44, 12.0, 100.0), bag(0.5, 13.0), seconds=55.0) == []


def test_somebody_who_waits_is_no_bag() -> None:
    assert told(person(0.5, 12.0, 100.0), seconds=55.0, min_size=0.05) == []


def test_what_a_model_calls_a_person_is_no_bag_as_long_as_it_does() -> None:
    watcher = Dumping(DumpingParams(dwell_s=10.0))
    came = person(0.4, 12.0, 16.0), bag(0.5, 13.0)
    where = Box(0.42, 0.3, 0.16, 0.5)

    def heard(until_s: float) -> Iterator[Frame]:
        for frame in film(70.0, *came, fps=FPS, scene=ROAD):
            if frame.captured_at - START <= timedelta(seconds=until_s):
                watcher.hear([where], frame.captured_at)
            yield frame

    ((phase, _, second),) = episodes(heard(40.0), watcher)
    assert phase == "raised"
    assert 50.0 <= second <= 58.0, "ten seconds after the model's last word of it"


def test_a_person_beside_it_is_no_veto() -> None:
    watcher = Dumping(DumpingParams(dwell_s=10.0))
    came = person(0.4, 12.0, 16.0), bag(0.5, 13.0)

    def heard() -> Iterator[Frame]:
        for frame in film(60.0, *came, fps=FPS, scene=ROAD):
            watcher.hear([Box(0.1, 0.3, 0.2, 0.5)], frame.captured_at)
            yield frame

    ((_, _, second),) = episodes(heard(), watcher)
    assert 24.0 <= second <= 36.0


def test_two_bags_are_an_alarm_each() -> None:
    found = told(
        person(0.25, 12.0, 15.0),
        bag(0.35, 13.0),
        person(0.65, 26.0, 29.0),
        bag(0.75, 27.0),
        seconds=60.0,
    )
    assert [(phase, place) for phase, place, _ in found] == [
        ("raised", "thing-1"),
        ("raised", "thing-2"),
    ]


def test_what_is_larger_than_a_thing_may_be_is_a_vehicle_and_not_told() -> None:
    stops = car(0.5, lambda s: 0.5 - max(0.0, 12.0 - s) * 0.2, size=(0.4, 0.5))
    assert told(stops, max_size=0.2) == []


def test_what_lies_there_from_the_first_picture_on_is_not_told_nor_is_its_going() -> None:
    assert told(bag(0.5, 0.0, 25.0)) == []


def test_changes_of_light_are_not_told() -> None:
    assert told(exposure(15.0, 1.5), exposure(35.0, 0.6)) == []


@pytest.mark.parametrize(("corners", "phases"), [("0,0 0.4,0 0.4,1 0,1", []), ("", ["raised"])])
def test_only_what_lies_in_the_drawn_zone_is_told(corners: str, phases: list[str]) -> None:
    found = told(person(0.5, 12.0, 16.0), bag(0.6, 13.0), zone_corners=corners, seconds=45.0)
    assert [phase for phase, _, _ in found] == phases


def test_the_bags_on_the_rendered_pavement_are_told_as_one_and_traffic_is_not() -> None:
    scene = open_scene("dumped")
    (truth,) = scene.truth().spans
    found = episodes(shown(scene, FPS, 0.0, 66.0), Dumping(DumpingParams()))
    assert [phase for phase, _, _ in found] == ["raised"]
    assert 15.0 <= found[0][2] - truth.start_s <= 30.0
