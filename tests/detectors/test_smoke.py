from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from contract.episode import EpisodeChange
from contract.taxonomy import Phase
from detectors.kit.types import Frame, Image, Observation
from detectors.look import at_rate, frames, watch
from detectors.smoke import Smoke, SmokeParams
from edge.scenes.drawing import HEIGHT, WIDTH
from edge.scenes.flames import Smoke as Plume
from edge.scenes.lookalikes import clouds, fog
from tests.detectors.scenes import Painter, car, exposure, film, flash, lamp, street


def raised(stream: Iterator[Frame], **params: Any) -> list[EpisodeChange]:
    seen = watch(stream, Smoke(SmokeParams(**params)))
    return [c for c in seen if isinstance(c, EpisodeChange) and c.phase is Phase.RAISED]


def plume(
    begin: float, grows_s: float = 4.0, grey: int = 60, seed: int = 4, reach: int = 380
) -> Painter:
    """Dark smoke that begins at a second and grows over the picture. reach: pixels it climbs."""
    drawn = Plume(np.random.default_rng(seed), (420, 470), reach)

    def paint(image: Image, second: float) -> None:
        if second < begin:
            return
        large = np.asarray(cv2.resize(image, (WIDTH, HEIGHT)), np.uint8)
        drawn.draw(large, second, min(0.95, (second - begin) / grows_s), grey, 0.0)
        image[:] = cv2.resize(large, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_AREA)

    return paint


def faked(make: Callable[[np.random.Generator, Image], Callable[[float], Image]]) -> Painter:
    draw = make(np.random.default_rng(90_001), street(512, 288))

    def paint(image: Image, second: float) -> None:
        image[:] = cv2.resize(draw(second), (image.shape[1], image.shape[0]))

    return paint


def infrared(image: Image, second: float) -> None:
    """From second 4 on there is no colour."""
    if second >= 4.0:
        image[:] = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None] // 2 + 20


NOT_SMOKE: dict[str, Callable[[], Iterator[Frame]]] = {
    "an empty street": lambda: film(8, fps=5.0),
    "grey cars": lambda: film(8, car(0.4, lambda s: s * 0.3, (120, 120, 120)), fps=5.0),
    "a grey car that stops": lambda: film(
        8, car(0.4, lambda s: min(0.5, s * 0.2), (150, 150, 150)), fps=5.0
    ),
    "an exposure jump": lambda: film(8, exposure(4.0, 1.5), fps=5.0),
    "headlights and lightning": lambda: film(8, lamp(), flash(3.0), flash(4.0), fps=5.0),
    "the switch to infrared": lambda: film(8, infrared, fps=5.0),
    "a camera that shakes": lambda: film(8, shake=3.0, fps=5.0),
    "fog": lambda: film(5, faked(fog), fps=5.0),
    "clouds": lambda: film(5, faked(clouds), fps=5.0),
    "three frames": lambda: film(0.6, plume(0.0), fps=5.0),
}


@pytest.mark.parametrize("scene", NOT_SMOKE)
def test_what_is_no_smoke_is_not_told(scene: str) -> None:
    assert raised(NOT_SMOKE[scene]()) == []


def test_a_cut_to_another_place_tells_nothing() -> None:
    def cut() -> Iterator[Frame]:
        yield from film(5, fps=5.0)
        for frame in film(5, scene=street(seed=9), fps=5.0):
            at = frame.captured_at + timedelta(seconds=5)
            yield Frame(frame.image, at, frame.stream, frame.number + 25)

    assert raised(cut()) == []


def test_a_drawn_plume_that_the_verifier_knows_passes_the_threshold_only_where_it_is() -> None:
    scene, detector = street(640, 360), Smoke(SmokeParams())
    best, shown = Observation("smoke", 0.0), scene
    for frame in film(14, plume(3.0, 3.0, seed=5, reach=420), scene=scene, fps=5.0):
        for seen in detector.observe(frame):
            assert isinstance(seen, Observation)
            assert seen.score == 0.0 or frame.number > 15
            if seen.score > best.score:
                best, shown = seen, frame.image
    assert best.score > detector.params.threshold
    assert best.box is not None
    left, top = round(best.box.x * 640), round(best.box.y * 360)
    right, bottom = left + round(best.box.w * 640), top + round(best.box.h * 360)
    veiled = cv2.absdiff(shown, scene).max(axis=2)[top:bottom, left:right] > 12
    assert veiled.mean() > 0.5


@pytest.mark.xfail(strict=True, reason="the verifier takes it for none: docs/detectors.md, smoke")
def test_any_drawn_plume_is_told() -> None:
    assert raised(film(14, plume(3.0, grows_s=3.0), scene=street(640, 360), fps=5.0))


@pytest.mark.clips
def test_black_smoke_is_told_and_its_score_says_what_it_was_made_of(clips: Path) -> None:
    stream = frames(clips / "fire/F17_industrial_black_smoke.mp4")
    detector, best = Smoke(SmokeParams()), Observation("smoke", 0.0)
    for frame in at_rate(stream, Smoke.sample_fps):
        for seen in detector.observe(frame):
            assert isinstance(seen, Observation)
            best = max(best, seen, key=lambda o: o.score)
    assert best.score > 0.8
    assert best.box is not None
    assert {"sureness", "growth", "softness", "lasting", "in_place"} <= best.features.keys()
    assert len(raised(frames(clips / "fire/F17_industrial_black_smoke.mp4"))) == 1


@pytest.mark.clips
@pytest.mark.parametrize(
    "name",
    [
        "traffic/tfl/tfl_201709042126.mp4",
        "nonfire/N09_streetlamp_snow.mp4",
        "environment/E08_bad_stream_1.mp4",
    ],
)
def test_no_smoke_is_told_on_clips_without_any(clips: Path, name: str) -> None:
    assert name in {x["file"] for x in json.loads((clips / "labels.json").read_text())}
    assert raised(frames(clips / name)) == []
