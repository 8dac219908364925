"""What one detector costs for a 720p frame that it scores: milliseconds by the clock, one thread.

Each detector is shown the file alone, at its own sampling rate; decoding is not counted.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from detectors.kit.params import build
from detectors.kit.registry import available
from detectors.look import Cost, watch
from tests.bench.edge_pipeline import DREW, frames, inputs


@dataclass(frozen=True, slots=True)
class DetectorCosts:
    """What each detector costs on one file."""

    what: str  # which file
    per_frame_ms: dict[str, list[float]]  # by kind

    def lines(self) -> list[str]:
        """Rows of a Markdown table."""
        rows = []
        for kind, ms in self.per_frame_ms.items():
            median, p95 = np.percentile(ms, (50, 95))
            budget = available()[kind].budget_ms
            rows.append(
                f"| {kind}, {self.what} | {median:.2f} (p95 {p95:.2f}; budget {budget:g}) "
                "| ms/scored frame |"
            )
        return rows


def measure(runs: int, quick: bool) -> list[DetectorCosts]:
    """Every detector on the rendered street, and on a real clip where the clips are at hand."""
    cv2.setNumThreads(1)
    limit = 100 if quick else 260
    with tempfile.TemporaryDirectory(prefix="gridwarden-bench-") as name:
        return [
            DetectorCosts(what, {k: _per_frame_ms(k, path, limit, runs) for k in available()})
            for what, path in inputs(Path(name), limit)
        ]


def _per_frame_ms(kind: str, path: Path, limit: int, runs: int) -> list[float]:
    found, cost = available()[kind], Cost()
    for _ in range(runs):
        watcher = found(build(found.Params, DREW.get(kind, {}), kind))
        for _ in watch(frames(path, limit), watcher, cost):
            pass
    return cost.per_frame_ms
