"""How a region differs from itself a moment before, once its motion is taken out.

A thing that moves, or is seen by a camera that moves, is found again a little further on. A flame
is found nowhere: all of it has changed its shape.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime
from functools import cache, partial

import cv2
import numpy as np

from detectors.kit.region_track import Change, Spot
from detectors.kit.types import Plane

AGO_S = 0.2  # s to the picture that is compared: flames of a metre flicker at 2 to 5 Hz
REACH = 0.25  # of its longer side, within which the region is looked for
LEAST_REACH = 8  # pixels: what is small can drive as fast
MOST_REACH = 24  # pixels of the thumbnail
SIDE = 96  # pixels; a larger region is compared at this size
SMALLEST, FLATTEST = 5, 2.0  # pixels, deviation of luma: what is less has nothing to be found by


UNKNOWN = Change(1.0, 1.0)  # of a region that has nothing to be found by: it speaks against none


class Boiling:
    """The latest pictures of one camera. Feed it pictures in order."""

    def __init__(self) -> None:
        self._seen: deque[tuple[datetime, Plane]] = deque(maxlen=8)
        self._asked: dict[Spot, Callable[[], Change]] = {}  # of the latest picture

    def reset(self) -> None:
        """Forget every picture."""
        self._seen.clear()
        self._asked.clear()

    def see(self, luma: Plane, at: datetime) -> None:
        """Keep a picture (h, w)."""
        while len(self._seen) > 1 and (at - self._seen[1][0]).total_seconds() >= 0.9 * AGO_S:
            self._seen.popleft()
        self._seen.append((at, luma))
        self._asked.clear()

    def of(self, spot: Spot) -> Change | None:
        """What became of a region.

        None where nothing earlier is known, and for a region without any structure.
        """
        later = self.later(spot)
        return None if later is None else later()

    def later(self, spot: Spot) -> Callable[[], Change] | None:
        """The same, to be worked out where it is asked for: the dearest thing about a region, and
        of what is no flame nobody asks. It holds on to the two pictures.
        """
        if spot in self._asked:
            return self._asked[spot]
        if len(self._seen) < 2:
            return None
        now, before = self._seen[-1][1], self._seen[0][1]
        part = now[spot.y : spot.y + spot.h, spot.x : spot.x + spot.w]
        if min(part.shape) < SMALLEST or float(part.std()) < FLATTEST or now.shape != before.shape:
            return None
        self._asked[spot] = cache(partial(_unlike, part, before, spot))
        return self._asked[spot]


def _unlike(part: Plane, before: Plane, spot: Spot) -> Change:
    """How the part differs from the picture before, at its place and around it."""
    reach = min(MOST_REACH, max(LEAST_REACH, round(REACH * max(spot.w, spot.h))))
    area = _around(before, spot, reach)
    scale = SIDE / max(spot.w, spot.h)
    if scale < 1.0:
        found = cv2.matchTemplate(_shrunk(area, scale), _shrunk(part, scale), cv2.TM_CCOEFF_NORMED)
    else:
        found = cv2.matchTemplate(area, part, cv2.TM_CCOEFF_NORMED)
    rows, columns = found.shape
    in_place = float(np.clip(1.0 - found[rows // 2, columns // 2], 0.0, 1.0))
    return Change(min(in_place, float(np.clip(1.0 - _peak(found), 0.0, 1.0))), in_place)


def _around(plane: Plane, spot: Spot, reach: int) -> cv2.typing.MatLike:
    """The region and `reach` pixels about it; beyond the picture's edge that edge again."""
    height, width = plane.shape
    top, left = max(0, spot.y - reach), max(0, spot.x - reach)
    low, right = min(height, spot.y + spot.h + reach), min(width, spot.x + spot.w + reach)
    return cv2.copyMakeBorder(
        plane[top:low, left:right],
        top - spot.y + reach,
        spot.y + spot.h + reach - low,
        left - spot.x + reach,
        spot.x + spot.w + reach - right,
        cv2.BORDER_REPLICATE,
    )


def _peak(found: cv2.typing.MatLike) -> float:
    """The highest likeness between the pixels, too: by a parabola each way through the highest."""
    _, highest, _, (x, y) = cv2.minMaxLoc(found)
    peak = highest
    for line, at in ((found[y], x), (found[:, x], y)):
        if 0 < at < len(line) - 1:
            before, after = float(line[at - 1]), float(line[at + 1])
            bend = before - 2.0 * highest + after
            if bend < 0.0:
                peak -= (before - after) ** 2 / (8.0 * bend)
    return peak


def _shrunk(part: cv2.typing.MatLike, scale: float) -> cv2.typing.MatLike:
    size = tuple(max(SMALLEST, round(s * scale)) for s in part.shape[1::-1])
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA)
