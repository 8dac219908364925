from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from detectors.kit.lanes import read_lanes
from detectors.kit.types import Frame, Observation
from detectors.wrong_way import WrongWay, WrongWayParams
from edge.scenes import open_scene
from edge.scenes.wrong_way import lane_text
from tests.detectors.rendered import episodes, shown
from tests.detectors.scenes import car, film, flash, street

ROAD = street(160, 90)
LANES = "in:down=0.3,0.0 0.7,0.0 0.7,1.0 0.3,1.0"


def told(*painters: Any, lanes: str = LANES, seconds: float = 10.0) -> list[str]:
    params = WrongWayParams(lanes=lanes)
    return [
        p for p, _, _ in episodes(film(seconds, *painters, fps=8.0, scene=ROAD), WrongWay(params))
    ]


def down(second: float) -> float:
    return second * 0.2 - 0.3


def up(second: float) -> float:
    return 1.3 - second * 0.2


def test_a_car_that_drives_against_its_lane_is_told_while_it_does() -> None:
    assert told(car(0.5, up), seconds=16.0) == ["raised", "cleared"]


@pytest.mark.parametrize(
    ("lane", "path"), [(0.5, down), (0.85, up)], ids=["with its lane", "outside the lane"]
)
def test_who_drives_as_one_should_is_not_told(lane: float, path: Callable[[float], float]) -> None:
    assert told(car(lane, path)) == []


def test_without_lanes_nothing_is_told() -> None:
    assert told(car(0.5, up), lanes="") == []


def test_who_crosses_the_lane_is_not_told() -> None:
    assert told(car(0.5, down, across=True), car(0.7, up, across=True), seconds=8.0) == []


def test_a_car_that_reverses_by_less_than_its_length_is_not_told() -> None:
    assert told(car(0.5, lambda s: min(s * 0.2, 0.6) - max(0.0, min(s - 5.0, 0.4)) * 0.2)) == []


def test_a_row_of_cars_one_behind_another_is_not_told() -> None:
    def path(number: int) -> Callable[[float], float]:
        return lambda second: second * 0.5 - 0.2 - number * 0.35

    assert told(*(car(0.5, path(n)) for n in range(12))) == []


def test_a_flash_is_not_told() -> None:
    assert told(car(0.5, down), flash(2.0, 0.2), flash(4.0, 0.2)) == []


def test_the_lane_of_a_car_is_that_where_it_meets_the_road() -> None:
    watcher = WrongWay(WrongWayParams(lanes="in:down=0.3,0.0 0.7,0.0 0.7,0.3 0.3,0.3"))
    for frame in film(3, car(0.5, lambda s: 0.9 - s * 0.1), fps=8.0):
        (seen,) = watcher.observe(frame)
        assert isinstance(seen, Observation)
        assert seen.score == 0.0


def test_each_of_many_cameras_keeps_its_own_account() -> None:
    def among_others(stream: Iterator[Frame]) -> Iterator[Frame]:
        for frame in stream:
            for n in range(70):
                read_lanes(f"lane-{n}:up=0.0,0.0 1.0,0.0 1.0,1.0")
            yield frame

    watcher = WrongWay(WrongWayParams(lanes=LANES))
    stream = film(10, car(0.5, up), fps=8.0, scene=ROAD)
    assert [p for p, _, _ in episodes(among_others(stream), watcher)] == ["raised"]


def test_the_wrong_way_driver_of_the_rendered_street_is_told_within_four_seconds() -> None:
    """And nobody else of the traffic in both directions about it."""
    scene = open_scene("wrong_way")
    (truth,) = [s for s in scene.truth().spans if s.label == "wrong_way"]
    lanes = f"{lane_text('in', 'down', -1.0, 2.0)}; {lane_text('out', 'up', 1.0, 2.0)}"
    found = episodes(shown(scene, 8.0, 20.0, 48.0), WrongWay(WrongWayParams(lanes=lanes)))
    assert [phase for phase, _, _ in found] == ["raised", "cleared"]
    assert 0.0 <= found[0][2] - truth.start_s <= 4.0
