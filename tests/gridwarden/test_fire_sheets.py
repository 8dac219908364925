"""Flames and smokes of sheets, and views of panoramas, are laid and labelled as they say."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from contract.errors import GridwardenError
from detectors.kit.types import Image
from gridwarden.training.fire_sheets import Sheet, Stock, from_sheets, stock
from gridwarden.training.panoramas import TALL, WIDE, view
from gridwarden.training.samples import glowing, kind_of
from gridwarden.training.sources import PANORAMAS, SHEETS, fold_of


def blob(colour: tuple[int, int, int], loops: bool = True) -> Sheet:
    """A round puff whose texture turns."""
    frames = np.zeros((16, 64, 64, 4), np.uint8)
    rng = np.random.default_rng(2)
    texture = cv2.resize(rng.integers(80, 255, (8, 8), np.uint8), (64, 64))
    down, across = np.mgrid[-1:1:64j, -1:1:64j]
    round_ = np.clip(1.3 - np.hypot(down, across), 0.0, 1.0)
    for number, frame in enumerate(frames):
        shade = np.roll(texture, 4 * number, 0)[..., None] / 255.0
        frame[..., :3] = np.array(colour) * shade
        frame[..., 3] = 255 * round_
    return Sheet(frames, loops)


def drawn() -> Stock:
    own: list[list[Image]] = [[np.full((288, 512, 3), grey, np.uint8)] for grey in (90, 120, 150)]
    smoke = blob((200, 200, 200))
    return Stock(own, flames=[blob((40, 150, 255))], smokes=[smoke], wisps=[smoke])


def test_what_is_laid_repeats_and_says_what_it_shows() -> None:
    one = from_sheets(drawn(), flames=12, smokes=24, seed=4)
    assert np.array_equal(one.crops, from_sheets(drawn(), flames=12, smokes=24, seed=4).crops)
    labels: dict[str, set[tuple[float, float]]] = {}
    for source, (flame, smoke) in zip(one.sources, one.labels, strict=True):
        labels.setdefault(kind_of(source), set()).add((float(flame), float(smoke)))
    assert labels == {"blaze": {(1.0, 0.0)}, "drift": {(0.0, 1.0)}, "undrifted": {(0.0, 0.0)}}


def test_a_smoke_of_a_sheet_changes_in_time_and_the_place_before_it_does_not() -> None:
    made = from_sheets(drawn(), flames=0, smokes=40, seed=4)
    kinds = np.array([kind_of(s) for s in made.sources])
    change = made.crops[..., 3].mean(axis=(1, 2))
    assert np.median(change[kinds == "drift"]) > 2.0
    assert change[kinds == "undrifted"].max() == 0.0


def test_a_sheet_that_loops_goes_on_and_another_ends() -> None:
    looping, once = blob((9, 9, 9)), blob((9, 9, 9), loops=False)
    assert np.array_equal(looping.at(16 / 25.0, 4.0), looping.frames[0])
    assert np.array_equal(once.at(2.0, 4.0), once.frames[8])
    assert np.array_equal(once.at(99.0, 4.0), once.frames[-1])


def test_a_sheet_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(GridwardenError, match=next(iter(SHEETS))):
        stock(tmp_path, [])


def test_a_panorama_shows_what_lies_in_the_direction_of_the_view() -> None:
    light = np.full((128, 256, 3), 0.1, np.float32)
    light[48:80, 176:208] = 1.0  # a quarter turn to the right
    ahead, right = (view(light, (turn, 0.0), 1.2, 1.0) for turn in (0.0, np.pi / 2.0))
    assert right.shape == (TALL, WIDE, 3)
    assert right[TALL // 2, WIDE // 2].min() > 240
    assert right[TALL // 2, 5].max() < 120
    assert ahead.max() < 120
    dim = view(light, (np.pi / 2.0, 0.0), 1.2, 0.1)
    assert 50 < int(dim[TALL // 2, WIDE // 2, 0]) < 120


def test_every_panorama_is_in_a_fold() -> None:
    assert {fold_of(path) for path in PANORAMAS} == {0, 1, 2}


def test_in_a_box_only_what_is_warm_and_bright_glows() -> None:
    look = np.full((100, 100, 3), (70, 80, 75), np.uint8)
    look[20:60, 30:50] = (40, 140, 250)  # flame
    look[30:50, 35:45] = (250, 252, 255)  # its core
    look[70:90, 20:40] = (250, 250, 250)  # a white wall
    look[5:15, 80:95] = (40, 140, 250)  # a lamp outside the box
    glow = glowing(look, np.array([[10.0, 10.0, 60.0, 85.0]]))
    assert glow[20:60, 30:50].mean() > 0.95
    assert not glow[70:90].any()
    assert not glow[:, 75:].any()
