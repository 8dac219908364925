"""What the fire verifier learns from is shown in other light, and the same way on every run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.kit.region import SIDE
from gridwarden.training.augmentation import Augmentation


def crops(count: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(1).integers(60, 200, (count, SIDE, SIDE, 4), np.uint8)
    noise[..., 0] //= 3  # little blue
    noise[..., 3] = 40
    return noise


def test_a_seed_changes_crops_the_same_way_and_no_two_alike() -> None:
    shown, burns = crops(8), np.zeros(8, np.bool_)
    one, other = Augmentation(3).of(shown, burns), Augmentation(3).of(shown, burns)
    assert one.dtype == np.float32
    assert one.shape == shown.shape
    assert np.array_equal(one, other)
    assert 0.0 <= one.min() <= one.max() <= 1.0
    assert not np.array_equal(Augmentation(4).of(shown, burns), one)
    same = np.repeat(shown[:1], 8, axis=0)
    assert len({made.tobytes() for made in Augmentation(3).of(same, burns)}) == 8


def test_only_what_cannot_burn_is_shown_in_infrared() -> None:
    shown = crops(300)

    def colourless(burns: bool) -> int:
        made = Augmentation(5).of(shown, np.full(300, burns))[..., :3]
        spread = made.mean(axis=(1, 2)).max(axis=1) - made.mean(axis=(1, 2)).min(axis=1)
        return int((spread < 0.004).sum())

    assert colourless(burns=False) > 10
    assert colourless(burns=True) == 0


def test_light_ranges_from_much_darker_to_much_brighter() -> None:
    shown = np.full((300, SIDE, SIDE, 4), 128, np.uint8)
    light = Augmentation(6).of(shown, np.ones(300, np.bool_))[..., :3].mean(axis=(1, 2, 3))
    assert np.quantile(light, 0.1) < 0.3
    assert np.quantile(light, 0.9) > 0.75


def test_change_in_time_is_left_out_at_times_and_grows_with_the_light() -> None:
    shown = crops(400)
    change = Augmentation(7).of(shown, np.ones(400, np.bool_))[..., 3].mean(axis=(1, 2))
    assert 0.15 < (change < 0.06).mean() < 0.5
    assert np.quantile(change, 0.95) > 40.0 / 255.0
