"""Counting over a line: traffic_flow against ultralytics' own ObjectCounter, on the same file.

CPU seconds of this process, one thread, decoding included, in turn. `GRIDWARDEN_COUNTER_MODEL`
names a model of yours for it. Without one it is given `yolo11n.yaml` with random weights: as many
operations as trained ones, but it finds hardly a thing, so what tracking costs is left out, and
what it counts says nothing.
"""

from __future__ import annotations

import importlib
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from detectors.kit.registry import detector
from detectors.look import Counted, watch
from tests.bench.edge_pipeline import frames, inputs
from tests.bench.measure import Comparison, compare

LINE = 0.6  # of the picture's height
MODEL = "GRIDWARDEN_COUNTER_MODEL"
NEEDED = ("ultralytics", "torchvision", "lap", "shapely")  # its tracker wants the last two
WAY = "not measured: `make test-yolo`, then `.venv-yolo/bin/python -m tests.bench edge.counter`"


@dataclass(frozen=True, slots=True)
class Missing:
    """What this environment lacks."""

    names: tuple[str, ...]

    def lines(self) -> list[str]:
        """One row of a Markdown table."""
        return [f"| ultralytics' ObjectCounter (lacks {', '.join(self.names)}) | {WAY} | |"]


@dataclass(frozen=True, slots=True)
class Counting:
    """What both cost, and what they counted."""

    costs: Comparison
    counted: tuple[int, int]  # by ours, by theirs

    def lines(self) -> list[str]:
        """Rows of a Markdown table."""
        ours, theirs = self.counted
        return [*self.costs.lines(), f"| crossings, ours and theirs | {ours} and {theirs} | 1 |"]


def measure(runs: int, quick: bool) -> Sequence[Counting | Missing]:
    """The rendered street, and a real 720p clip where the labelled clips are at hand."""
    os.environ |= {"YOLO_VERBOSE": "false", "YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false"}
    lacks = tuple(name for name in NEEDED if not _works(name))
    if lacks:
        return [Missing(lacks)]
    cv2.setNumThreads(1)
    importlib.import_module("torch").set_num_threads(1)
    limit = 20 if quick else 130
    with tempfile.TemporaryDirectory(prefix="gridwarden-bench-") as name:
        folder = Path(name)
        model, told = _model(folder)
        return [
            _measure(path, f"{what}, {told}", model, limit, runs)
            for what, path in inputs(folder, limit)
        ]


def _works(name: str) -> bool:
    try:
        importlib.import_module(name)
    except (ImportError, RuntimeError):  # a torchvision of another torch raises the latter
        return False
    return True


def _model(folder: Path) -> tuple[Path, str]:
    """A model that ultralytics reads, and how the table calls it."""
    named = os.environ.get(MODEL)
    if named:
        return Path(named), Path(named).name
    made = folder / "random.pt"
    importlib.import_module("ultralytics").YOLO("yolo11n.yaml", task="detect").save(made)
    return made, "yolo11n with random weights"


def _measure(path: Path, what: str, model: Path, limit: int, runs: int) -> Counting:
    counted = [0, 0]

    def ours() -> float:
        found = detector("traffic_flow")
        watcher = found(found.Params(line=LINE))
        begun = time.process_time()
        seen = [s for s in watch(frames(path, limit), watcher) if isinstance(s, Counted)]
        took = time.process_time() - begun
        counted[0] = sum(s.measurement.metric == "vehicle_crossing" for s in seen)
        return took / limit * 1000

    def theirs() -> float:
        counter = _counter(path, model)
        begun = time.process_time()
        for frame in frames(path, limit):
            counter(frame.image)
        took = time.process_time() - begun
        counted[1] = counter.in_count + counter.out_count
        return took / limit * 1000

    costs = compare(
        f"traffic_flow, {what}",
        ours,
        "ultralytics' ObjectCounter",
        theirs,
        unit="CPU ms/frame",
        runs=runs,
    )
    return Counting(costs, (counted[0], counted[1]))


def _counter(path: Path, model: Path) -> Any:
    """Its counter over the same line."""
    first = next(iter(frames(path, 1)))
    y = round(LINE * first.height)
    solutions = importlib.import_module("ultralytics.solutions")
    return solutions.ObjectCounter(
        show=False, verbose=False, region=[(0, y), (first.width, y)], model=str(model), device="cpu"
    )
