"""Metres on the road from four points of the picture whose place on the ground is known.

Written `x,y>east,north`, four of them parted by blanks: shares of the picture, then metres on the
ground from any corner one likes:

    0.20,0.90>0,0 0.80,0.90>7,0 0.60,0.40>7,30 0.40,0.40>0,30
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.kit.areas import Corner, read_point

POINTS = 4
OUTLINE = 1.0  # pixels of the thumbnail: deviation of a vehicle's lower edge from the real one
LEAST_AREA_M2 = 1.0


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast something drove, with one standard deviation."""

    metres_per_s: float
    deviation: float  # m/s

    @property
    def kmh(self) -> float:
        """km/h."""
        return self.metres_per_s * 3.6


@dataclass(frozen=True, slots=True)
class Calibration:
    """Points of the picture (shares) and of the ground (metres)."""

    picture: tuple[Corner, ...]
    ground: tuple[Corner, ...]

    def metres(self, points: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
        """(n, 2) metres of (n, 2) pixels of a picture of that size."""
        shares = np.asarray(points, np.float64).reshape(-1, 1, 2) / (width, height)
        found = cv2.perspectiveTransform(shares, self._homography())
        return np.asarray(found, np.float64).reshape(-1, 2)

    def speed(
        self,
        seconds: Sequence[float],
        points: Sequence[NDArray[np.float64]],
        width: int,
        height: int,
    ) -> Speed | None:
        """The speed of something seen at those seconds and pixels; None where too little is known.

        A straight line through the places over time (least squares). The deviation is that of its
        slope, from the larger of what the places scatter about it and of what one pixel of the
        outline is in metres there, with the spacing of the times. Nothing is capped.
        """
        if len(seconds) < POINTS or seconds[-1] <= seconds[0]:
            return None
        pixels = np.asarray(points, np.float64)
        places = self.metres(pixels, width, height)
        near = self.metres(pixels + OUTLINE, width, height)
        if not (np.isfinite(places).all() and np.isfinite(near).all()):
            return None
        times = np.asarray(seconds, np.float64)
        times = times - times.mean()
        spread = float(times @ times)
        slope = times @ (places - places.mean(axis=0)) / spread
        off = places - places.mean(axis=0) - times[:, None] * slope
        scatter = float(np.sqrt((off**2).sum() / (len(times) - 2)))
        pixel_m = float(np.linalg.norm(near - places, axis=1).mean()) / np.sqrt(2.0)
        # the error of an outline hardly changes from one picture to the next, so many pictures of
        # one vehicle know little more than its first and its last
        known = float(np.sqrt(max(scatter**2 / spread, 2.0 * (pixel_m / np.ptp(times)) ** 2)))
        return Speed(float(np.linalg.norm(slope)), known)

    def _homography(self) -> NDArray[np.float64]:
        here, there = np.asarray(self.picture, np.float32), np.asarray(self.ground, np.float32)
        return np.asarray(cv2.getPerspectiveTransform(here, there), np.float64)


@lru_cache(maxsize=64)
def read_calibration(text: str) -> Calibration | None:
    """The calibration in a text, None in an empty one; raises ValueError naming the point."""
    words = text.split()
    if not words:
        return None
    if len(words) != POINTS:
        raise ValueError(
            f"a calibration needs {POINTS} points x,y>east,north parted by blanks, got {len(words)}"
        )
    picture, ground = [], []
    for word in words:
        share, arrow, metres = word.partition(">")
        if not arrow:
            raise ValueError(f"{word!r:.40} is no point x,y>east,north such as 0.2,0.9>0,3.5")
        picture.append(read_point(share))
        ground.append(_metres(metres, word))
    for what, points, least in (("picture", picture, 1e-4), ("ground", ground, LEAST_AREA_M2)):
        hull = cv2.convexHull(np.asarray(points, np.float32))
        if len(hull) < POINTS or cv2.contourArea(hull) < least:
            raise ValueError(
                f"the four points of the {what} must be the corners of an area, no three of them "
                "on one line"
            )
    return Calibration(tuple(picture), tuple(ground))


def _metres(text: str, word: str) -> Corner:
    try:
        east, north = (float(number) for number in text.split(","))
    except ValueError:
        raise ValueError(f"{word!r:.40} is no point x,y>east,north such as 0.2,0.9>0,3.5") from None
    if not (abs(east) < 1e5 and abs(north) < 1e5):
        raise ValueError(
            f"point {word:.40} lies {max(abs(east), abs(north)):g} m away: metres, please"
        )
    return east, north
