"""Rendered scenes as detectors are shown them, and what a detector tells of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import cache

import cv2
import numpy as np

from contract.episode import EpisodeChange
from contract.taxonomy import Phase
from detectors.kit.protocol import Detector
from detectors.kit.types import Frame, Image
from detectors.look import Counted, watch
from edge.scenes import open_scene
from edge.scenes.truth import Scene
from tests.detectors.scenes import START


@cache
def square(width: int, height: int) -> Image:
    """The square with its tram, (height, width, 3), drawn once: nobody writes to it."""
    canvas = np.empty((540, 960, 3), np.uint8)
    open_scene("freeze").draw(0.0, canvas)
    small = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    small.flags.writeable = False
    return np.asarray(small, np.uint8)


def shown(scene: Scene, fps: float, from_s: float, to_s: float) -> Iterator[Frame]:
    """A part of a cycle."""
    for number in range(round(from_s * fps), round(to_s * fps)):
        canvas = np.empty((*scene.size, 3), np.uint8)
        scene.draw(number / fps % scene.duration_s, canvas)
        yield Frame(canvas, START + timedelta(seconds=number / fps), "scene", number)


def second(seen: EpisodeChange | Counted) -> float:
    """Of the scene."""
    return (seen.at - START).total_seconds()


def episodes(stream: Iterable[Frame], watcher: Detector) -> list[tuple[str, str, float]]:
    """(phase, place, second) of what was raised and cleared, the end of the video left out."""
    return [
        (str(c.phase), c.subject.place, second(c))
        for c in watch(stream, watcher)
        if isinstance(c, EpisodeChange)
        and c.phase is not Phase.UPDATED
        and c.reason != "the video ended"
    ]


def measured(stream: Iterable[Frame], watcher: Detector, metric: str) -> list[Counted]:
    """What it measured of one metric."""
    return [
        c
        for c in watch(stream, watcher)
        if isinstance(c, Counted) and c.measurement.metric == metric
    ]
