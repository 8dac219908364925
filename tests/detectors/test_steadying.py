"""Camera shake is taken out, and a camera that turns is told from a lorry that passes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import cv2
import numpy as np
import pytest

from detectors.kit.background import Background
from detectors.kit.steadying import Steadied, Steadying
from detectors.kit.types import Frame, Image
from tests.detectors.rendered import square
from tests.detectors.scenes import START, car, film, flash


def view(x: float, y: float, noise: int) -> Image:
    """320 x 180 of the rendered square with its corner at (x, y)."""
    part = cv2.getRectSubPix(square(640, 360), (320, 180), (160.0 + x, 90.0 + y))
    grain = np.random.default_rng(noise).normal(0, 2, part.shape)
    return np.clip(part + grain, 0, 255).astype(np.uint8)


def steps(places: Iterator[tuple[float, float]], fps: float = 5.0) -> list[Steadied]:
    steadying = Steadying()
    return [
        steadying.step(view(x, y, n), START + timedelta(seconds=n / fps))
        for n, (x, y) in enumerate(places)
    ]


def test_a_mast_that_sways_is_put_back_where_it_was() -> None:
    chance = np.random.default_rng(2)
    places = [(60.0, 60.0), *((60 + x, 60 + y) for x, y in chance.normal(0, 3, (20, 2)))]
    found = steps(iter(places))
    assert not any(f.turning or f.turned for f in found)
    for seen, (x, y) in zip(found[1:], places[1:], strict=True):
        assert seen.shift == pytest.approx((60 - x, 60 - y), abs=0.8)


def test_a_camera_that_turns_is_told_until_it_rests_and_then_begins_anew() -> None:
    places = [(60.0, 60.0)] * 5 + [(60.0 + 10.0 * n, 60.0) for n in range(1, 11)]
    places += [(160.0, 60.0)] * 15
    found = steps(iter(places))
    assert [f.turned for f in found].count(True) == 1
    turned = [f.turned for f in found].index(True)
    assert 14 < turned <= 26
    assert all(f.turning for f in found[8:turned])
    assert not any(f.turning for f in found[turned:])


@pytest.mark.parametrize("size", [(0.3, 0.4), (0.6, 0.7)])
def test_a_lorry_that_drives_through_is_no_turn(size: tuple[float, float]) -> None:
    steadying = Steadying()
    lorry = car(0.5, lambda s: s * 0.4 - 0.5, size=size)
    found = [
        steadying.step(f.image, f.captured_at)
        for f in film(6, lorry, flash(4.0, 0.2), scene=view(60, 60, 0))
    ]
    assert not any(f.turning or f.turned for f in found)


def foreground(stream: Iterator[Frame], steadied: bool) -> float:
    background, steadying = Background(), Steadying()
    shares = []
    for f in stream:
        image = steadying.step(f.image, f.captured_at).image if steadied else f.image
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
        found = steadying.step(image, START + timedelta(seconds=n))
        assert not found.turning
        assert not found.turned
