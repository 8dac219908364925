"""`gridwarden demo --report` with all its real processes, on a clip made by the test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]

FRAMES, FPS = 40, 20.0


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of a bright block that moves over a dark floor."""
    path = tmp_path_factory.mktemp("clips") / "yard.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (320, 240))
    noise = np.random.default_rng(7)
    for n in range(FRAMES):
        image = noise.integers(20, 40, (240, 320, 3), dtype=np.uint8)
        image[100:140, 4 * n : 4 * n + 50] = 200
        writer.write(image)
    writer.release()
    return path


def report(*arguments: str | Path, cwd: Path) -> tuple[subprocess.CompletedProcess[str], Any]:
    done = subprocess.run(
        [sys.executable, "-m", "gridwarden", "demo", "--report", "--json", "report.json"]
        + [str(argument) for argument in arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    told = cwd / "report.json"
    return done, json.loads(told.read_text()) if told.exists() else None


def test_a_clip_is_played_once_and_all_that_was_spooled_is_committed(
    clip: Path, tmp_path: Path
) -> None:
    done, told = report("--video", clip, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert told["stopped_because"] == "ended"
    assert told["complete"]
    assert told["quarantined"] == 0
    (stream,) = told["streams"]
    assert (stream["stream"], stream["state"]) == ("yard", "ended")
    assert stream["captured"] == FRAMES
    assert told["lanes"]["health"]["committed"] >= 1
    assert done.stdout.rstrip().endswith("everything spooled was committed")
    # nothing is left where it was started, but the report
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


@pytest.mark.long
def test_a_fire_on_a_rendered_scene_opens_an_event_with_a_picture_in_its_cell(
    tmp_path: Path,
) -> None:
    done, told = report("--seconds", "20", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert told["stopped_because"] == "seconds"
    fires = [e for e in told["grid_events"] if e["category"] == "fire_safety"]
    assert len(fires) == 1, told["grid_events"]
    assert fires[0]["evidence"] >= 1
    assert fires[0]["cell"].startswith("410105")
    (flame,) = [d for d in told["detections"] if d["stream"] == "scene-fire"]
    assert flame["grid_event"] == fires[0]["number"]
    assert told["latency_s"]["p99"] < 5.0
