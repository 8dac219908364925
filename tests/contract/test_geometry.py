from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.geometry import Box, Point

pixels = st.floats(-5000, 5000)
sides = st.integers(1, 4000)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x, y = draw(st.floats(0, 1)), draw(st.floats(0, 1))
    return Box(x, y, draw(st.floats(0, 1 - x)), draw(st.floats(0, 1 - y)))


@given(pixels, pixels, pixels, pixels, sides, sides)
def test_a_pixel_rectangle_anywhere_gives_a_box_within_the_picture(
    x: float, y: float, w: float, h: float, width: int, height: int
) -> None:
    box = Box.from_pixels(x, y, w, h, width, height)
    assert 0 <= box.x <= 1
    assert 0 <= box.y <= 1
    assert box.x + box.w <= 1 + 1e-6
    assert box.y + box.h <= 1 + 1e-6


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_a_rectangle_in_whole_pixels_comes_back_as_it_was(x: int, y: int, w: int, h: int) -> None:
    assert Box.from_pixels(x, y, w, h, 640, 640).to_pixels(640, 640) == (x, y, w, h)


@given(boxes(), boxes())
def test_the_overlap_of_two_boxes_does_not_depend_on_their_order(a: Box, b: Box) -> None:
    assert a.iou(b) == pytest.approx(b.iou(a))
    assert 0.0 <= a.iou(b) <= 1.0


@given(boxes())
def test_a_box_overlaps_itself_wholly_unless_it_is_empty(box: Box) -> None:
    if box.w > 1e-3 and box.h > 1e-3:
        assert box.iou(box) == pytest.approx(1.0)


def test_boxes_side_by_side_do_not_overlap() -> None:
    assert Box(0.0, 0.0, 0.5, 1.0).iou(Box(0.5, 0.0, 0.5, 1.0)) == 0.0


def test_half_shared_boxes_overlap_by_a_third() -> None:
    assert Box(0.0, 0.0, 0.4, 1.0).iou(Box(0.2, 0.0, 0.4, 1.0)) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "corners",
    [
        (-0.1, 0.0, 0.5, 0.5),
        (0.6, 0.0, 0.5, 0.5),
        (0.0, 0.6, 0.5, 0.5),
        (0.0, 0.0, -0.1, 0.5),
        (math.nan, 0.0, 0.5, 0.5),
        (0.0, 0.0, math.inf, 0.5),
    ],
)
def test_a_box_outside_the_picture_is_refused(corners: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="does not lie within"):
        Box(*corners)


def test_the_distance_between_two_squares_of_zhengzhou_is_right() -> None:
    erqi, people = Point(113.6637, 34.7537), Point(113.6730, 34.7650)
    assert erqi.distance_m(people) == pytest.approx(1517, abs=10)
    assert erqi.distance_m(erqi) == 0.0


def test_the_distance_to_the_antipode_is_half_the_circumference() -> None:
    assert Point(0, 0).distance_m(Point(180, 0)) == pytest.approx(math.pi * 6_371_008.8)


@pytest.mark.parametrize(
    ("lon", "lat"), [(181.0, 0.0), (0.0, 91.0), (math.nan, 0.0), (34.7, 113.6)]
)
def test_a_point_that_is_not_longitude_and_latitude_is_refused(lon: float, lat: float) -> None:
    with pytest.raises(ValueError, match=r"longitude, latitude"):
        Point(lon, lat)
