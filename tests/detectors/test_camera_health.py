from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from contract.episode import EpisodeChange
from contract.taxonomy import Phase
from detectors.camera_health import LABELS, CameraHealth, CameraHealthParams
from detectors.kit.types import Frame
from detectors.look import watch
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
