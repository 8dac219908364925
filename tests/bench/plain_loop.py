"""The whole weight-free path against the loop that a tutorial would write.

CPU seconds of this process, one thread, on the same file in turn. The plain loop decodes, keeps a
MOG2 background of the whole picture with its shadows, and takes the contours of what is left: no
tracks, no rules, no spool. Ours decodes and does all that `edge_pipeline` says, with every
detector.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from tests.bench.edge_pipeline import frames, inputs, pipeline_ms
from tests.bench.measure import Comparison, compare

SMALLEST = 400  # pixels of area: what the tutorials leave out as noise


def plain_ms(path: Path, limit: int) -> float:
    """CPU milliseconds a frame of MOG2 and contours, decoding included."""
    model = cv2.createBackgroundSubtractorMOG2()
    kernel = np.ones((3, 3), np.uint8)
    begun, count, found = time.process_time(), 0, 0
    for frame in frames(path, limit):
        count += 1
        moving = cv2.threshold(model.apply(frame.image), 200, 255, cv2.THRESH_BINARY)[1]
        moving = cv2.morphologyEx(moving, cv2.MORPH_OPEN, kernel)
        contours, _ = cv2.findContours(moving, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        found += sum(cv2.contourArea(c) >= SMALLEST for c in contours)
    return (time.process_time() - begun) / count * 1000


def measure(runs: int, quick: bool) -> list[Comparison]:
    """The rendered street, and a real 720p clip where the labelled clips are at hand."""
    cv2.setNumThreads(1)
    limit = 100 if quick else 260
    with tempfile.TemporaryDirectory(prefix="gridwarden-bench-") as name:
        return [
            compare(
                f"edge pipeline, all detectors, {what}",
                lambda path=path: pipeline_ms(path, limit),  # type: ignore[misc]
                "MOG2 and contours of the whole picture",
                lambda path=path: plain_ms(path, limit),  # type: ignore[misc]
                unit="CPU ms/frame",
                runs=runs,
            )
            for what, path in inputs(Path(name), limit)
        ]
