"""What a dark camera shows is brought to the light that bounds were set in."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.kit.exposure import MOST, WHITE, Exposure
from detectors.kit.types import Image
from tests.detectors.scenes import street


def lit(brightest: int) -> Image:
    """A street with lamps of that brightness."""
    image = np.asarray(street() // 2, np.uint8)
    image[:20, :40] = brightest
    return image


@pytest.mark.parametrize("brightest", [255, 235, 220])
def test_a_picture_that_is_bright_enough_is_itself(brightest: int) -> None:
    image = lit(brightest)
    assert Exposure().step(image, 0.0) is image


@pytest.mark.parametrize("brightest", [200, 178, 165])
def test_the_brightest_becomes_white_and_the_rest_in_proportion(brightest: int) -> None:
    image = lit(brightest)
    shown = Exposure().step(image, 0.0)
    assert shown.max() == WHITE
    expected = np.minimum(np.rint(image * (WHITE / brightest)), 255)
    assert np.abs(shown.astype(int) - expected).max() <= 1


def test_a_night_without_any_light_is_not_made_a_day() -> None:
    image = np.asarray(street() // 2, np.uint8)
    shown = Exposure().step(image, 0.0)
    assert np.abs(shown - image * MOST).max() <= 0.5


def test_the_gain_holds_while_a_lamp_is_hidden_and_falls_at_once_with_a_brighter_one() -> None:
    exposure = Exposure()
    exposure.step(lit(180), 0.0)
    hidden = [exposure.step(lit(150), 0.1).max() for _ in range(30)]
    assert set(hidden) == {round(150 * WHITE / 180)}
    shown = [exposure.step(lit(250), 0.1) for _ in range(11)]
    assert np.array_equal(shown[-1], lit(250))


def test_a_camera_that_stays_darker_gets_another_gain_within_minutes() -> None:
    exposure = Exposure()
    exposure.step(lit(230), 0.0)
    for _ in range(240):
        shown = exposure.step(lit(180), 1.0)
    assert shown.max() == pytest.approx(WHITE, rel=0.06)


def test_after_a_reset_the_past_is_forgotten() -> None:
    exposure = Exposure()
    exposure.step(lit(255), 0.0)
    exposure.reset()
    assert exposure.step(lit(180), 0.0).max() == WHITE
