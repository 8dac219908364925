"""Lanes that nobody drew: where things drive, and which way along the road.

The picture is cut into cells. A point that moves votes in its cell for its direction. Most votes
lie along one axis, that of the road; a cell belongs to the lane of those that drive along it, or of
those that drive against it. Votes are forgotten over ten minutes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.geometry import Box
from detectors.kit.background import Mask
from detectors.kit.ramp import Ramp
from detectors.kit.types import Plane

CELLS = 32  # along the longer side
MOVES = 0.02  # of the longer side a second: what is slower votes for nothing
FORGET_S = 600.0
LEAST_VOTES = 2.0  # s that points drove in a cell and the eight about it
AGREE = 0.6  # length of the mean of a cell's directions: below it, people cross there
LEAST_SHARE = 0.04  # of the picture: a smaller lane is a patch, and says nothing
PARTS, LEAST_PARTS = 6, 4  # of equal area along a lane; that a queue covers, at the least
COVERED = Ramp(0.05, 0.15)  # share of a part that is covered where a queue stands

Points = NDArray[np.float32]  # (n, 2) x, y, pixels


@dataclass(frozen=True, slots=True)
class FoundLane:
    """Cells that are driven through one way."""

    cells: NDArray[np.bool_]  # (rows, columns)
    part: NDArray[np.intp]  # of each of these cells, in the order of `cells`, 0 to PARTS - 1

    def occupancy(self, there: Mask) -> float:
        """The share that is covered; less, down to 0, where fewer parts than `LEAST_PARTS` are.

        A queue covers a lane all along, be it that one end is empty still; one bus covers three
        parts of six, however near it stands.
        """
        rows, columns = self.cells.shape
        small = cv2.resize(there, (columns, rows), interpolation=cv2.INTER_AREA)
        shares = np.asarray(small, np.float64)[self.cells] / 255.0
        parts = np.bincount(self.part, shares, PARTS) / np.bincount(self.part, minlength=PARTS)
        return float(shares.mean()) * COVERED(float(np.sort(parts)[-LEAST_PARTS]))

    def holds(self, points: Points, size: tuple[int, int]) -> NDArray[np.bool_]:
        """Which points of a picture of (height, width) lie in it."""
        return self.cells[_cells_of(points, self.cells.shape, size)]

    def box(self) -> Box:
        """About it."""
        rows, columns = self.cells.shape
        y, x = np.nonzero(self.cells)
        left, top = int(x.min()), int(y.min())
        return Box(
            left / columns,
            top / rows,
            (int(x.max()) + 1 - left) / columns,
            (int(y.max()) + 1 - top) / rows,
        )


class FoundLanes:
    """The lanes of one camera, found from what drives."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the road."""
        self._votes: Plane | None = None  # (3, rows, columns): seconds times x, y and 1
        self._axis = (0.0, 1.0)  # unit vector

    def see(self, points: Points, ways: Points, gap_s: float, size: tuple[int, int]) -> None:
        """Points, and how far each came in `gap_s`. size: (height, width), pixels."""
        scale = CELLS / max(size)
        shape = 3, max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
        if self._votes is None or self._votes.shape != shape:
            self._votes = np.zeros(shape, np.float32)
        self._votes *= np.float32(math.exp(-gap_s / FORGET_S))
        way = np.linalg.norm(ways, axis=1)
        moves = way > MOVES * max(size) * gap_s
        where = _cells_of(points[moves], shape[1:], size)
        x, y = (ways[moves] / way[moves, None] * np.float32(gap_s)).T
        for plane, votes in zip(self._votes, (x, y, np.float32(gap_s)), strict=True):
            np.add.at(plane, where, votes)

    def lanes(self) -> list[FoundLane | None]:
        """The lane of those that drive along the road's axis, and of those that drive against it;
        None for one that is not there. The axis never turns round, so both keep their places.
        """
        if self._votes is None:
            return [None, None]
        x, y, number = (
            np.asarray(cv2.boxFilter(plane, -1, (3, 3), normalize=False)) for plane in self._votes
        )
        driven = (number >= LEAST_VOTES) & (np.hypot(x, y) >= AGREE * number)
        if not driven.any():
            return [None, None]
        # of doubled angles, those who drive against each other have the same
        twice = 2.0 * np.arctan2(y[driven], x[driven])
        weight = number[driven]
        angle = 0.5 * math.atan2(float(weight @ np.sin(twice)), float(weight @ np.cos(twice)))
        axis = math.cos(angle), math.sin(angle)
        if axis[0] * self._axis[0] + axis[1] * self._axis[1] < 0.0:
            axis = -axis[0], -axis[1]
        self._axis = axis
        along = x * axis[0] + y * axis[1]
        return [self._lane(driven & (along > 0.0)), self._lane(driven & (along < 0.0))]

    def _lane(self, cells: NDArray[np.bool_]) -> FoundLane | None:
        if cells.mean() < LEAST_SHARE or np.count_nonzero(cells) < PARTS:
            return None
        rows, columns = np.nonzero(cells)
        order = np.argsort(columns * self._axis[0] + rows * self._axis[1], kind="stable")
        part = np.empty(len(order), np.intp)
        part[order] = np.arange(len(order)) * PARTS // len(order)
        return FoundLane(cells, part)


def _cells_of(
    points: Points, shape: tuple[int, ...], size: tuple[int, int]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(rows, columns) of the cells that points lie in."""
    column = (points[:, 0] * (shape[1] / size[1])).astype(np.intp)
    row = (points[:, 1] * (shape[0] / size[0])).astype(np.intp)
    return np.clip(row, 0, shape[0] - 1), np.clip(column, 0, shape[1] - 1)
