"""What only moves is found again; a flame is not."""

from __future__ import annotations

import math
from datetime import timedelta

import cv2
import numpy as np
import pytest

from detectors.kit.boiling import Boiling
from detectors.kit.region_track import Change, RegionTrack, Spot
from detectors.kit.types import Plane
from edge.scenes.drawing import HEIGHT, WIDTH
from edge.scenes.flames import Flames
from tests.detectors.scenes import START, street


def change(now: Plane, before: Plane, spot: Spot) -> Change | None:
    measured = Boiling()
    measured.see(before, START)
    measured.see(now, START + timedelta(seconds=0.2))
    return measured.of(spot)


def textured(seed: int = 1) -> Plane:
    coarse = np.random.default_rng(seed).uniform(40.0, 220.0, (30, 54)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (320, 180), interpolation=cv2.INTER_CUBIC), np.float32)


@pytest.mark.parametrize(
    "spot", [Spot(100, 60, 24, 24), Spot(0, 0, 40, 30), Spot(20, 10, 280, 160)]
)
@pytest.mark.parametrize("shift", [(0.0, 0.0), (3.0, -2.0), (0.5, 1.5)])
def test_what_was_only_moved_or_lit_otherwise_does_not_boil(
    spot: Spot, shift: tuple[float, float]
) -> None:
    before = textured()
    move = np.array([[1.0, 0.0, shift[0]], [0.0, 1.0, shift[1]]])
    now = cv2.warpAffine(before, move, (320, 180), borderMode=cv2.BORDER_REPLICATE) * 0.7 + 12.0
    found = change(np.asarray(now, np.float32), before, spot)
    assert found is not None
    assert found.boiling < 0.09


@pytest.mark.parametrize(("side", "shift"), [(40, (6.0, -3.0)), (8, (7.0, 0.0))])
def test_motion_explains_how_a_thing_that_drives_changed(
    side: int, shift: tuple[float, float]
) -> None:
    """Also where noise and another light leave it unlike itself."""
    noise = np.random.default_rng(2).normal(0.0, 12.0, (180, 320))
    move = np.array([[1.0, 0.0, shift[0]], [0.0, 1.0, shift[1]]])
    now = cv2.warpAffine(textured(), move, (320, 180), borderMode=cv2.BORDER_REPLICATE) * 0.8
    found = change(np.asarray(now + noise, np.float32), textured(), Spot(100, 60, side, side))
    assert found is not None
    assert found.boiling < 0.35 * found.in_place


def test_a_fine_grain_is_found_between_two_pixels() -> None:
    grain = np.random.default_rng(3).uniform(40.0, 220.0, (180, 320)).astype(np.float32)
    before = np.asarray(cv2.GaussianBlur(grain, (0, 0), 0.9), np.float32)
    move = np.array([[1.0, 0.0, 2.5], [0.0, 1.0, 0.0]])
    now = np.asarray(cv2.warpAffine(before, move, (320, 180)), np.float32)
    found = change(now, before, Spot(100, 60, 40, 40))
    assert found is not None
    assert found.boiling < 0.1


def test_a_sign_on_a_swaying_mast_is_known_by_all_its_changes_not_by_the_last() -> None:
    """At the turn of the mast it has not moved: what little it changed is noise."""
    measured, spot, noise = Boiling(), Spot(100, 60, 40, 40), np.random.default_rng(4)
    track, alone = RegionTrack(spot, START, spot, START), []
    for number in range(30):
        aside = 3.0 * math.sin(2.0 * math.pi * number / 17.0)
        move = np.array([[1.0, 0.0, aside], [0.0, 1.0, 0.0]])
        now = cv2.warpAffine(textured(), move, (320, 180)) + noise.normal(0.0, 5.0, (180, 320))
        measured.see(np.asarray(now, np.float32), START + timedelta(seconds=number / 10.0))
        later = measured.later(spot)
        if later is not None:
            track.changes.append(later)
            alone.append(later().boiling / later().in_place)
            assert number < 10 or track.unmoved < 0.5
    assert max(alone[10:]) > 0.9


def test_what_was_replaced_boils_wholly() -> None:
    found = change(textured(1), textured(2), Spot(100, 60, 40, 40))
    assert found is not None
    assert found.boiling > 0.3
    assert found.boiling > 0.7 * found.in_place


@pytest.mark.parametrize("seed", range(4))
def test_a_flame_boils_though_the_camera_moves(seed: int) -> None:
    flames, planes = Flames(np.random.default_rng(seed), (480, 400)), []
    for second, aside in ((5.0, 0), (5.2, 12)):
        picture = np.asarray(cv2.resize(street(), (WIDTH, HEIGHT)), np.uint8)
        flames.draw(picture, second, 150.0, 200.0)
        moved = np.roll(picture, aside, axis=1)
        small = cv2.resize(moved, (320, 180), interpolation=cv2.INTER_AREA)
        planes.append(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32))
    scale = 320 / WIDTH
    spot = Spot(round(420 * scale), round(230 * scale), round(130 * scale), round(165 * scale))
    found = change(planes[1], planes[0], spot)
    assert found is not None
    assert found.boiling > 0.12


def test_nothing_is_known_of_a_first_picture_a_flat_region_or_another_size() -> None:
    measured, spot = Boiling(), Spot(10, 10, 20, 20)
    measured.see(textured(), START)
    assert measured.of(spot) is None
    flat = np.full((180, 320), 80.0, np.float32)
    assert change(flat, flat, spot) is None
    assert change(textured(), textured()[:90], spot) is None


def test_the_picture_of_a_fifth_of_a_second_ago_is_the_one_compared() -> None:
    measured, spot = Boiling(), Spot(100, 60, 40, 40)
    for number in range(12):  # a slow film at 30 frames a second: only the last seven are alike
        measured.see(
            textured(9 if number > 4 else number), START + timedelta(seconds=number / 30.0)
        )
    found = measured.of(spot)
    assert found is not None
    assert found.boiling < 0.01
