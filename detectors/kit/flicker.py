"""How often each pixel turns from brighter to darker and back: flames do it all the time.

Turning points are found with hysteresis (a zigzag), not by a spectrum: the result does not depend
on the frame rate as long as it is above twice the rate of turning, needs no window of frames, and
noise below the hysteresis does not count at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.kit.background import Mask
from detectors.kit.types import Plane

HYSTERESIS = 12.0  # luma 0..255; about four deviations of the noise of a compressed street camera


class Flicker:
    """Turning points per second for every pixel, over the last second or so."""

    def __init__(self, memory_s: float = 1.0, hysteresis: float = HYSTERESIS) -> None:
        self.memory_s = memory_s
        self.hysteresis = hysteresis
        self.reset()

    def reset(self) -> None:
        """Forget every pixel."""
        self._pixels: _Pixels | None = None

    def step(self, luma: Plane, gap_s: float) -> Plane:
        """Turning points per second (h, w) after one more picture, `gap_s` after the last.

        The array belongs to this object: read it, do not keep it.
        """
        pixels = self._pixels
        if pixels is None or pixels.extreme.shape != luma.shape:
            self._pixels = _Pixels.begin(luma)
            return self._pixels.rate
        ahead = pixels.room
        np.subtract(luma, pixels.extreme, out=ahead)
        np.multiply(ahead, pixels.way, out=ahead)
        turned = ahead < -self.hysteresis
        cv2.copyTo(luma, _mask((ahead > 0.0) | turned), pixels.extreme)
        cv2.copyTo(np.negative(pixels.way, out=ahead), _mask(turned), pixels.way)
        pixels.rate *= math.exp(-gap_s / self.memory_s)
        pixels.rate += np.multiply(turned, np.float32(1.0 / self.memory_s), out=ahead)
        return pixels.rate


@dataclass(slots=True)
class _Pixels:
    """Where each pixel's zigzag stands."""

    extreme: Plane  # brightest (or darkest) since the last turning point
    way: Plane  # +1 while it gets brighter, -1 darker
    rate: Plane  # turning points per second
    room: Plane  # to compute in: a plane costs more to allocate than to fill

    @classmethod
    def begin(cls, luma: Plane) -> _Pixels:
        """All that one picture says."""
        return cls(
            luma.copy(),
            np.ones_like(luma),
            np.zeros_like(luma),
            np.empty_like(luma),
        )


def _mask(hit: NDArray[np.bool_]) -> Mask:
    """For OpenCV, which copies where it is not 0."""
    return hit.view(np.uint8)


class Average:
    """The exponential average of a plane over time, in seconds rather than frames."""

    def __init__(self, memory_s: float) -> None:
        self.memory_s = memory_s
        self.value: Plane | None = None

    def reset(self) -> None:
        """Forget it."""
        self.value = None

    def step(self, plane: Plane, gap_s: float, begin: float | None = None) -> Plane:
        """The average after one more plane; begins at `begin`, or at the first plane."""
        if self.value is None or self.value.shape != plane.shape:
            self.value = plane.copy() if begin is None else np.full_like(plane, begin)
        cv2.accumulateWeighted(plane, self.value, 1.0 - math.exp(-gap_s / self.memory_s))
        return self.value
