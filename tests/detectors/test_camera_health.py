from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import cv2
import numpy as np
import pytest

from contract.episode import EpisodeChange
from contract.taxonomy import Phase
from detectors.camera_health import LABELS, CameraHealth, CameraHealthParams
from detectors.kit.types import Frame, Image
from detectors.look import watch
from tests.detectors.rendered import square
from tests.detectors.scenes import START, Painter, film, flame, street

CLEAR = street(320, 180)


def faults(stream: Iterator[Frame], **params: Any) -> list[tuple[str, str, float]]:
    detector = CameraHealth(CameraHealthParams(**params))
    return [
        (c.subject.label, str(c.phase), round((c.at - START).total_seconds()))
        for c in watch(stream, detector)
        if isinstance(c, EpisodeChange) and c.phase is not Phase.UPDATED
    ]


def between(begin: float, end: float, level: int) -> Painter:
    def paint(image: Any, second: float) -> None:
        if begin <= second < end:
            image[:] = level

    return paint


def test_a_healthy_camera_has_no_fault() -> None:
    assert faults(film(120, fps=1.0, scene=CLEAR)) == []


def test_every_frame_scores_every_fault() -> None:
    detector = CameraHealth(CameraHealthParams())
    for frame in film(5, fps=1.0):
        assert tuple(o.label for o in detector.observe(frame)) == LABELS


def test_a_stream_that_repeats_one_picture_is_frozen_until_it_moves_again() -> None:
    def stuck() -> Iterator[Frame]:
        kept: np.ndarray[Any, Any] | None = None
        for frame in film(120, fps=1.0, scene=CLEAR):
            if 30 <= frame.number < 80:
                kept = frame.image if kept is None else kept
                frame = dataclasses.replace(frame, image=kept)
            yield frame

    told = faults(stuck(), confirm_s=20.0)
    assert [(label, phase) for label, phase, _ in told] == [
        ("frozen", "raised"),
        ("frozen", "cleared"),
    ]
    assert 46 <= told[0][2] <= 51
    assert 98 <= told[1][2] <= 102


def test_a_still_scene_with_the_noise_of_a_sensor_is_not_frozen() -> None:
    assert faults(film(90, fps=1.0, scene=CLEAR, noise=0.4)) == []


def test_rendered_stills_are_frozen() -> None:
    told = faults(film(40, fps=1.0, scene=CLEAR, noise=0.0))
    assert [t[0] for t in told if t[1] == "raised"] == ["frozen"]


def test_a_static_part_of_a_picture_that_moves_elsewhere_is_not_frozen() -> None:
    assert faults(film(60, flame(), fps=1.0, scene=CLEAR, noise=0.0)) == []


def test_a_picture_that_goes_black_is_dark_and_nothing_else() -> None:
    told = faults(film(120, between(40, 90, 8), fps=1.0, scene=CLEAR))
    assert [(label, phase) for label, phase, _ in told] == [("dark", "raised"), ("dark", "cleared")]


def test_a_night_street_with_one_bright_lamp_in_twenty_is_not_dark() -> None:
    night = street() // 8
    night[:60, :60] = 180  # 6 % of the picture
    assert faults(film(60, fps=1.0, scene=night)) == []


def test_a_hand_or_bag_over_the_lens_is_covered_and_nothing_else() -> None:
    told = faults(film(150, between(60, 110, 120), fps=1.0, scene=CLEAR))
    assert [(label, phase) for label, phase, _ in told] == [
        ("covered", "raised"),
        ("covered", "cleared"),
    ]


def test_a_scene_that_never_had_edges_is_not_called_covered() -> None:
    blank = np.full((180, 320, 3), 120, np.uint8)
    assert faults(film(90, fps=1.0, scene=blank)) == []


def test_a_fault_shorter_than_the_time_to_confirm_is_not_told() -> None:
    assert faults(film(120, between(60, 70, 8), fps=1.0, scene=CLEAR), confirm_s=20.0) == []


@pytest.mark.parametrize("fps", [1.0, 5.0, 25.0])
def test_the_time_to_confirm_does_not_depend_on_the_frame_rate(fps: float) -> None:
    stream = film(30, between(5, 30, 8), fps=fps, scene=street(64, 36), noise=1.0)
    (first, *_) = faults(stream, confirm_s=10.0)
    assert first[:2] == ("dark", "raised")
    assert 13 <= first[2] <= 16


def test_a_frozen_picture_across_a_long_pause_is_not_held_against_the_camera() -> None:
    detector = CameraHealth(CameraHealthParams())
    (frame,) = film(1, fps=1.0)
    detector.observe(frame)
    later = dataclasses.replace(frame, captured_at=frame.captured_at + timedelta(hours=1))
    assert [o.score for o in detector.observe(later) if o.label == "frozen"] == [0.0]  # type: ignore[union-attr]


TOWN_SIZE = (320, 180)


def town() -> Image:
    """A rendered square without noise of its own that matters, 320 x 180."""
    return square(*TOWN_SIZE)


def told(*painters: Painter, seconds: float = 85.0, fps: float = 1.0) -> list[tuple[str, str]]:
    stream = film(seconds, *painters, fps=fps, scene=town(), noise=1.5)
    return [(label, phase) for label, phase, _ in faults(stream, confirm_s=10.0)]


def during(begin: float, end: float, change: Callable[[Image], Any]) -> Painter:
    def paint(image: Image, second: float) -> None:
        if begin <= second < end:
            image[:] = np.clip(change(image), 0, 255).astype(np.uint8)

    return paint


def shifted(image: Image, x: float, y: float) -> Image:
    move = np.array(((1.0, 0.0, x), (0.0, 1.0, y)))
    return np.asarray(cv2.warpAffine(image, move, TOWN_SIZE, borderMode=cv2.BORDER_REFLECT))


def once(label: str) -> list[tuple[str, str]]:
    return [(label, "raised"), (label, "cleared")]


def test_a_rendered_square_has_no_fault() -> None:
    assert told() == []


def test_a_lens_out_of_focus_is_defocused_and_nothing_else() -> None:
    assert told(during(30, 55, lambda i: cv2.GaussianBlur(i, (0, 0), 2.5))) == once("defocused")


@pytest.mark.parametrize(("x", "y"), [(30, 0), (-20, 15), (200, 50)])
def test_a_camera_that_looks_elsewhere_is_moved_and_nothing_else(x: float, y: float) -> None:
    assert told(during(30, 55, lambda i: shifted(i, x, y))) == once("moved")


def test_a_mast_that_sways_is_not_moved() -> None:
    chance = np.random.default_rng(3)
    sway = during(0, 200, lambda i: shifted(i, *chance.normal(0, 1.0, 2)))
    assert told(sway) == []


def test_a_camera_that_stays_where_it_was_put_has_a_new_view_after_a_quarter_of_an_hour() -> None:
    put = during(200, 1e9, lambda i: shifted(i, 45, 10))
    assert told(put, seconds=1500.0, fps=0.1) == once("moved")


def test_noise_that_a_sound_sensor_does_not_make_is_noisy_and_nothing_else() -> None:
    chance = np.random.default_rng(3)
    noise = during(30, 55, lambda i: i + chance.normal(0, 35, i.shape[:2])[..., None])
    assert told(noise) == once("noisy")


def test_a_night_with_the_noise_of_a_high_gain_is_not_noisy() -> None:
    chance = np.random.default_rng(3)
    night = during(0, 200, lambda i: i * 0.4 + chance.normal(0, 7, i.shape))
    assert told(night) == []


def smear(image: Image) -> Image:
    """What a decoder makes of a slice that never came: the last row goes on to the bottom."""
    broken = image.copy()
    broken[75:] = broken[74]
    return broken


def test_rows_that_a_decoder_repeats_are_corrupted_and_nothing_else() -> None:
    clean = film(85, fps=1.0, scene=town(), noise=1.5)
    stream = (
        dataclasses.replace(f, image=smear(f.image)) if 30 <= f.number < 55 else f for f in clean
    )
    found = [(label, phase) for label, phase, _ in faults(stream, confirm_s=10.0)]
    assert found == once("corrupted")


def test_blocks_from_elsewhere_are_corrupted_and_nothing_else() -> None:
    chance = np.random.default_rng(3)

    def blocks(image: Image) -> Image:
        broken = image.copy()
        for _ in range(60):
            top, to = 16 * chance.integers(0, 11, 2)
            left, aside = 16 * chance.integers(0, 20, 2)
            part = image[top : top + 16, left : left + 16].mean(axis=(0, 1))
            broken[to : to + 16, aside : aside + 16] = part + chance.normal(0, 25, 3)
        return broken

    assert told(during(30, 55, blocks)) == once("corrupted")


@pytest.mark.parametrize("quality", [5, 20])
def test_hard_compression_is_not_corrupted(quality: int) -> None:
    def compressed(image: Image) -> Image:
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)

    labels = {label for label, _ in told(during(0, 200, compressed))}
    assert "corrupted" not in labels


def test_the_switch_to_infrared_and_back_is_no_fault() -> None:
    infrared = during(30, 55, lambda i: (cv2.cvtColor(i, cv2.COLOR_BGR2GRAY) * 0.7)[..., None])
    assert told(infrared) == []


def test_rain_on_the_lens_is_no_fault() -> None:
    def drops(image: Image) -> Image:
        soft = np.asarray(cv2.GaussianBlur(image, (17, 17), 0))
        wet = image.copy()
        for x, y in np.random.default_rng(4).uniform(0, 1, (12, 2)):
            mask = np.zeros(image.shape[:2], np.uint8)
            cv2.circle(mask, (round(x * 320), round(y * 180)), 12, 255, -1)
            wet[mask > 0] = soft[mask > 0]
        return wet

    assert told(during(30, 55, drops)) == []
