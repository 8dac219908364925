"""The beat of a stream: ten pictures a second, of which all detectors look at what they want.

So what several need of a picture is made once, and a shaken camera is steadied once. That happens
whether anybody looks or not: what a detector tells must not depend on which others run.
"""

from __future__ import annotations

from datetime import datetime

from detectors.kit.sampling import Sampling
from detectors.kit.steadying import Steadying
from detectors.kit.types import Frame

FPS = 10.0  # a flame flickers at up to 5 Hz


def looks_on_beat(sample_fps: float) -> bool:
    """Whether a detector of that rate looks on the beat; others see all that they ask for."""
    return 0.0 < sample_fps <= FPS


class Beat:
    """Of one stream."""

    def __init__(self) -> None:
        self._sampling = Sampling(FPS)
        self._steadying = Steadying()
        self._at: datetime | None = None
        self._on = False

    def holds(self, at: datetime) -> bool:
        """Whether the frame of that time is on it. To be asked of every frame, in order."""
        if at != self._at:
            self._at, self._on = at, self._sampling.is_due(at)
            if self._on:
                self._sampling.looked(at)
        return self._on

    def steadied(self, frame: Frame) -> Frame:
        """A frame that is on it, steadied. To be asked of all of them, in order."""
        return frame.standing(self._steadying.step(frame))
