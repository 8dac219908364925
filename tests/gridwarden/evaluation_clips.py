"""Clips and recordings that the tests of measuring are made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from detectors.kit.registry import detector
from detectors.kit.types import Frame
from edge.scenes import open_scene
from gridwarden.evaluation.labels import ClipLabel
from gridwarden.evaluation.recorder import STREAM
from gridwarden.evaluation.recording import (
    EPOCH,
    FORMAT,
    DetectorNote,
    Header,
    Recording,
    Subject,
)

FPS = 10


def scene_frames(name: str, begin_s: float, seconds: float) -> Iterator[Frame]:
    """A part of a rendered scene, as a clip that begins at frame 0."""
    scene = open_scene(name)
    first = round(begin_s * scene.fps)
    for number in range(round(seconds * scene.fps)):
        canvas = np.empty((*scene.size, 3), np.uint8)
        scene.draw((first + number) / scene.fps, canvas)
        small = np.asarray(cv2.resize(canvas, (480, 270), interpolation=cv2.INTER_AREA), np.uint8)
        yield Frame(small, EPOCH + timedelta(seconds=number / scene.fps), STREAM, number)


def write_video(path: Path, frames: int, still_from: int | None = None) -> Path:
    """Noise at 10 frames a second, the picture standing still from a frame on."""
    chance = np.random.default_rng(5)
    size = 96, 64
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, size)
    assert writer.isOpened()
    picture = chance.integers(40, 200, (size[1], size[0], 3)).astype(np.uint8)
    for number in range(frames):
        if still_from is None or number <= still_from:
            picture = chance.integers(40, 200, (size[1], size[0], 3)).astype(np.uint8)
        writer.write(picture)
    writer.release()
    return path


def write_labels(folder: Path, *entries: dict[str, Any]) -> Path:
    """A labels file with these entries."""
    path = folder / "labels.json"
    path.write_text(json.dumps(list(entries)))
    return path


def recorded(
    label: ClipLabel,
    scores: list[float],
    kind: str = "flame",
    measured: list[str] | None = None,
    **parameters: Any,
) -> Recording:
    """A recording of one detector that looked at each frame, ten a second."""
    n = len(scores)
    crossings = sorted(set(measured or []))
    note = DetectorNote(kind, detector(kind).version, parameters, ())
    return Recording(
        Header(
            FORMAT,
            label.file,
            label,
            (note,),
            (Subject(kind, kind, ""),),
            tuple(("vehicle_crossing", word, "line-1") for word in crossings),
            2**20,
        ),
        frame_us=np.arange(n, dtype=np.int64) * 100_000,
        score_subject=np.zeros(n, np.int32),
        score_frame=np.arange(n, dtype=np.int64),
        score=np.array(scores, np.float64),
        box=np.full((n, 4), np.nan),
        measured_what=np.array([crossings.index(w) for w in measured or []], np.int32),
        measured_frame=np.zeros(len(measured or []), np.int64),
        measured_value=np.ones(len(measured or []), np.float64),
        cost_kind=np.zeros(n, np.int32),
        cost_ms=np.ones(n, np.float32),
    )
