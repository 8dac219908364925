"""Clips as they might have looked otherwise, and what their labels say then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from detectors.kit.calibration import read_calibration
from detectors.kit.lanes import read_lanes
from detectors.kit.types import Frame
from gridwarden.cli import main
from gridwarden.evaluation.errors import EvaluationError
from gridwarden.evaluation.labels import ClipLabel, truth
from gridwarden.evaluation.perturbing import LOOP_S, PERTURBATIONS, chosen, find
from gridwarden.evaluation.recording import EPOCH
from tests.gridwarden.evaluation_clips import write_labels, write_video

FPS = 25.0
DRAWN = ClipLabel(
    file="a.mp4",
    cat="traffic",
    count=3,
    line="x=0.30",
    left=1,
    right=2,
    stopped_from=10,
    lanes="in:right=0.1,0.9 0.4,0.9 0.4,0.3",
    calibration="0.2,0.9>0,0 0.8,0.9>7,0 0.6,0.4>7,30 0.4,0.4>0,30",
    zones={"dumping": ((0.1, 0.2), (0.3, 0.2), (0.3, 0.6))},
)


def clip(seconds: float = 2.0) -> Iterator[Frame]:
    """A ramp from dark on the left to bright on the right, a stripe moving down."""
    ramp = np.repeat(np.linspace(20, 220, 64).astype(np.uint8)[None, :, None], 48, axis=0)
    for number in range(round(seconds * FPS)):
        image = np.repeat(ramp, 3, axis=2)
        image[number % 40 : number % 40 + 6, 20:30] = (40, 200, 90)
        yield Frame(image, EPOCH + timedelta(seconds=number / FPS), "clip", number)


def perturbed(name: str, seconds: float = 2.0) -> list[Frame]:
    return list(find(name).frames(lambda: clip(seconds)))


@pytest.mark.parametrize("name", [n for n in PERTURBATIONS if n not in ("slow", "loop")])
def test_every_picture_keeps_its_time_and_number_and_looks_otherwise(name: str) -> None:
    before, after = list(clip()), perturbed(name)
    when = [(f.captured_at, f.number) for f in after]
    assert when == [(f.captured_at, f.number) for f in before]
    alike = sum(np.array_equal(a.image, b.image) for a, b in zip(before, after, strict=True))
    assert alike <= 1, "only the first of a swaying camera"
    again = perturbed(name)
    assert all(np.array_equal(a.image, b.image) for a, b in zip(after, again, strict=True))


def test_what_is_compressed_still_shows_the_same() -> None:
    for old, new in zip(clip(), perturbed("compressed"), strict=True):
        assert np.abs(new.image.astype(int) - old.image).mean() < 12.0


def test_slow_leaves_out_frames_and_keeps_the_numbers_of_the_others() -> None:
    found = perturbed("slow", 4.0)
    assert 55 <= len(found) <= 61
    assert all(f.captured_at == EPOCH + timedelta(seconds=f.number / FPS) for f in found)


def test_a_loop_lasts_a_minute_and_time_never_goes_back() -> None:
    found = perturbed("loop", 7.0)
    seconds = [(f.captured_at - EPOCH).total_seconds() for f in found]
    assert seconds == sorted(set(seconds))
    assert LOOP_S - 0.5 <= seconds[-1] <= LOOP_S
    assert [f.number for f in found] == list(range(len(found)))
    assert len(perturbed("loop", 61.0)) == 61 * FPS, "a longer one is shown once"


def test_a_mirrored_label_has_everything_on_the_other_side() -> None:
    label = find("mirror").label(DRAWN)
    assert (label.line, label.left, label.right, label.count) == ("x=0.7000", 2, 1, 3)
    (lane,) = read_lanes(label.lanes)
    assert (lane.name, lane.bearing_deg) == ("in", 270.0)
    assert lane.corners == ((0.9, 0.9), (0.6, 0.9), (0.6, 0.3))
    mirrored, plain = read_calibration(label.calibration), read_calibration(DRAWN.calibration)
    assert mirrored is not None
    assert plain is not None
    assert mirrored.ground == plain.ground
    assert mirrored.picture == ((0.8, 0.9), (0.2, 0.9), (0.4, 0.4), (0.6, 0.4))
    assert find("mirror").label(label).lanes.endswith("0.1,0.9 0.4,0.9 0.4,0.3")
    assert label.zones["dumping"][0] == pytest.approx((0.9, 0.2))


def test_in_a_cropped_picture_what_is_drawn_keeps_its_place() -> None:
    label = find("crop").label(DRAWN)
    assert label.line == "x=0.2500"
    assert label.count is None, "who crosses out of sight cannot be counted"
    assert label.zones["dumping"][1] == pytest.approx((0.25, 0.125))
    assert label.zones["dumping"][0][0] == pytest.approx(0.0), "cut off at the picture"


def test_in_a_loop_only_what_never_occurs_is_judged() -> None:
    label = find("loop").label(DRAWN)
    assert not truth(label, "stopped_vehicle").judged
    assert truth(label, "wrong_way").judged


def test_an_unknown_perturbation_is_refused_with_those_there_are() -> None:
    assert chosen("mirror, dark,mirror") == ("mirror", "dark")
    assert chosen("all") == tuple(PERTURBATIONS)
    with pytest.raises(EvaluationError, match="no perturbation 'dusk'; there are: mirror, crop"):
        chosen("mirror,dusk")


def test_a_folder_is_measured_again_as_it_might_have_looked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_video(tmp_path / "freezes.avi", 150, still_from=40)
    events = [{"kind": "camera_health", "label": "frozen", "from": 41}]
    write_labels(tmp_path, {"file": "freezes.avi", "cat": "traffic", "events": events})
    kept = tmp_path / "kept"
    asked = ["--detector", "camera_health", "--param", "camera_health.confirm_s=5"]
    command = ["evaluate", str(tmp_path), *asked, "--recordings", str(kept), "--perturb"]
    assert main([*command, "dark,noisy"]) == 0
    said = capsys.readouterr().out
    dark, noisy = said.split("== dark")[1].split("== noisy")
    assert "recall 1.00 (1 of 1; 0.21 to 1.00)" in dark
    assert "recall 0.00 (0 of 1; 0.00 to 0.79)" in noisy
    assert "lost   right     camera_health frozen" in noisy
    assert main(["replay", str(tmp_path / "kept-dark")]) == 0
    assert main([*command, "dusk"]) == 1
    assert "no perturbation 'dusk'" in capsys.readouterr().err
