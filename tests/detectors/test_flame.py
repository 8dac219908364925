from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from contract.episode import EpisodeChange
from contract.geometry import Box
from contract.taxonomy import Phase
from detectors.flame import Flame, FlameParams
from detectors.kit.sampling import Sampling
from detectors.kit.types import Frame, Image, Observation
from detectors.look import frames, watch
from edge.scenes.drawing import HEIGHT, WIDTH
from edge.scenes.flames import Flames
from edge.scenes.lookalikes import LOOKALIKES
from tests.detectors.scenes import (
    START,
    Painter,
    beacon,
    car,
    exposure,
    film,
    flame,
    flash,
    lamp,
    street,
)


def raised(stream: Iterator[Frame], **params: Any) -> list[EpisodeChange]:
    seen = watch(stream, Flame(FlameParams(**params)))
    return [c for c in seen if isinstance(c, EpisodeChange) and c.phase is Phase.RAISED]


def scores(stream: Iterator[Frame]) -> list[Observation]:
    detector = Flame(FlameParams())
    return [f for frame in stream for f in detector.observe(frame) if isinstance(f, Observation)]


def test_a_flame_is_told_within_five_seconds_of_its_start_and_not_before() -> None:
    (alarm,) = raised(film(12, flame(begin=4.0)))
    assert 4.0 < (alarm.raised_at - START).total_seconds() < 9.0
    assert (alarm.started_at - START).total_seconds() >= 4.0


def test_the_box_of_an_alarm_holds_the_flame() -> None:
    (alarm,) = raised(film(8, flame(x=0.3, y=0.7)))
    assert alarm.box is not None
    assert alarm.box.x < 0.3 < alarm.box.x + alarm.box.w
    assert alarm.box.y < 0.65 < alarm.box.y + alarm.box.h
    assert alarm.box.w * alarm.box.h < 0.2


@pytest.mark.parametrize("fps", [5.0, 8.0, 12.5, 25.0, 30.0, 60.0])
def test_a_flame_is_told_at_any_frame_rate(fps: float) -> None:
    assert len(raised(film(5, flame(), fps=fps))) == 1


def darker(shown: Iterator[Frame], light: float) -> Iterator[Frame]:
    for frame in shown:
        image = np.asarray(np.rint(frame.image * light), np.uint8)
        yield Frame(image, frame.captured_at, frame.stream, frame.number)


@pytest.mark.parametrize("verifier", [True, False])
def test_a_flame_is_told_by_a_camera_whose_brightest_is_far_from_white(verifier: bool) -> None:
    assert len(raised(darker(film(6, flame()), 0.65), verifier=verifier)) == 1


@pytest.mark.parametrize(("width", "height"), [(426, 240), (1280, 720), (720, 1280)])
def test_a_flame_is_told_at_any_size_of_picture(width: int, height: int) -> None:
    stream = film(4.5, flame(), scene=street(width, height), fps=8.0, noise=0.0)
    assert len(raised(stream, confirm_s=2.0)) == 1


def test_a_flame_that_dies_ends_its_alarm_after_the_off_delay() -> None:
    def until(second: float) -> Callable[[Any, float], None]:
        burn = flame()
        return lambda image, now: burn(image, now) if now < second else None

    seen = list(watch(film(22, until(6.0)), Flame(FlameParams(off_delay_s=5.0))))
    changes = [c for c in seen if isinstance(c, EpisodeChange)]
    assert [c.phase for c in changes if c.phase is not Phase.UPDATED] == [
        Phase.RAISED,
        Phase.CLEARED,
    ]
    assert 10.0 < (changes[-1].at - START).total_seconds() < 15.0


def test_more_fires_than_regions_are_followed_are_told_all_the_same() -> None:
    fires = [flame(x=0.06 + 0.29 * i, y=y) for y in (0.45, 0.95) for i in range(4)]
    assert len(raised(film(8, *fires))) == 1


def orange_car(number: int) -> Painter:
    return car(0.5, lambda s: s * 0.4 - number * 0.7, (20, 120, 250))


NOT_FLAME: dict[str, Callable[[], Iterator[Frame]]] = {
    "an empty street": lambda: film(10),
    "a noisy night": lambda: film(10, scene=street() // 4, noise=12.0),
    "a sodium lamp": lambda: film(10, lamp()),
    "a sodium lamp in a shaking camera": lambda: film(10, lamp(), shake=1.5),
    "an orange panel that blinks": lambda: film(10, beacon(hertz=2.0)),
    "an orange car that passes": lambda: film(10, car(0.5, lambda s: s * 0.2, (20, 120, 250))),
    "orange cars one after another": lambda: film(12, *(orange_car(n) for n in range(6))),
    "an orange car that stands": lambda: film(10, car(0.5, lambda s: 0.5, (20, 120, 250))),
    "an exposure jump": lambda: film(10, lamp(), exposure(4.0, 1.8)),
    "lightning": lambda: film(10, lamp(), flash(3.0), flash(4.0), flash(4.6), flash(5.1)),
    "an orange car seen by a camera that moves": lambda: film(
        10, car(0.5, lambda s: 0.5, (20, 120, 250)), shake=3.0
    ),
    "orange noise": lambda: film(
        10, scene=np.full((180, 320, 3), (30, 110, 220), np.uint8), noise=20.0
    ),
}


def lookalike(name: str, seed: int, fps: float = 10.0, hand: float = 0.0) -> Iterator[Frame]:
    """hand: pixels that the hand which holds the camera wanders in a frame."""
    chance = np.random.default_rng(seed)
    draw = LOOKALIKES[name](chance, street(384, 216))
    at_px: NDArray[np.float64] = np.zeros(2)
    for number in range(round(6.0 * fps)):
        image = draw(2.0 + number / fps)
        at_px = np.clip(at_px + chance.normal(0.0, hand, 2), -30.0, 30.0)
        shift = np.array([[1.0, 0.0, at_px[0] - 32.0], [0.0, 1.0, at_px[1] - 18.0]])
        seen = cv2.warpAffine(image, shift, (320, 180), borderMode=cv2.BORDER_REFLECT)
        at = START + timedelta(seconds=number / fps)
        yield Frame(np.asarray(seen, np.uint8), at, "scene", number)


@pytest.mark.parametrize("hand", [0.0, 3.0])
@pytest.mark.parametrize("name", LOOKALIKES)
def test_what_is_taken_for_flame_is_not_told_at_rest_or_from_the_hand(
    name: str, hand: float
) -> None:
    assert raised(lookalike(name, seed=90_001, hand=hand)) == []


def infrared(image: Image, second: float) -> None:
    """From second 3 on there is no colour."""
    if second >= 3.0:
        image[:] = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None]


def test_the_switch_to_infrared_and_a_clip_of_three_frames_tell_nothing() -> None:
    assert raised(film(6, lamp(), infrared)) == []
    assert raised(film(0.3, flame())) == []


@pytest.mark.parametrize("light", [1.0, 0.65])
@pytest.mark.parametrize("scene", NOT_FLAME)
def test_what_is_like_a_flame_in_one_way_only_is_not_told(scene: str, light: float) -> None:
    assert raised(darker(NOT_FLAME[scene](), light)) == []


def test_a_cut_to_another_place_tells_nothing() -> None:
    def cut() -> Iterator[Frame]:
        for frame in film(8):
            yield frame
        for frame in film(8, lamp(), scene=street(seed=9)):
            yield Frame(
                frame.image,
                frame.captured_at.replace(minute=frame.captured_at.minute + 1),
                frame.stream,
                frame.number + 80,
            )

    assert raised(cut()) == []


def by_hand(seed: int, seconds: float = 6.0, fps: float = 10.0) -> Iterator[Frame]:
    """A rendered fire, filmed by somebody who cannot hold still."""
    chance = np.random.default_rng(seed)
    flames = Flames(chance, (480, 400))
    at_px: NDArray[np.float64] = np.zeros(2)
    backdrop = np.asarray(cv2.resize(street(640, 360), (WIDTH, HEIGHT)), np.uint8)
    for number in range(round(seconds * fps)):
        picture = backdrop.copy()
        flames.draw(picture, 3.0 + number / fps, 120.0, 180.0)
        at_px = np.clip(at_px + chance.normal(0.0, 9.0, 2), -60.0, 60.0)
        shift = np.array([[1.0, 0.0, at_px[0]], [0.0, 1.0, at_px[1]]])
        seen = cv2.warpAffine(picture, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
        at = START + timedelta(seconds=number / fps)
        yield Frame(np.asarray(seen, np.uint8), at, "scene", number)


def test_a_flame_filmed_from_the_hand_is_told_by_its_look_and_by_how_it_boils() -> None:
    best = max(scores(by_hand(90_002)), key=lambda o: o.score)
    assert {"verifier", "boiling"} <= best.features.keys()
    (alarm,) = raised(by_hand(90_002))
    assert alarm.box is not None
    assert alarm.box.x < 0.5 < alarm.box.x + alarm.box.w


def test_without_the_verifier_a_flame_is_told_by_its_restlessness_alone() -> None:
    detector = Flame(FlameParams(verifier=False))
    (alarm,) = raised(film(6, flame()), verifier=False)
    assert alarm.phase is Phase.RAISED
    seen = [f for frame in film(6, flame()) for f in detector.observe(frame)]
    assert all("verifier" not in f.features for f in seen if isinstance(f, Observation))
    assert raised(by_hand(90_002), verifier=False) == []


@pytest.mark.parametrize(
    ("where", "told"), [(Box(0.4, 0.4, 0.2, 0.4), True), (Box(0.1, 0.4, 0.2, 0.4), False)]
)
def test_what_a_model_takes_for_fire_is_verified_whatever_its_colour(
    where: Box, told: bool
) -> None:
    detector, alone, best = Flame(FlameParams()), Flame(FlameParams()), 0.0
    for shown in by_hand(90_002, seconds=3.0):
        dim = np.asarray(shown.image // 3, np.uint8)  # too dark for a flame by its colour
        frame = Frame(dim, shown.captured_at, shown.stream, shown.number)
        (unheard,) = alone.observe(frame)
        (heard,) = detector.observe(frame)
        assert isinstance(unheard, Observation)
        assert isinstance(heard, Observation)
        assert unheard.score == 0.0
        best = max(best, heard.score)
        detector.hear_of_fires([where], frame.captured_at)
    assert (best > 0.5) == told


def test_a_flame_in_another_colour_than_soot_glows_is_not_told() -> None:
    def turned(frame: Frame) -> Frame:
        image = np.ascontiguousarray(frame.image[..., ::-1])  # red and blue exchanged
        return Frame(image, frame.captured_at, frame.stream, frame.number)

    assert raised(turned(f) for f in film(8, flame())) == []


def test_a_score_says_what_it_was_made_of() -> None:
    best = max(scores(film(6, flame())), key=lambda o: o.score)
    assert best.score > 0.8
    assert {"restlessness", "boiling", "orange", "glow", "activity"} <= best.features.keys()


def test_frames_closer_together_than_it_can_use_are_not_scored() -> None:
    assert len(scores(film(2, fps=60.0))) == pytest.approx(60, abs=1)


@pytest.mark.parametrize("fps", [5.0, 10.0])
def test_the_rule_needs_four_fifths_of_the_time_to_confirm(fps: float) -> None:
    for up_s, told in ((1.4, False), (1.6, True)):
        rule = Flame(FlameParams(confirm_s=2.0)).rule()
        up, of = round(up_s * fps), round(2.0 * fps)
        scores = [0.1] * 2 + [0.9] * (up - 1) + [0.1] * (of - up) + [0.9]
        steps = [rule.step(START + timedelta(seconds=i / fps), s) for i, s in enumerate(scores)]
        assert [d.active for d in steps] == [False] * (of + 1) + [told]


def irregular(shown: Iterator[Frame]) -> Iterator[Frame]:
    """Every 25th of a second, of five pictures two left out: 15 frames a second, not evenly."""
    return (frame for frame in shown if frame.number % 5 not in (1, 3))


def test_a_camera_whose_frames_come_unevenly_is_scored_ten_times_a_second() -> None:
    """What is sampled of it lies now and then only 0.04 s apart."""
    sampling, detector, scored = Sampling(Flame.sample_fps), Flame(FlameParams()), 0
    for frame in irregular(film(8, fps=25.0)):
        if sampling.is_due(frame.captured_at):
            sampling.looked(frame.captured_at)
            scored += len(list(detector.observe(frame)))
    assert scored == pytest.approx(80, abs=2)


@pytest.mark.clips
def test_the_scooter_that_burns_is_told_soon_after_it_burns_and_not_before(clips: Path) -> None:
    (alarm, *_) = raised(frames(clips / "fire/F02_scooter_road_onset.mp4"))
    assert 117 <= alarm.raised_frame <= 117 + 5 * 30
    assert alarm.box is not None
    assert alarm.box.x < 0.42 < alarm.box.x + alarm.box.w


@pytest.mark.clips
@pytest.mark.parametrize("name", ["fire/F13_house_roadside.mp4", "fire/F23_indoor_stairwell.mp4"])
def test_a_fire_filmed_from_the_hand_or_in_cuts_is_told(clips: Path, name: str) -> None:
    assert len(raised(frames(clips / name))) == 1


@pytest.mark.clips
@pytest.mark.parametrize(
    "name",
    [
        "traffic/T01_intel_car_detection.mp4",
        "traffic/T04_bgs_video03.avi",
        "traffic/T23_car_park_dusk.mp4",
        "traffic/tfl/tfl_201709042126.mp4",
        "nonfire/N09_streetlamp_snow.mp4",
        "nonfire/N20_ppe_site.mp4",
    ],
)
def test_no_flame_is_told_on_clips_without_one(clips: Path, name: str) -> None:
    assert name in {x["file"] for x in json.loads((clips / "labels.json").read_text())}
    assert raised(frames(clips / name)) == []
