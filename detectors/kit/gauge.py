"""The height of water at a line of points whose heights are known: a staff, a wall, a kerb.

Written `x,y=metres`, from the lowest up, parted by blanks: `0.71,0.62=0 0.71,0.48=0.5 0.71,0.35=1`.
Where water covers the line, what the dry line looked like is gone; the height is where that begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.kit.areas import Corner, read_point
from detectors.kit.types import Image, Plane

STEPS = 64  # places along the line that are compared
HALF = 8  # columns of the strip on each side of the line
WIDE = 0.015  # of the picture's height: half of the strip's width
ALIKE = 0.5  # concordance of a dry place with its dry self; below it is something else
PATCH = 9  # places that are compared together
GRAIN = 1.0  # deviation along the line (0..255) that a place must have to be known again


@dataclass(frozen=True, slots=True)
class Gauge:
    """Points of the picture, shares, with their heights."""

    points: tuple[Corner, ...]
    heights_m: tuple[float, ...]

    def strip(self, image: Image) -> Plane:
        """(STEPS, 2 HALF + 1): luma along the line, from the lowest place up, unscaled."""
        height, width = image.shape[:2]
        x, y, _ = self._places(width, height)
        aside = np.linspace(-WIDE, WIDE, 2 * HALF + 1) * height
        columns = (x[:, None] + aside[None, :]).astype(np.float32)
        rows = np.repeat(y[:, None], len(aside), axis=1).astype(np.float32)
        found = cv2.remap(image, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(cv2.cvtColor(found, cv2.COLOR_BGR2GRAY), np.float32)

    def level(self, dry: Plane, now: Plane) -> tuple[float, float]:
        """(metres, share of the line that is under water), of two strips.

        Below the shore places are unlike their dry selves, above it they are alike: the shore is
        where that parts them best, so a single place that errs, or somebody who passes, is nothing.
        """
        sums = np.concatenate(([0.0], np.cumsum(_alike(dry, now) - ALIKE)))
        shore = int(np.argmin(sums))
        _, _, heights = self._places(1, 1)
        return float(heights[min(shore, STEPS - 1)]), shore / STEPS

    def _places(
        self, width: int, height: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """(x, y, metres) of STEPS places, evenly apart in the picture."""
        corners = np.asarray(self.points) * (width, height)
        way = np.concatenate(
            ([0.0], np.cumsum(np.linalg.norm(np.diff(np.asarray(self.points), axis=0), axis=1)))
        )
        at = np.linspace(0.0, way[-1], STEPS)
        x, y = (np.interp(at, way, corners[:, n]) for n in (0, 1))
        return x, y, np.interp(at, way, self.heights_m)


def _alike(dry: Plane, now: Plane) -> NDArray[np.float64]:
    """(STEPS,) how alike the surroundings of each place are, -1..1; ALIKE where there is no grain.

    Lin's concordance (1989), which falls where the grain is weaker as well as where it is another:
    under murky water a staff is still there, hardly. Only what changes along the line counts: the
    sides of a staff look the same in its mirror image.
    """
    found = np.full(STEPS, ALIKE)
    for n in range(STEPS):
        first = min(max(0, n - PATCH // 2), STEPS - PATCH)
        one, other = dry[first : first + PATCH], now[first : first + PATCH]
        one, other = one - one.mean(axis=0), other - other.mean(axis=0)
        known, seen = float((one**2).mean()), float((other**2).mean())
        if known >= GRAIN**2:
            found[n] = 2.0 * float((one * other).mean()) / (known + seen)
    return found


@lru_cache(maxsize=64)
def read_gauge(text: str) -> Gauge | None:
    """The gauge in a text, None in an empty one; raises ValueError naming the point."""
    words = text.split()
    if not words:
        return None
    if len(words) < 2:
        raise ValueError(f"a gauge needs at least two points x,y=metres, got {text!r:.60}")
    points, heights = [], []
    for word in words:
        share, equals, metres = word.partition("=")
        try:
            height = float(metres) if equals else np.nan
        except ValueError:
            height = np.nan
        if not -100.0 < height < 100.0:
            raise ValueError(f"{word!r:.40} is no point x,y=metres such as 0.71,0.62=0.5")
        points.append(read_point(share))
        heights.append(height)
    if not all(low < high for low, high in pairwise(heights)):
        raise ValueError(
            "the heights of a gauge must grow from point to point: begin at the bottom"
        )
    if len(set(points)) < len(points):
        raise ValueError("two points of the gauge are the same place")
    return Gauge(tuple(points), tuple(heights))
