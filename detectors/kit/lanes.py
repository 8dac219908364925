"""Lanes of a road: where they lie in the picture and which way one drives in them.

Written `name:direction=corners`, several parted by `;`:

    in:down=0.1,0.9 0.4,0.9 0.45,0.3 0.35,0.3; out:up=0.5,0.9 0.8,0.9 0.6,0.3 0.5,0.3

The direction is that of travel in the picture: down, up, left, right, or degrees clockwise from up.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from detectors.kit.areas import Corners, mask_of, pixels_of, read_corners
from detectors.kit.background import Mask

BEARINGS = {"up": 0.0, "right": 90.0, "down": 180.0, "left": 270.0}  # degrees clockwise from up
MOST_LANES = 16
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane, or one carriageway."""

    name: str
    bearing_deg: float  # of travel in the picture, clockwise from up
    corners: Corners

    def mask(self, width: int, height: int) -> Mask:
        """255 inside the lane; not to be written to."""
        return mask_of(self.corners, width, height)

    def holds(self, x: float, y: float, width: int, height: int) -> bool:
        """Whether a point in pixels lies in it."""
        column, row = math.floor(x), math.floor(y)
        inside = 0 <= column < width and 0 <= row < height
        return inside and bool(self.mask(width, height)[row, column])

    @property
    def way(self) -> NDArray[np.float64]:
        """The direction of travel: a unit vector, x to the right and y down."""
        angle = math.radians(self.bearing_deg)
        return np.array((math.sin(angle), -math.cos(angle)))

    def length(self, width: int, height: int) -> float:
        """How far one drives in it, pixels along `way`."""
        along = pixels_of(self.corners, width, height) @ self.way
        return max(1.0, float(along.max() - along.min()))


@lru_cache(maxsize=64)
def read_lanes(text: str) -> tuple[Lane, ...]:
    """The lanes in a text, none in an empty one; raises ValueError naming the lane."""
    lanes = tuple(_lane(part.strip()) for part in text.split(";") if part.strip())
    if len(lanes) > MOST_LANES:
        raise ValueError(f"{len(lanes)} lanes, at most {MOST_LANES} fit")
    names = [lane.name for lane in lanes]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"lane {name!r} stands there twice: give one another name")
    return lanes


def _lane(part: str) -> Lane:
    head, equals, corners = part.partition("=")
    name, colon, direction = head.strip().partition(":")
    if not equals or not colon or not _NAME.fullmatch(name):
        raise ValueError(
            f"lane {part!r:.60} is none: write name:direction=x,y x,y x,y, the name in lower case"
        )
    try:
        return Lane(name, _bearing(direction.strip()), read_corners(corners))
    except ValueError as e:
        raise ValueError(f"lane {name}: {e}") from None


def _bearing(word: str) -> float:
    if word in BEARINGS:
        return BEARINGS[word]
    try:
        degrees = float(word)
    except ValueError:
        degrees = math.nan
    if not 0.0 <= degrees < 360.0:
        raise ValueError(
            f"direction {word!r:.20} is none: up, down, left, right, or degrees from up, 0 to 359"
        )
    return degrees
