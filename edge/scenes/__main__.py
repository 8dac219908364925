"""Look at a scene: `python -m edge.scenes fire --at 12.5 fire.png`, or `--cost` for its price."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np

from edge.errors import SourceError
from edge.scenes import NAMES, open_scene
from edge.scenes.drawing import Clock
from edge.scenes.truth import Scene

MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; the exit code is 0, or 2 with one line of reason."""
    parser = argparse.ArgumentParser(prog="python -m edge.scenes", description=__doc__)
    parser.add_argument("scene", help=f"one of {', '.join(NAMES)}, with ?seed=NUMBER or without")
    parser.add_argument("picture", type=Path, nargs="?", help="the file to write")
    parser.add_argument("--at", type=float, default=0.0, metavar="SECONDS", help="scene time")
    parser.add_argument("--cost", action="store_true", help="the median time of a frame")
    options = parser.parse_intermixed_args(arguments)
    try:
        scene = open_scene(options.scene)
    except SourceError as e:
        sys.stderr.write(f"{e}\n")
        return 2
    if options.cost:
        sys.stdout.write(f"{options.scene}: {_cost_ms(scene):.2f} ms a frame (median)\n")
    if options.picture is not None:
        canvas = np.empty((*scene.size, 3), np.uint8)
        at_s = options.at % scene.duration_s
        scene.draw(at_s, canvas)
        clock = Clock(f"scene:{options.scene}")
        clock.burn(canvas, MIDNIGHT + timedelta(seconds=scene.shown_s(at_s)))
        if not cv2.imwrite(str(options.picture), canvas):
            sys.stderr.write(f"cannot write {options.picture}: is its folder there?\n")
            return 2
    return 0


def _cost_ms(scene: Scene) -> float:
    cv2.setNumThreads(1)
    canvas = np.empty((*scene.size, 3), np.uint8)
    clock = Clock("cost")
    spent = []
    for frame in range(0, round(scene.duration_s * scene.fps), 3):
        begun = time.perf_counter()
        scene.draw(frame / scene.fps, canvas)
        clock.burn(canvas, MIDNIGHT + timedelta(seconds=frame / scene.fps))
        spent.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(spent)


if __name__ == "__main__":
    sys.exit(main())
