"""The fire verifier: its weights, its verdicts, and how regions are cut and followed for it."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import timedelta
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest

from detectors.kit.eye import Eye
from detectors.kit.region import SIDE, crop, look_of
from detectors.kit.region_track import RegionTracks, Spot, State
from detectors.kit.types import Frame, Image
from detectors.kit.verifier import WEIGHTS, Verifier, weights_sha256
from edge.scenes.drawing import HEIGHT, WIDTH
from edge.scenes.flames import Flames, Smoke
from edge.scenes.lookalikes import LOOKALIKES
from tests.detectors.scenes import START, street

CARD = Path(__file__).parents[2] / "docs" / "models" / "fire-verifier.md"
UNSEEN = 90_000  # seeds that the training does not use


def test_the_shipped_weights_are_those_of_the_model_card_and_small() -> None:
    (named,) = re.findall(r"SHA-256 [| ]*`([0-9a-f]{64})`", CARD.read_text(encoding="utf-8"))
    assert named == weights_sha256()
    assert len((resources.files("detectors") / "weights" / WEIGHTS).read_bytes()) < 2_000_000


def test_no_detector_needs_torch_to_run() -> None:
    code = (
        "import sys, detectors.kit.registry as r; r.available()['smoke']; "
        "from detectors.kit.verifier import Verifier; Verifier(); "
        "sys.exit(any(m in sys.modules for m in ('torch', 'onnx', 'onnxruntime')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_verdict_is_the_same_every_time_and_within_its_range() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (3, SIDE, SIDE, 4), np.uint8)
    first = Verifier().judge(list(noise))
    assert Verifier().judge(list(noise)) == first
    assert all(0.0 <= v.flame <= 1.0 and 0.0 <= v.smoke <= 1.0 for v in first)
    assert Verifier().judge([]) == []


def test_a_crop_of_another_shape_is_refused_with_its_shape() -> None:
    with pytest.raises(ValueError, match=r"\(64, 64, 4\), got \(32, 64, 4\)"):
        Verifier().judge([np.zeros((32, 64, 4), np.uint8)])


def burning(seed: int, at_s: float) -> Image:
    backdrop = cv2.resize(street(), (WIDTH, HEIGHT))
    picture = np.asarray(backdrop // 2, np.uint8)
    Flames(np.random.default_rng(seed), (480, 400)).draw(picture, at_s, 150.0, 200.0)
    return look_of(picture)


def test_rendered_flames_of_unseen_seeds_are_told_from_what_is_taken_for_them() -> None:
    crops, backdrop = [], np.asarray(cv2.resize(street(), (512, 288)), np.uint8)
    for seed in range(UNSEEN, UNSEEN + 6):
        now, before = burning(seed, 9.0), burning(seed, 8.2)
        crops.append(crop(now, before, (256.0, 160.0), 150.0))
    for seed in range(UNSEEN, UNSEEN + 3):
        for maker in LOOKALIKES.values():
            draw = maker(np.random.default_rng(seed), backdrop)
            crops.append(crop(draw(9.0), draw(8.2), (256.0, 144.0), 200.0))
    verdicts = [v.flame for v in Verifier().judge(crops)]
    assert min(verdicts[:6]) > 0.8
    assert sum(v > 0.5 for v in verdicts[6:]) <= 1, verdicts[6:]


def test_rendered_smoke_of_unseen_seeds_is_told_from_the_wall_behind_it() -> None:
    wall = np.full((HEIGHT, WIDTH, 3), 190, np.uint8)
    crops = []
    for seed in range(UNSEEN, UNSEEN + 6):
        plume, looks = Smoke(np.random.default_rng(seed), (420, 470), 380), []
        for second in (5.0, 4.2):
            picture = wall.copy()
            plume.draw(picture, second, 0.95, 25, 0.0)
            looks.append(look_of(picture))
        crops.append(crop(looks[0], looks[1], (280.0, 110.0), 110.0))
    bare = Verifier().judge([crop(look_of(wall), look_of(wall), (280.0, 110.0), 110.0)])[0]
    smoky = sorted(v.smoke for v in Verifier().judge(crops))
    assert smoky[2] > 0.5
    assert bare.smoke < 0.2


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 700), (3840, 2160), (1080, 1920)])
def test_a_region_of_any_picture_can_be_cut(width: int, height: int) -> None:
    look = look_of(np.full((height, width, 3), 90, np.uint8))
    assert max(look.shape[:2]) < 1024
    for middle, side in (((0.0, 0.0), 1.0), ((-50.0, 900.0), 300.0), ((9.0, 9.0), 5000.0)):
        made = crop(look, look, middle, side)
        assert made.shape == (SIDE, SIDE, 4)
        assert not made[..., 3].any()


def test_the_change_in_time_is_measured_from_pictures_of_the_same_size_only() -> None:
    eye = Eye()
    eye.see(Frame(np.zeros((90, 160, 3), np.uint8), START, "cam", 0))
    later = START + timedelta(seconds=0.1)
    eye.see(Frame(np.full((180, 320, 3), 255, np.uint8), later, "cam", 1))
    assert 0.0 <= eye.judge(Spot(10, 10, 20, 20), 160).flame <= 1.0


def followed(scores: list[float], seen: list[bool] | None = None) -> State:
    tracks, spot = RegionTracks(confirm=0.5, reject=0.1), Spot(10, 10, 20, 20)
    state = State.NEW
    for number, score in enumerate(scores):
        at = START + timedelta(seconds=number / 10.0)
        tracks.step([spot] if seen is None or seen[number] else [], at)
        for track in tracks.due(at):
            tracks.looked(track, score, at)
        state = tracks.tracks[0].state
    return state


def test_a_region_is_confirmed_rejected_or_occluded_by_its_looks() -> None:
    assert followed([0.9, 0.9]) is State.NEW
    assert followed([0.9, 0.1, 0.9]) is State.CONFIRMED
    assert followed([0.0, 0.05, 0.9]) is State.REJECTED
    assert followed([0.9] * 5, [True, True, True, True, False]) is State.OCCLUDED


def test_a_rejected_region_is_looked_at_again_after_a_while_only() -> None:
    tracks, spot = RegionTracks(confirm=0.5, reject=0.1), Spot(10, 10, 20, 20)
    looks = 0
    for number in range(30):
        at = START + timedelta(seconds=number / 10.0)
        tracks.step([spot], at)
        for track in tracks.due(at):
            tracks.looked(track, 0.0, at)
            looks += 1
    assert looks == 5  # three to reject it, then one a second


def test_the_number_of_regions_followed_is_bounded_and_gone_ones_are_forgotten() -> None:
    tracks = RegionTracks(confirm=0.5, reject=0.1)
    found = tracks.step([Spot(40 * n, 0, 9, 9) for n in range(9)], START)
    assert [t is None for t in found] == [False] * 6 + [True] * 3
    tracks.step([], START + timedelta(seconds=2.0))
    assert tracks.tracks == []
