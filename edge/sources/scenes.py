"""Rendered scenes as a source: `scene:street`, `scene:fire`, `scene:water`, `scene:freeze`.

For the demo and for tests: what they show is known exactly (`edge.scenes.open_scene(..).truth()`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import cv2

from contract.taxonomy import CameraState
from detectors.kit.types import Frame
from edge.scenes import open_scene
from edge.scenes.drawing import Clock
from edge.sources.opening import SourceSettings
from edge.sources.source import Canvas, Tell

CATCH_UP_S = 1.0  # later than this: leave frames out rather than show them late
CLOCK_STEP_S = 2.0  # the wall clock was set forward by more than this: go along


class SceneSource:
    """Plays a scene in its own time."""

    def __init__(
        self,
        settings: SourceSettings,
        tell: Tell,
        canvas: Canvas,
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._tell = tell
        self._canvas = canvas
        self._now = now
        self._sleep = sleep

    def frames(self) -> Iterator[Frame]:
        """Frames until the scene to be played once has ended; raises SourceError where unknown."""
        cv2.setNumThreads(1)
        scene = open_scene(self._settings.source.removeprefix("scene:"))
        clock = Clock(self._settings.stream)
        in_cycle = round(scene.duration_s * scene.fps)
        height, width = scene.size
        wall, begun = self._now(), time.monotonic()
        self._tell(CameraState.ONLINE, "")
        number = 0
        while self._settings.loop or number < in_cycle:
            late_s = time.monotonic() - begun - number / scene.fps
            if late_s > CATCH_UP_S:
                number += int(late_s * scene.fps)
                continue
            if late_s < 0.0:
                self._sleep(-late_s)
            if number % in_cycle == 0:
                wall = self._forward(wall, number / scene.fps)
            at = wall + timedelta(seconds=number / scene.fps)
            cycle_at = wall + timedelta(seconds=number // in_cycle * scene.duration_s)
            canvas = self._canvas(height, width)
            if canvas is not None:
                t_s = number % in_cycle / scene.fps
                scene.draw(t_s, canvas)
                # a frozen camera's clock stands still in its picture
                clock.burn(canvas, cycle_at + timedelta(seconds=scene.shown_s(t_s)))
                yield Frame(canvas, at, self._settings.stream, number)
            number += 1
        self._tell(CameraState.ENDED, "played to its end")

    def _forward(self, wall: datetime, played_s: float) -> datetime:
        """The wall time of frame 0, later where the clock was set forward; it never goes back."""
        ahead_s = (self._now() - wall).total_seconds() - played_s
        return wall + timedelta(seconds=ahead_s) if ahead_s > CLOCK_STEP_S else wall
