"""All detectors of a stream meet on the same pictures, and none depends on who else is there."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from detectors.kit.beat import Beat
from detectors.kit.steadying import Steadying
from detectors.kit.thumbnail import thumbnail
from detectors.kit.types import Frame
from tests.detectors.scenes import START, film


def on_beat(seconds: list[float]) -> list[float]:
    beat = Beat()
    return [s for s in seconds if beat.holds(START + timedelta(seconds=s))]


@pytest.mark.parametrize(("fps", "count"), [(5.0, 20), (12.0, 40), (25.0, 40), (60.0, 40)])
def test_it_holds_ten_pictures_a_second_or_all_of_a_slower_camera(fps: float, count: int) -> None:
    assert len(on_beat([n / fps for n in range(round(4 * fps))])) == count


def test_asked_twice_of_one_frame_it_says_the_same() -> None:
    asked = [s for s in (n / 25 for n in range(50)) for _ in range(2)]
    once = on_beat(asked[::2])
    assert on_beat(asked) == [s for s in once for _ in range(2)]


def test_a_steadied_frame_keeps_what_was_made_of_it_and_a_detector_takes_it_as_it_is() -> None:
    beat = Beat()
    for shown in film(1, shake=2.0, fps=10.0):
        small = shown.once(thumbnail)
        steadied = beat.steadied(shown)
        assert steadied.once(thumbnail) is small
        assert steadied.steadied is not None
        assert Steadying().of(steadied) is steadied.steadied
        image = steadied.steadied.image
        assert steadied.steadied.once(np.asarray) is steadied.steadied.once(np.asarray)
        assert steadied.steadied.image is image


def test_a_detector_that_is_fed_alone_steadies_for_itself() -> None:
    one, other, beat = Steadying(), Steadying(), Beat()
    for shown in film(2, shake=2.0, fps=10.0):
        alone = one.of(Frame(shown.image, shown.captured_at, "scene", shown.number))
        fed = other.of(beat.steadied(shown))
        assert alone.shift == fed.shift
        assert (alone.image == fed.image).all()
