"""What the detectors share: thumbnails, the scene, tracks, flicker, count lines."""

from __future__ import annotations

from datetime import timedelta

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.kit.background import Background
from detectors.kit.components import components, large_parts
from detectors.kit.flicker import Average, Flicker
from detectors.kit.lines import Axis, CountLine, Side
from detectors.kit.median import median, percentile, percentile_of_whole
from detectors.kit.params import build
from detectors.kit.region import look_of
from detectors.kit.registry import available
from detectors.kit.thumbnail import thumbnail
from detectors.kit.tracking import Tracker
from tests.detectors.scenes import START, car, exposure, film, flame, flash, street


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 2200), st.integers(1, 2200))
def test_a_thumbnail_keeps_the_shape_and_is_never_larger(width: int, height: int) -> None:
    small = thumbnail(np.zeros((height, width, 3), np.uint8))
    assert max(small.shape[:2]) <= 320
    assert min(small.shape[:2]) >= 1
    if max(width, height) > 320:
        assert max(small.shape[:2]) == 320
        expected = min(width, height) * 320 / max(width, height)
        assert min(small.shape[:2]) == pytest.approx(expected, abs=1)


def test_a_thumbnail_keeps_the_mean_of_the_picture() -> None:
    image = np.random.default_rng(1).integers(0, 256, (720, 1280, 3), np.uint8)
    assert thumbnail(image).mean() == pytest.approx(image.mean(), abs=1.0)


def test_a_copy_is_made_once_for_all_detectors_and_none_writes_to_it() -> None:
    lanes = {"lanes": "all:down=0,0 1,0 1,1 0,1"}
    watchers = [
        kind(build(kind.Params, lanes if name in ("congestion", "wrong_way") else {}, name))
        for name, kind in available().items()
    ]
    stopping = car(0.3, lambda s: min(0.5, s), size=(0.3, 0.4))
    for frame in film(3, stopping, flame(0.6, 0.5), scene=street(640, 360), fps=6.0, shake=1.0):
        image = frame.image.copy()
        for watcher in watchers:
            list(watcher.observe(frame))
        assert np.array_equal(frame.image, image)
        assert frame.once(thumbnail) is frame.once(thumbnail)
        assert np.array_equal(frame.once(thumbnail), thumbnail(image))
        assert np.array_equal(frame.once(look_of), look_of(image))


def moving_share(stream: Background, seconds: float, *painters: object) -> list[float]:
    return [
        float((stream.apply(f.image, f.captured_at).moving > 0).mean())
        for f in film(seconds, *painters)  # type: ignore[arg-type]
    ]


def test_an_empty_noisy_scene_has_no_foreground() -> None:
    assert max(moving_share(Background(), 6)) < 0.002


def test_a_car_stands_out_of_the_scene_with_its_area() -> None:
    shares = moving_share(Background(), 6, car(0.5, lambda s: s * 0.25 - 0.3))
    assert max(shares) == pytest.approx(0.14 * 0.20, rel=0.25)


def test_a_change_of_exposure_is_told_as_light_and_moves_nothing() -> None:
    background = Background()
    found = [
        background.apply(f.image, f.captured_at) for f in film(6, exposure(3.0, 1.4), noise=1.0)
    ]
    assert max(float((f.moving > 0).mean()) for f in found) < 0.01
    assert found[31].light == pytest.approx(1.4, abs=0.1)


def test_a_flash_is_an_upset_and_leaves_the_scene_as_it_was() -> None:
    background = Background()
    found = [background.apply(f.image, f.captured_at) for f in film(6, flash(3.0, 0.2))]
    assert [f.upset for f in found[28:34]] == [False, False, True, True, False, False]
    assert (found[33].moving > 0).mean() < 0.002


def test_a_lasting_upset_becomes_the_new_scene() -> None:
    background = Background()
    found = [background.apply(f.image, f.captured_at) for f in film(9, flash(3.0, 6.0))]
    assert not found[-1].upset
    assert (found[-1].moving > 0).mean() < 0.002


def test_what_stands_long_becomes_scene_unless_it_is_kept() -> None:
    for kept in (False, True):
        background = Background()
        share = 0.0
        for f in film(90, car(0.5, lambda s: 0.5 if s > 3 else -1.0), fps=4.0):
            keep = np.full(f.image.shape[:2], 255, np.uint8) if kept else None
            share = float((background.apply(f.image, f.captured_at, keep).moving > 0).mean())
        assert (share > 0.02) is kept


@pytest.mark.parametrize("fps", [10.0, 25.0, 50.0])
def test_turning_points_are_counted_alike_at_any_frame_rate(fps: float) -> None:
    """A pixel that swings at 1.5 Hz turns three times a second."""
    flicker, rates = Flicker(memory_s=1.0), []
    for number in range(int(8 * fps)):
        level = 128.0 + 60.0 * np.sin(2 * np.pi * 1.5 * number / fps)
        rates.append(float(flicker.step(np.full((2, 2), level, np.float32), 1 / fps)[0, 0]))
    assert np.mean(rates[int(4 * fps) :]) == pytest.approx(3.0, rel=0.1)


def test_noise_below_the_hysteresis_never_turns() -> None:
    flicker = Flicker()
    random = np.random.default_rng(1)
    for _ in range(100):
        luma = (100 + random.uniform(-5.9, 5.9, (20, 20))).astype(np.float32)
        rate = flicker.step(luma, 0.1)
    assert rate.max() == 0.0


def test_an_average_forgets_in_seconds_not_in_frames() -> None:
    ends = []
    for fps in (5, 50):
        average = Average(memory_s=1.0)
        for _ in range(2 * fps):
            value = average.step(np.ones((1, 1), np.float32), 1 / fps, begin=0.0)
        ends.append(float(value[0, 0]))
    assert ends == pytest.approx([1 - np.exp(-2)] * 2, abs=1e-4)


def test_two_things_keep_their_numbers_while_they_pass_each_other() -> None:
    tracker = Tracker()
    for i in range(21):
        boxes = np.array([[i * 10.0, 50, 30, 20], [200 - i * 10.0, 90, 30, 20]])
        tracker.step(boxes, START + timedelta(seconds=i * 0.1))
    first, second = sorted(tracker.tracks, key=lambda t: t.number)
    assert (first.box[0], second.box[0]) == (200.0, 0.0)
    assert (first.hits, second.hits) == (21, 21)


def test_a_thing_hidden_for_a_moment_is_found_where_it_must_be_and_after_longer_is_another() -> (
    None
):
    for gap, same in ((3, True), (8, False)):
        tracker = Tracker(max_gap_s=0.5)
        for i in [*range(10), *range(10 + gap, 20 + gap)]:
            box = np.array([[i * 10.0, 50, 30, 20]])
            tracker.step(box, START + timedelta(seconds=i * 0.1))
        (track,) = tracker.tracks
        assert (track.number == 1) is same


def test_a_blob_that_swallows_another_is_not_taken_for_it() -> None:
    tracker = Tracker(size_change=3.0)
    tracker.step(np.array([[0.0, 0, 10, 10]]), START)
    assert tracker.step(np.array([[0.0, 0, 40, 40]]), START + timedelta(seconds=0.1)) == []


@pytest.mark.parametrize(
    ("distance", "side"),
    [(-5.1, Side.BEFORE), (-5.0, Side.ON), (0.0, Side.ON), (5.0, Side.ON), (5.1, Side.BEYOND)],
)
def test_within_the_margin_a_thing_is_on_the_line(distance: float, side: Side) -> None:
    assert CountLine(Axis.HORIZONTAL, 0.5).side(distance, 5.0) is side


def test_a_line_measures_along_its_normal() -> None:
    centre = np.array([30.0, 70.0])
    assert CountLine(Axis.HORIZONTAL, 0.5).distance(centre, 100, 100) == 20.0
    assert CountLine(Axis.VERTICAL, 0.5).distance(centre, 100, 100) == -20.0


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (6, 7), (45, 80)])
def test_a_median_is_that_of_numpy(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(3).normal(100.0, 40.0, (2 * shape[0], shape[1])).astype("f4")
    for part in (values, values[: shape[0]], values[::2]):
        assert median(part) == float(np.median(part))
        for share in (0.0, 25.0, 90.0, 100.0):
            assert percentile(part, share) == float(np.percentile(part, share))
            whole = part.clip(0, 300).astype(np.uint16)
            assert percentile_of_whole(whole, share) == pytest.approx(np.percentile(whole, share))


def test_the_middle_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile_of_whole(np.zeros(0, np.uint8), 50.0)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_connected_parts_are_those_of_opencv(height: int, width: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    mask = np.zeros((height, width), np.uint8)
    top, left = int(chance.integers(height)), int(chance.integers(width))
    part = mask[top:, left:]
    part[chance.random(part.shape) < chance.uniform()] = 255
    _, expected, stats, _ = cv2.connectedComponentsWithStats(mask)
    labels, found = components(mask)
    assert np.array_equal(labels, expected)
    assert np.array_equal(found[1:], stats[1:])
    full = [s[:4].tolist() for s in stats[1:] if s[2] * s[3] >= 6 and s[4] >= 3]
    assert sorted(large_parts(mask, 6.0, 0.5)) == sorted(full)
