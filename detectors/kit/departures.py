"""Where something has driven off: it moves, soon it moves no more, and its edges are gone.

A vehicle that stood while the scene was learnt takes its edges along. Water takes edges as well,
but without such a motion: it rises, and goes on moving. So where something moves the edges before
it moved count, for as long as a vehicle may take; and where edges have gone by then, what is left
is the scene.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.kit.types import Plane

CELLS = 32  # along the longer side
STEP = 10.0  # hundredths of light, as `light`; what changes more between two pictures moves
MOVES = 0.25  # share of a cell
SETTLES_S = 6.0  # s without motion after which an average of two seconds shows what is there
DRIVES_S = 15.0  # s that a vehicle may take; what moves longer is traffic, or water
INTACT, GONE = 0.3, 0.5  # share of a cell's edges that may be lost before, must be after

Cells = NDArray[np.bool_]


class Departures:
    """Of one scene. Feed it pictures in order."""

    def __init__(self, light: Plane) -> None:
        """light: the first picture, forty times the logarithm of luma."""
        scale = CELLS / max(light.shape)
        self._shape = tuple(max(1, round(n * scale)) for n in light.shape)
        self._begin(light)

    def _begin(self, light: Plane) -> None:
        self._last = light
        self._still_s: Plane = np.full(self._shape, math.inf, np.float32)
        self._busy_s: Plane = np.zeros(self._shape, np.float32)  # since it was settled

    def step(self, light: Plane, gap_s: float, lasting: Plane, before: Plane, now: Plane) -> Plane:
        """The edges that count: `before` where something moves, else `now`.

        lasting: edges of the scene, which become those of now where something has driven off.
        An infinite gap begins anew.
        """
        if not math.isfinite(gap_s):
            self._begin(light)
            return now
        moving = cv2.threshold(cv2.absdiff(light, self._last), STEP, 1.0, cv2.THRESH_BINARY)[1]
        self._last = light
        self._still_s = np.where(
            self._small(moving) >= MOVES, np.float32(0.0), self._still_s + np.float32(gap_s)
        )
        settled = self._still_s >= SETTLES_S
        rests = settled & (self._busy_s > 0.0) & (self._busy_s <= DRIVES_S)
        if rests.any():
            drove = self._large(rests & self._gone(lasting, before, now))
            np.copyto(lasting, now, where=drove)
        self._busy_s = np.where(settled, np.float32(0.0), self._busy_s + np.float32(gap_s))
        hidden = ~settled & (self._busy_s <= DRIVES_S)
        return np.where(self._large(hidden), before, now) if hidden.any() else now

    def _gone(self, lasting: Plane, before: Plane, now: Plane) -> Cells:
        """Where the edges of the scene were there before, and are not now, nor any others."""
        strength = np.maximum(self._small(lasting), np.float32(1e-3))
        were = self._small(np.minimum(before, lasting)) / strength
        return np.asarray(
            (were >= 1.0 - INTACT) & (self._small(now) <= (1.0 - GONE) * strength), np.bool_
        )

    def _small(self, plane: cv2.typing.MatLike) -> Plane:
        rows, columns = self._shape
        return np.asarray(
            cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_AREA), np.float32
        )

    def _large(self, cells: Cells) -> Cells:
        size = self._last.shape[1], self._last.shape[0]
        large = cv2.resize(cells.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        return np.asarray(large > 0, np.bool_)
