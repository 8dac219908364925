"""Camera shake is taken out, and a camera that turns is told from a lorry that passes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import cv2
import numpy as np
import pytest

from detectors.kit.background import Background
from detectors.kit.steadying import Steadied, Steadying, moved
from detectors.kit.types import Frame, Image
from tests.detectors.rendered import square
from tests.detectors.scenes import START, car, film, flash


def view(x: float, y: float, noise: int) -> Image:
    """320 x 180 of the rendered square with its corner at (x, y)."""
    part = cv2.getRectSubPix(square(640, 360), (320, 180), (160.0 + x, 90.0 + y))
    grain = np.random.default_rng(noise).normal(0, 2, part.shape)
    return np.clip(part + grain, 0, 255).astype(np.uint8)


def frame(image: Image, second: float, number: int) -> Frame:
    return Frame(image, START + timedelta(seconds=second), "mast", number)


def steps(places: Iterator[tuple[float, float]], fps: float = 5.0) -> list[Steadied]:
    steadying = Steadying()
    return [steadying.step(frame(view(x, y, n), n / fps, n)) for n, (x, y) in enumerate(places)]


def test_a_mast_that_sways_is_put_back_where_it_was() -> None:
    chance = np.random.default_rng(2)
    places = [(60.0, 60.0), *((60 + x, 60 + y) for x, y in chance.normal(0, 3, (20, 2)))]
    found = steps(iter(places))
    assert not any(f.turning or f.view for f in found)
    for seen, (x, y) in zip(found[1:], places[1:], strict=True):
        assert seen.shift == pytest.approx((60 - x, 60 - y), abs=0.8)


def test_a_camera_that_turns_is_told_until_it_rests_and_then_begins_anew() -> None:
    places = [(60.0, 60.0)] * 5 + [(60.0 + 10.0 * n, 60.0) for n in range(1, 11)]
    places += [(160.0, 60.0)] * 15
    found = steps(iter(places))
    views = [f.view for f in found]
    assert sorted(set(views)) == [0, 1]
    turned = views.index(1)
    assert 14 < turned <= 26
    assert all(f.turning for f in found[8:turned])
    assert not any(f.turning for f in found[turned:])


def test_a_camera_that_was_turned_comes_to_rest_though_its_mast_sways() -> None:
    chance = np.random.default_rng(4)
    places = [(60.0, 60.0)] * 5 + [(110.0 + x, 60 + y) for x, y in chance.normal(0, 1.0, (40, 2))]
    views = [f.view for f in steps(iter(places), fps=10.0)]
    assert views[-1] == 1
    assert 5 + 10 <= views.index(1) <= 5 + 25


@pytest.mark.parametrize("size", [(0.3, 0.4), (0.6, 0.7)])
def test_a_lorry_that_drives_through_is_no_turn(size: tuple[float, float]) -> None:
    steadying = Steadying()
    lorry = car(0.5, lambda s: s * 0.4 - 0.5, size=size)
    stream = film(6, lorry, flash(4.0, 0.2), scene=view(60, 60, 0))
    found = [steadying.step(f) for f in stream]
    assert not any(f.turning or f.view for f in found)


def foreground(stream: Iterator[Frame], steadied: bool) -> float:
    background, steadying = Background(), Steadying()
    shares = []
    for f in stream:
        image = steadying.step(f).image if steadied else f.image
        shares.append((background.apply(image, f.captured_at).moving > 0).mean())
    return float(np.mean(shares[10:]))


def test_a_shaking_camera_shows_less_that_moves_once_it_is_steadied() -> None:
    def shaking() -> Iterator[Frame]:
        return film(8, scene=view(60, 60, 0), shake=2.0)

    plain, steadied = foreground(shaking(), False), foreground(shaking(), True)
    assert plain > 0.02
    assert steadied < 0.3 * plain


@pytest.mark.parametrize(
    "image", [np.zeros((180, 320, 3), np.uint8), np.zeros((3, 4, 3), np.uint8)]
)
def test_a_picture_that_shows_nothing_lies_nowhere(image: Image) -> None:
    steadying = Steadying()
    for n in range(20):
        found = steadying.step(frame(image, n, n))
        assert not found.turning
        assert found.view == 0


def test_a_lorry_that_fills_the_lens_for_two_pictures_of_many_is_no_turn() -> None:
    places = [(60.0, 60.0)] * 15 + [(90.0, 60.0)] * 2 + [(60.0, 60.0)] * 15
    found = steps(iter(places), fps=15.0)
    assert [f.turning for f in found] == [False] * 15 + [True] * 2 + [False] * 15
    assert not any(f.view for f in found)


@pytest.mark.parametrize("way", [(0.0, 0.0), (3.0, -2.0), (0.4, 0.7), (-5.3, 1.9)])
def test_a_picture_is_moved_as_far_as_asked(way: tuple[float, float]) -> None:
    picture = view(60, 60, 0)
    middle = (319 / 2.0 - way[0], 179 / 2.0 - way[1])
    truth = cv2.getRectSubPix(picture, (320, 180), middle).astype(int)
    assert np.abs(moved(picture, *way) - truth).max() <= 1
    assert np.abs(moved(picture, *way) - picture.astype(int)).max() > 1 or not any(way)
