from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from contract.episode import EpisodeChange
from contract.taxonomy import Phase
from detectors.congestion import Congestion, CongestionParams
from detectors.kit.found_lanes import PARTS, FoundLane
from detectors.kit.long_term import LongTermBackground
from detectors.kit.types import Image
from detectors.look import frames, watch
from edge.scenes import open_scene
from edge.scenes.wrong_way import lane_text
from gridwarden.evaluation.perturbing import find
from tests.detectors.rendered import episodes, shown
from tests.detectors.scenes import Painter, car, exposure, film, street

LANES = "in:down=0.3,0.0 0.7,0.0 0.7,1.0 0.3,1.0"
FPS = 4.0
ROAD = street(160, 90)


def jam(begin: float, end: float, speed: float = 0.0, lane: float = 0.5) -> list[Painter]:
    """Cars that come one by one, stand (or crawl) in a row from `begin` to `end`, and go."""
    colours = [(200, 190, 60), (40, 40, 170), (230, 230, 230), (90, 160, 90)]
    paths = queue(begin, end, speed)
    return [car(lane, paths[n], colours[n], size=(0.28, 0.2)) for n in range(4)]


def queue(begin: float, end: float, speed: float = 0.0) -> list[Any]:
    """The paths of four that do so."""

    def path(number: int) -> Any:
        def where(second: float) -> float:
            stand = 0.85 - number * 0.25
            drove_in = max(0.0, begin - second) * 0.4
            gone = max(0.0, second - end - number) * 0.4
            crawled = max(0.0, min(second, end) - begin) * speed
            return stand - drove_in + gone + crawled

        return where

    return [path(n) for n in range(4)]


def told(
    *painters: Painter, seconds: float = 60.0, fps: float = FPS, **params: Any
) -> list[tuple[str, str, float]]:
    values = CongestionParams(**{"lanes": LANES, **params})
    return episodes(film(seconds, *painters, fps=fps, scene=ROAD), Congestion(values))


def test_a_lane_that_fills_and_stands_is_told_with_its_name_and_ends_when_it_flows() -> None:
    found = told(*jam(15.0, 45.0), seconds=90.0, confirm_s=10.0, off_delay_s=15.0)
    assert [(phase, place) for phase, place, _ in found] == [("raised", "in"), ("cleared", "in")]
    assert 23.0 <= found[0][2] <= 36.0
    assert 60.0 <= found[1][2] <= 80.0


def test_a_full_lane_that_flows_is_not_told() -> None:
    row = [car(0.5, lambda s, n=n: s * 0.5 - n * 0.3) for n in range(100)]  # type: ignore[misc]
    assert told(*row, seconds=50.0) == []


def test_one_car_that_stands_is_no_jam() -> None:
    one = car(0.5, lambda s: min(s * 0.2 - 2.0, 0.5), size=(0.2, 0.15))
    assert told(one) == []


def test_a_lane_that_nobody_uses_is_not_told() -> None:
    assert told(*jam(15.0, 45.0), lanes="out:up=0.75,0.0 1.0,0.0 1.0,1.0 0.75,1.0") == []


def test_changes_of_light_are_not_told() -> None:
    assert told(exposure(15.0, 1.5), exposure(35.0, 0.6)) == []


@pytest.mark.parametrize("light", [1.0, 0.4])
def test_a_dull_car_stands_out_at_dusk_as_it_does_by_day(light: float) -> None:
    """It is darker than the road by a quarter of its light, whatever that is."""
    road = LongTermBackground()

    def dull(image: Image, second: float) -> None:
        if second >= 7.0:
            image[30:60, 60:100] = image[30:60, 60:100] * 0.75

    found = None
    for frame in film(8.0, dull, exposure(0.0, light), fps=FPS, scene=ROAD, noise=3.0):
        luma = np.asarray(cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY), np.uint8)
        found = road.apply(luma, frame.captured_at, hold=False)
    assert found is not None
    assert np.count_nonzero(found[32:58, 62:98]) > 0.95 * 26 * 36
    assert np.count_nonzero(found) < 1.15 * 30 * 40


def test_sun_that_comes_out_on_the_lane_is_not_told() -> None:
    """What stands there then is the road itself: its joints and markings."""

    def sun(image: Image, second: float) -> None:
        part = image[:, round(0.3 * image.shape[1]) : round(0.7 * image.shape[1])]
        part[:] = np.clip(part * (1.0 + 0.04 * min(max(second - 15.0, 0.0), 10.0)), 0, 255)

    assert told(sun, seconds=50.0) == []


def bus(begin: float, end: float) -> Painter:
    """It stops before the lens, and covers nearly a half of the picture at once."""

    def paint(image: Image, second: float) -> None:
        if begin <= second < end:
            image[:, : image.shape[1] * 2 // 5] = 35

    return paint


def test_a_bus_that_stops_before_the_lens_costs_no_road_once_it_has_left() -> None:
    """The queue has stood before it, so a road that is learnt anew would have it for the road."""
    stream = (*jam(15.0, 100.0), bus(40.0, 65.0))
    raised, cleared = told(*stream, seconds=160.0, off_delay_s=40.0)
    assert (raised[0], cleared[0]) == ("raised", "cleared")
    assert 140.0 <= cleared[2] <= 155.0


def test_a_cut_to_another_street_in_a_jam_ends_it() -> None:
    other = street(160, 90, seed=5)[::-1]

    def cut(image: Image, second: float) -> None:
        if second >= 40.0:
            image[:] = other

    found = told(*jam(15.0, 200.0), cut, seconds=100.0, off_delay_s=15.0)
    assert [phase for phase, _, _ in found] == ["raised", "cleared"]
    assert 55.0 <= found[1][2] <= 85.0


def test_a_jam_of_minutes_is_not_learnt_as_the_road() -> None:
    found = told(*jam(15.0, 330.0), seconds=320.0, fps=1.0, off_delay_s=15.0)
    assert [phase for phase, _, _ in found] == ["raised"]


def flow(
    lane: float, every_s: float = 2.5, until_s: float = 1e9, way: float = 0.4
) -> list[Painter]:
    """Cars that drive through one behind another, down or, with a negative way, up."""
    begin = -0.2 if way > 0.0 else 1.2

    def path(number: int) -> Any:
        def where(second: float) -> float:
            since = second - number * every_s
            return begin + since * way if number * every_s <= until_s else -9.0

        return where

    return [car(lane, path(n), size=(0.22, 0.2)) for n in range(40)]


def test_where_no_lane_is_drawn_a_queue_is_told_in_the_lane_it_stands_in() -> None:
    """The other lane flows, and neither fills the picture."""
    queue = [*flow(0.25, until_s=20.0), *jam(26.0, 70.0, lane=0.25)]
    found = told(*queue, *flow(0.75, way=-0.4), seconds=60.0, lanes="")
    assert [(phase, place) for phase, place, _ in found] == [("raised", "")]
    assert 30.0 <= found[0][2] <= 45.0


def test_where_no_lane_is_drawn_flow_is_not_told() -> None:
    assert told(*flow(0.25, 1.0), *flow(0.75, 1.5, way=-0.4), seconds=50.0, lanes="") == []


def test_where_no_lane_is_drawn_one_bus_that_stands_is_no_jam() -> None:
    bus = car(
        0.25, lambda s: min(-0.5 + (s - 22.0) * 0.3, 0.6) if s > 22.0 else -9.0, size=(0.3, 0.4)
    )
    assert told(*flow(0.25, until_s=18.0), bus, *flow(0.75, way=-0.4), lanes="") == []


def test_a_found_lane_is_hardly_fuller_where_a_part_of_it_is_hardly_more_covered() -> None:
    """A pixel that one camera sees and the next does not must not part a queue from a bus."""
    lane = FoundLane(np.ones((12, 1), np.bool_), np.repeat(np.arange(PARTS), 2))

    def occupancy(fourth: float) -> float:
        parts = np.array([0.5, 0.4, 0.3, fourth, 0.02, 0.0])
        there = np.zeros((12 * 100, 1), np.uint8)
        for n, share in enumerate(parts):
            there[n * 200 : n * 200 + round(share * 200)] = 255
        return lane.occupancy(there)

    assert occupancy(0.0) == 0.0
    assert occupancy(0.2) == pytest.approx((0.5 + 0.4 + 0.3 + 0.2 + 0.02) / 6.0, abs=0.01)
    shares = [occupancy(fourth / 100.0) for fourth in range(21)]
    assert max(np.diff(shares)) < 0.035


@pytest.mark.clips
@pytest.mark.parametrize("name", ["mirror", "dark", "noisy", "compressed"])
def test_the_queue_of_a_real_clip_is_told_however_its_camera_shows_it(
    clips: Path, name: str
) -> None:
    clip = clips / "traffic/T21_bangkok_light.mp4"
    cv2.setNumThreads(1)
    found = watch(find(name).frames(lambda: frames(clip)), Congestion(CongestionParams()))
    raised = [c for c in found if isinstance(c, EpisodeChange) and c.phase is Phase.RAISED]
    assert len(raised) == 1
    assert 400 <= raised[0].frame <= 400 + 30 * 30


def test_the_queue_of_the_rendered_street_is_told_and_the_lanes_that_flow_are_not() -> None:
    scene = open_scene("queue")
    (truth,) = scene.truth().spans
    lanes = f"{lane_text('in', 'down', -1.0, 2.0)}; {lane_text('out', 'up', 1.0, 2.0)}"
    watcher = Congestion(CongestionParams(lanes=lanes))
    found = episodes(shown(scene, FPS, 0.0, 56.0), watcher)
    assert [(phase, place) for phase, place, _ in found] == [("raised", "out")]
    assert 0.0 <= found[0][2] - truth.start_s <= 30.0
