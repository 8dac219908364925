"""The empty road as the median of the last minutes shows it.

A vehicle that waits for minutes is a part of a scene that is learnt by averaging; it is none of a
median as long as the road was seen empty in more than half of the pictures that are kept. Those are
few and far apart: up to `KEPT`, one every `FIRST_S` at the beginning and every `LAST_S` in the end,
which spans ten minutes.

Vehicles come one by one. Where a large part of the picture stands out from one picture to the next,
it is the light, a cut or something before the lens: nothing is known until it has gone, and where
it stays the road is learnt anew.
"""

from __future__ import annotations

from datetime import datetime

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.kit.background import Mask, as_mask
from detectors.kit.median import median
from detectors.kit.types import Plane

KEPT = 24  # pictures
FIRST_S, LAST_S = 0.75, 25.0  # s between two of them
LEAST = 6  # pictures that make a median
DIFFERS = 14.0  # luma 0..255 that stands out: four deviations of a compressed camera's noise
SMOOTH = 1.5  # pixels, deviation: noise goes, vehicles stay
JUMP = 0.2  # share of the picture that stands out at once where no vehicle came
JUMP_S = 2.0  # s after which what came at once is the scene


class LongTermBackground:
    """The empty road of one camera. Feed it luma in order."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the road."""
        self._kept: list[NDArray[np.uint8]] = []
        self._every_s = FIRST_S
        self._taken: datetime | None = None
        self._median: Plane | None = None
        self._share: float | None = None  # of the picture, that stood out last
        self._jumped: datetime | None = None

    @property
    def known(self) -> bool:
        """Whether there is a median to compare with."""
        return self._median is not None

    def apply(self, luma: NDArray[np.uint8], at: datetime, hold: bool) -> Mask | None:
        """255 where something stands out of the road, None before it is known and after a jump.

        hold: this picture is not to be learnt.
        """
        smooth = np.asarray(cv2.GaussianBlur(luma, (0, 0), SMOOTH), np.uint8)
        if self._kept and self._kept[0].shape != smooth.shape:
            self.reset()
        age_s = (at - self._taken).total_seconds() if self._taken is not None else np.inf
        due = not hold and not 0.0 <= age_s < self._every_s
        if self._median is None:
            if due:
                self._take(smooth, at)
            return None
        out = self._out(smooth, self._median)
        if self._has_jumped(cv2.countNonZero(out) / out.size, at):
            return None
        if due:
            self._take(smooth, at)
        return out

    def _has_jumped(self, share: float, at: datetime) -> bool:
        """Whether much stands out since one picture; begins anew where it stays."""
        if self._share is None or share - self._share <= JUMP:
            self._share, self._jumped = share, None
            return False
        if self._jumped is None:
            self._jumped = at
        if (at - self._jumped).total_seconds() >= JUMP_S:
            self.reset()
        return True

    @staticmethod
    def _out(smooth: NDArray[np.uint8], known: Plane) -> Mask:
        some, road = smooth[::3, ::3], known[::3, ::3]
        light = min(4.0, max(0.25, median((some + np.float32(1.0)) / (road + np.float32(1.0)))))
        off = np.multiply(known, np.float32(light))
        np.abs(np.subtract(smooth, off, out=off), out=off)
        return as_mask(off > DIFFERS)

    def _take(self, smooth: NDArray[np.uint8], at: datetime) -> None:
        self._taken = at
        self._kept.append(smooth)
        if len(self._kept) > KEPT:
            if self._every_s < LAST_S:  # every second one, twice as far apart
                self._kept = self._kept[::2]
                self._every_s = min(LAST_S, 2.0 * self._every_s)
            else:
                self._kept.pop(0)
        if len(self._kept) >= LEAST:
            self._median = np.median(np.stack(self._kept), axis=0).astype(np.float32)
