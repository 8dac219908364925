"""What a camera has shown of each pixel of late, as far as it tells of flame."""

from __future__ import annotations

import cv2
import numpy as np

from detectors.kit.background import as_mask
from detectors.kit.exposure import Exposure
from detectors.kit.flicker import Average, Flicker
from detectors.kit.types import Image, Plane
from detectors.kit.warm_planes import (
    CLOSING,
    RESTLESS,
    Hit,
    WarmPlanes,
    flame_coloured,
    shines_cold,
)

COLOURED = 0.35  # of the last half second; flames are flame-coloured about 0.7 of the time


class WarmScene:
    """The scene of one camera. Feed it pictures of one size in order."""

    def __init__(self) -> None:
        self._exposure = Exposure()
        self._flicker = Flicker(memory_s=1.0)
        self._colour = Average(memory_s=0.5)
        self._cold = Average(memory_s=1.0)
        self._activity = Average(memory_s=1.0)
        self._presence = Average(memory_s=2.0)
        self._luma = Average(memory_s=2.0)
        self._last: Plane | None = None

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Height and width of its pictures; None before the first."""
        return None if self._last is None else self._last.shape

    def reset(self) -> None:
        """Forget it."""
        self._exposure.reset()
        self._flicker.reset()
        for average in (self._colour, self._cold, self._activity, self._presence, self._luma):
            average.reset()
        self._last = None

    def step(self, small: Image, gap_s: float) -> tuple[WarmPlanes, Hit]:
        """What is known of each pixel after this picture, and which are restless and coloured.

        gap_s: since the last one.
        """
        small = self._exposure.step(small, gap_s)
        blue, green, red = (plane.astype(np.float32) for plane in cv2.split(small))
        luma: Plane = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)
        rate = self._flicker.step(luma, gap_s)
        coloured = flame_coloured(blue, green, red)
        often = self._colour.step(coloured, gap_s, begin=0.0)
        cold = self._cold.step(shines_cold(blue, red), gap_s, begin=0.0)
        scene = self._luma.step(luma, gap_s)
        last = luma if self._last is None else self._last
        changed = (cv2.absdiff(luma, last) > self._flicker.hysteresis / 2.0).astype(np.float32)
        activity = self._activity.step(changed, gap_s, begin=0.0)
        self._last = luma
        sparse = as_mask((often > COLOURED) & (rate > RESTLESS))
        candidate = np.asarray(cv2.morphologyEx(sparse, cv2.MORPH_CLOSE, CLOSING)) > 0
        presence = self._presence.step(candidate.astype(np.float32), gap_s, begin=0.0)
        planes = WarmPlanes(blue, green, red, luma, rate, activity, presence, cold, scene)
        return planes, candidate
