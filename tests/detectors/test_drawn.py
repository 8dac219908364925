"""What an engineer draws and calibrates: areas, lanes, zones, ground points, gauges."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.congestion import CongestionParams
from detectors.kit.areas import mask_of, read_corners
from detectors.kit.calibration import Calibration, read_calibration
from detectors.kit.gauge import read_gauge
from detectors.kit.lanes import read_lanes
from detectors.kit.params import ParameterError, build
from detectors.ponding import PondingParams
from detectors.stopped_vehicle import StoppedVehicleParams

LANE = "in:down=0.1,0.9 0.4,0.9 0.4,0.3 0.1,0.3"
GROUND = "0.2,0.9>0,0 0.8,0.9>7,0 0.6,0.4>7,30 0.4,0.4>0,30"


def test_an_area_covers_what_lies_between_its_corners() -> None:
    mask = mask_of(read_corners("0.25,0.25 0.75,0.25 0.75,0.75 0.25,0.75"), 40, 20)
    assert mask[10, 20] == 255
    assert mask[2, 20] == mask[10, 5] == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.1,0.1 0.9,0.9", "3 to 64 corners"),
        ("0.1,0.1 0.5,0.5 0.9,0.9", "on one line"),
        ("0.1,0.1 640,0.5 0.9,0.9", "640,0.5 lies outside the picture.*divided"),
        ("0.1,0.1 x,0.5 0.9,0.9", "'x,0.5' is no point"),
    ],
)
def test_a_wrong_area_is_refused_with_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ParameterError, match=f"ponding of cam-1: zone_corners: .*{message}"):
        build(PondingParams, {"zone_corners": text}, "ponding of cam-1")


def test_a_lane_has_a_name_a_way_and_a_length() -> None:
    (lane,) = read_lanes(LANE)
    assert lane.name == "in"
    assert lane.way == pytest.approx((0.0, 1.0), abs=1e-9)
    assert lane.length(100, 200) == pytest.approx(120.0)
    assert lane.holds(20.0, 100.0, 100, 200)
    assert not lane.holds(60.0, 100.0, 100, 200)


def test_a_direction_may_be_degrees_clockwise_from_up() -> None:
    (lane,) = read_lanes(LANE.replace("down", "45"))
    assert lane.way == pytest.approx((0.7071, -0.7071), abs=1e-4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LANE.replace("in:down", "in"), "write name:direction="),
        (LANE.replace("down", "south"), "lane in: direction 'south' is none"),
        (LANE.replace("down", "360"), "lane in: direction '360' is none"),
        (f"{LANE}; {LANE}", "lane 'in' stands there twice"),
        ("in:down=0.1,0.9 0.4,1.9 0.4,0.3", "lane in: point 0.4,1.9 lies outside"),
    ],
)
def test_a_wrong_lane_is_refused_by_its_name(text: str, message: str) -> None:
    with pytest.raises(ParameterError, match=f"congestion of cam-1: lanes: .*{message}"):
        build(CongestionParams, {"lanes": text}, "congestion of cam-1")


def test_a_zone_of_corners_takes_the_place_of_the_rectangle() -> None:
    params = StoppedVehicleParams(zone_corners="0.0,0.0 0.5,0.0 0.0,0.5", zone_x=0.9)
    inside = params.inside(100, 100)
    assert inside[10, 10] == 255
    assert inside[45, 45] == inside[10, 95] == 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"zone_x": 0.5, "zone_w": 0.8}, "pixels 640 to 1664.* reaches beyond the picture of 1280"),
        ({"zone_y": 1.0}, "holds nothing of the picture of 1280 x 720"),
        ({"zone_w": 0.0}, "holds nothing of the picture of 1280 x 720"),
        ({}, ""),
        ({"zone_x": 0.1, "zone_w": 0.9}, ""),
    ],
)
def test_a_zone_outside_the_picture_is_named_with_the_size_of_the_picture(
    values: dict[str, float], message: str
) -> None:
    fault = StoppedVehicleParams(**values).fault(1280, 720)  # type: ignore[arg-type]
    assert bool(fault) is bool(message)
    assert re.search(message, fault)


def calibration() -> Calibration:
    found = read_calibration(GROUND)
    assert found is not None
    return found


def test_four_points_of_the_road_turn_pixels_into_metres_at_any_size() -> None:
    for width, height in ((320, 180), (1280, 720)):
        here = np.array([(0.2 * width, 0.9 * height), (0.6 * width, 0.4 * height)])
        metres = calibration().metres(here, width, height)
        assert metres == pytest.approx(np.array([(0.0, 0.0), (7.0, 30.0)]), abs=1e-3)


def driven(
    metres_per_s: float, jitter: float = 0.0
) -> tuple[list[float], list[NDArray[np.float64]]]:
    """Seconds and pixels (1000 x 1000) of a car that drives up the middle of the road."""
    found = calibration()
    grid = np.array([(500.0, y) for y in np.linspace(900, 450, 2000)])
    north = found.metres(grid, 1000, 1000)[:, 1]
    seconds = [n / 10 for n in range(10)]
    chance = np.random.default_rng(1)
    points = []
    for s in seconds:
        y = np.interp(2.0 + metres_per_s * s, north, grid[:, 1])
        points.append(np.array((500.0, y + chance.normal(0.0, jitter) if jitter else y)))
    return seconds, points


@pytest.mark.parametrize("metres_per_s", [1.0, 12.0, 25.0])
def test_speed_is_what_was_driven_within_its_deviation(metres_per_s: float) -> None:
    speed = calibration().speed(*driven(metres_per_s), 1000, 1000)
    assert speed is not None
    assert abs(speed.metres_per_s - metres_per_s) <= 2.0 * speed.deviation
    assert speed.deviation < 0.1 * metres_per_s + 0.2


def test_an_outline_that_jitters_makes_the_speed_less_certain() -> None:
    sharp = calibration().speed(*driven(12.0), 1000, 1000)
    rough = calibration().speed(*driven(12.0, jitter=8.0), 1000, 1000)
    assert sharp is not None
    assert rough is not None
    assert rough.deviation > 2.0 * sharp.deviation
    assert abs(rough.metres_per_s - 12.0) <= 3.0 * rough.deviation


def test_a_speed_is_never_capped() -> None:
    seconds, points = driven(12.0)
    fast = calibration().speed([s / 10 for s in seconds], points, 1000, 1000)
    assert fast is not None
    assert fast.kmh == pytest.approx(432.0, rel=0.01)


def test_too_few_pictures_give_no_speed() -> None:
    seconds, points = driven(12.0)
    assert calibration().speed(seconds[:3], points[:3], 1000, 1000) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.2,0.9>0,0 0.8,0.9>7,0", "needs 4 points"),
        (GROUND.replace("0.4,0.4>0,30", "0.4,0.4"), "'0.4,0.4' is no point x,y>east,north"),
        (GROUND.replace("0,30", "3,x"), "is no point x,y>east,north"),
        (GROUND.replace("0.4,0.4>0,30", "0.5,0.9>3,0"), "no three of them on one line"),
    ],
)
def test_a_wrong_calibration_is_refused_with_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_calibration(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.5,0.9=0", "at least two points"),
        ("0.5,0.9=1 0.5,0.1=0", "must grow"),
        ("0.5,0.9=0 0.5,0.1", "is no point x,y=metres"),
        ("0.5,0.9=0 0.5,0.9=1", "the same place"),
    ],
)
def test_a_wrong_gauge_is_refused_with_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_gauge(text)
