from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from detectors.kit.types import Image
from detectors.visibility import Visibility, VisibilityParams
from edge.scenes import open_scene
from tests.detectors.rendered import episodes, measured, shown, square
from tests.detectors.scenes import Painter, exposure, film


def town() -> Image:
    return square(320, 180)


def told(
    *painters: Painter, scene: Image | None = None, seconds: float = 90.0, **params: Any
) -> list[str]:
    watcher = Visibility(VisibilityParams(**params))
    place = town() if scene is None else scene
    return [p for p, _, _ in episodes(film(seconds, *painters, fps=1.0, scene=place), watcher)]


def veil(from_s: float, to_s: float, left: float, part: slice = slice(None)) -> Painter:
    """Fog that leaves a share of the contrast, over a part of the columns."""

    def paint(image: Image, second: float) -> None:
        if from_s <= second < to_s:
            seen = image[:, part]
            seen[:] = (seen * left + 205 * (1.0 - left)).astype(np.uint8)

    return paint


def blur(from_s: float, size: int = 21) -> Painter:
    def paint(image: Image, second: float) -> None:
        if second >= from_s:
            image[:] = np.asarray(cv2.GaussianBlur(image, (size, size), 0), np.uint8)

    return paint


def grey(from_s: float) -> Painter:
    """The camera switches to infrared: no colours, and other shades."""

    def paint(image: Image, second: float) -> None:
        if second >= from_s:
            image[:] = (255 - cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) // 2)[..., None] // 2

    return paint


def drops(from_s: float) -> Painter:
    """Rain on the lens: blurred spots that hide some of the picture."""

    def paint(image: Image, second: float) -> None:
        if second < from_s:
            return
        soft = np.asarray(cv2.GaussianBlur(image, (25, 25), 0))
        mask = np.zeros(image.shape[:2], np.uint8)
        for x, y in np.random.default_rng(4).uniform(0, 1, (14, 2)):
            cv2.circle(mask, (round(x * image.shape[1]), round(y * image.shape[0])), 14, 255, -1)
        image[mask > 0] = soft[mask > 0]

    return paint


def test_fog_is_told_and_ends_when_it_lifts() -> None:
    assert told(veil(40, 100, 0.3), seconds=220.0) == ["raised", "cleared"]


def test_a_clear_day_is_not_told() -> None:
    assert told() == []


@pytest.mark.parametrize(
    "painter",
    [blur(40), exposure(40, 1.6), exposure(40, 0.3), grey(40), drops(40), veil(40, 200, 0.8)],
    ids=["out of focus", "brighter", "darker", "infrared", "rain on the lens", "a light haze"],
)
def test_what_is_no_fog_is_not_told(painter: Painter) -> None:
    assert told(painter) == []


def test_smoke_over_a_part_of_the_landmarks_is_told_only_in_a_region_there() -> None:
    part = veil(40, 200, 0.2, slice(0, 90))
    assert told(part) == []
    assert told(part, zone_corners="0,0 0.28,0 0.28,1 0,1") == ["raised"]


@pytest.mark.long
def test_fog_that_stays_for_hours_is_not_learnt_as_a_clear_day() -> None:
    stream = film(36_000, veil(4000, 1e9, 0.3), fps=0.02, scene=town())
    watcher = Visibility(VisibilityParams())
    assert [p for p, _, _ in episodes(stream, watcher)] == ["raised"]


def test_a_picture_that_is_fog_from_the_first_one_on_is_told() -> None:
    assert told(veil(0, 1e9, 0.12), seconds=40.0) == ["raised"]


def queue(image: Image, second: float) -> None:
    """At red dark cars fill the lower half of the picture, at green they are gone."""
    if second % 80.0 < 40.0:
        return
    for top in range(90, 180, 30):
        for left in range(8, 310, 52):
            image[top : top + 24, left : left + 44] = (30, 30, 60)
            image[top + 3 : top + 9, left + 4 : left + 40] = (200, 190, 180)


def test_a_queue_that_moves_off_at_green_is_no_fog() -> None:
    assert told(queue, seconds=400.0) == []


def test_fog_over_a_road_with_a_signal_is_told() -> None:
    assert told(queue, veil(300, 1e9, 0.3), seconds=360.0) == ["raised"]


def test_pale_concrete_that_a_car_drives_over_is_no_fog() -> None:
    """Flat and bright as fog is, but what comes is seen sharply."""
    random = np.random.default_rng(2)
    grain = random.integers(0, 6, (180, 320, 1), np.uint8)
    pale = np.full((180, 320, 3), (150, 165, 172), np.uint8) + grain

    def passing(image: Image, second: float) -> None:
        """A car three cells wide, with windows and shadow, that comes three times a minute."""
        top = round((second % 20.0) * 0.4 * 180) - 180
        car = image[max(0, top) : max(0, top + 80), 120:210]
        car[:] = (40, 40, 120)
        car[::9] = (210, 200, 190)

    assert told(passing, scene=pale, seconds=100.0) == []


def test_what_is_left_of_the_contrast_is_measured_once_a_minute() -> None:
    stream = film(190, veil(90, 1e9, 0.5), fps=1.0, scene=town())
    shares = [c.measurement.value for c in measured(stream, Visibility(VisibilityParams()), SHARE)]
    assert shares == [pytest.approx(0.98, abs=0.05), *[pytest.approx(0.5, abs=0.1)] * 2]


SHARE = "visibility_share"


def test_the_fog_over_the_rendered_street_is_told_before_it_is_at_its_thickest() -> None:
    scene = open_scene("fog")
    (truth,) = [s for s in scene.truth().spans if s.label == "visibility"]
    found = episodes(shown(scene, 1.0, 0.0, 70.0), Visibility(VisibilityParams()))
    assert [phase for phase, _, _ in found] == ["raised"]
    assert 0.0 <= found[0][2] - truth.start_s <= 30.0
