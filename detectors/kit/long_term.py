"""The empty road as the median of the last minutes shows it.

A vehicle that waits for minutes is a part of a scene that is learnt by averaging; it is none of a
median as long as the road was seen empty in more than half of the pictures that are kept. Those are
few and far apart: up to `KEPT`, one every `FIRST_S` at the beginning and every `LAST_S` in the end,
which spans ten minutes.

Vehicles come one by one. Where a large part of the picture stands out from one picture to the next,
it is the light, a cut or something before the lens: nothing is known until it has gone, and where
it stays the road is learnt anew. The former road is kept beside it for as long as a median spans: a
bus that stops before the lens drives on, and the cloud before the sun.

What stands out is measured against the light on the road, for the light makes the contrast of what
stands there; down to a floor, below which it is noise. Sun and shade stand out as well, but leave
the grain of the road as it is: `grain` tells them from things.
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
DIFFERS = 0.1  # of the road's light that stands out
LEAST_DIFFERS = 7.0  # luma 0..255: four deviations of a compressed dark camera's noise, smoothed
SMOOTH = 1.5  # pixels, deviation: noise goes, vehicles stay
JUMP = 0.2  # share of the picture that stands out at once where no vehicle came
JUMP_S = 2.0  # s after which what came at once is the scene
GRAIN = 3  # pixels about a point whose pattern is its grain
SAME_GRAIN = 0.7  # correlation from which on two patterns are one
RETURN_S = KEPT * LAST_S  # s after which the former road is forgotten


class LongTermBackground:
    """The empty road of one camera. Feed it luma in order."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the road."""
        self._road = _Road()
        self._smooth: NDArray[np.uint8] | None = None  # the picture applied last
        self._jumped: datetime | None = None
        self._former: _Road | None = None
        self._left: datetime | None = None  # when the former road was left

    @property
    def known(self) -> bool:
        """Whether there is a median to compare with."""
        return self._road.median is not None

    def apply(self, luma: NDArray[np.uint8], at: datetime, hold: bool) -> Mask | None:
        """255 where something stands out of the road, None before it is known and after a jump.

        hold: this picture is not to be learnt, if there is a road to be kept from it.
        """
        smooth = np.asarray(cv2.GaussianBlur(luma, (0, 0), SMOOTH), np.uint8)
        if self._road.kept and self._road.kept[0].shape != smooth.shape:
            self.reset()
        self._smooth = smooth
        out = self._returned(smooth, at)
        if out is None and self.known:
            out = self._road.compare(smooth)
            if out is None:
                self._leave(at)
                return None
        self._jumped = None
        if self._road.is_due(at) and not (hold and self.known):
            self._road.take(smooth, at)
        return out

    def grain(self, points: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which points (n, 2) x, y of the picture applied last look as the road does there, but for
        light. Raises ValueError before the road is known.
        """
        if self._smooth is None or self._road.median is None:
            raise ValueError("no road is known yet: apply pictures first")
        one, other = (_patches(plane, points) for plane in (self._smooth, self._road.median))
        same = np.einsum("ij,ij->i", one, other)
        strength = np.einsum("ij,ij->i", one, one) * np.einsum("ij,ij->i", other, other)
        return np.asarray(same > SAME_GRAIN * np.sqrt(strength), np.bool_)

    def _returned(self, smooth: NDArray[np.uint8], at: datetime) -> Mask | None:
        """What stands out of the former road where it is there again: it is the road from then."""
        if self._former is None or self._left is None:
            return None
        out = self._former.compare(smooth)
        if out is not None:
            self._road, self._former = self._former, None
        elif not 0.0 <= (at - self._left).total_seconds() <= RETURN_S:
            self._former = None
        return out

    def _leave(self, at: datetime) -> None:
        """Begin anew where what came at once stays."""
        if self._jumped is None:
            self._jumped = at
        if (at - self._jumped).total_seconds() < JUMP_S:
            return
        if self._former is None:  # what was learnt since then is none to come back to
            self._former, self._left = self._road, at
        self._road, self._jumped = _Road(), None


class _Road:
    """One road: the pictures of it that are kept, and what most of them show."""

    def __init__(self) -> None:
        self.kept: list[NDArray[np.uint8]] = []
        self.median: Plane | None = None
        self._level = 0.0  # luma of the middle of it
        self._every_s = FIRST_S
        self._taken: datetime | None = None
        self._share: float | None = None  # of the picture, that stood out last

    def compare(self, smooth: NDArray[np.uint8]) -> Mask | None:
        """255 where a picture stands out; None where too much does that was not there before."""
        known = self.median
        assert known is not None
        some, road = smooth[::3, ::3], known[::3, ::3]
        light = min(4.0, max(0.25, median((some + np.float32(1.0)) / (road + np.float32(1.0)))))
        off = np.multiply(known, np.float32(light))
        np.abs(np.subtract(smooth, off, out=off), out=off)
        out = as_mask(off > max(LEAST_DIFFERS, DIFFERS * light * self._level))
        share = cv2.countNonZero(out) / out.size
        if self._share is not None and share - self._share > JUMP:
            return None
        self._share = share
        return out

    def is_due(self, at: datetime) -> bool:
        """Whether a picture of that time is to be kept."""
        return self._taken is None or not (
            0.0 <= (at - self._taken).total_seconds() < self._every_s
        )

    def take(self, smooth: NDArray[np.uint8], at: datetime) -> None:
        """Keep a picture."""
        self._taken = at
        self.kept.append(smooth)
        if len(self.kept) > KEPT:
            if self._every_s < LAST_S:  # every second one, twice as far apart
                self.kept = self.kept[::2]
                self._every_s = min(LAST_S, 2.0 * self._every_s)
            else:
                self.kept.pop(0)
        if len(self.kept) >= LEAST:
            self.median = np.median(np.stack(self.kept), axis=0).astype(np.float32)
            self._level = median(self.median[::3, ::3])


def _patches(plane: Plane | NDArray[np.uint8], points: NDArray[np.float32]) -> Plane:
    """(n, pixels) about each point, its mean taken out."""
    middle = [
        np.clip(np.rint(points[:, n]).astype(np.intp), GRAIN, plane.shape[1 - n] - 1 - GRAIN)
        for n in (0, 1)
    ]
    around = np.arange(-GRAIN, GRAIN + 1)
    rows = middle[1][:, None, None] + around[:, None]
    columns = middle[0][:, None, None] + around
    patches = plane[rows, columns].astype(np.float32).reshape(len(points), len(around) ** 2)
    return np.asarray(patches - patches.mean(axis=1, keepdims=True), np.float32)
