"""Parts of a picture that an engineer draws, written as corners: `0.1,0.9 0.9,0.9 0.6,0.3`.

The same text as `gridwarden label --zone` takes. Corners are shares of width and height, 0..1,
origin top left, in their order around the area.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.kit.background import Mask

Corner = tuple[float, float]  # x, y: shares of width and height
Corners = tuple[Corner, ...]

MOST_CORNERS = 64
LEAST_AREA = 1e-4  # of the picture


def read_corners(text: str) -> Corners:
    """The corners in a text; raises ValueError that names the corner and the way out."""
    words = text.split()
    if not 3 <= len(words) <= MOST_CORNERS:
        raise ValueError(
            f"an area needs 3 to {MOST_CORNERS} corners x,y parted by blanks, got {text!r:.80}"
        )
    corners = tuple(read_point(word) for word in words)
    x, y = np.asarray(corners).T
    if abs(float(x @ np.roll(y, 1) - y @ np.roll(x, 1))) / 2.0 < LEAST_AREA:
        raise ValueError(f"area {text!r:.80} covers nothing: its corners lie on one line")
    return corners


def read_point(word: str) -> Corner:
    """`0.25,0.9` as a point of the picture; raises ValueError."""
    numbers = word.split(",")
    try:
        x, y = (float(number) for number in numbers)
    except ValueError:
        raise ValueError(f"{word!r:.40} is no point x,y such as 0.25,0.9") from None
    if not (0.0 <= x <= 1.0 and 0.0 <= y <= 1.0):
        raise ValueError(
            f"point {word:.40} lies outside the picture: points are shares of its width and "
            "height, 0 to 1 (pixels divided by the picture's size)"
        )
    return x, y


def read_optional_corners(text: str) -> Corners:
    """The same; none for an empty text."""
    return read_corners(text) if text.strip() else ()


@lru_cache(maxsize=64)
def mask_of(corners: Corners, width: int, height: int) -> Mask:
    """255 inside the area, of a picture of that size; never empty. Not to be written to."""
    mask = np.zeros((height, width), np.uint8)
    outline = pixels_of(corners, width, height).round().astype(np.int32)
    cv2.fillPoly(mask, [np.minimum(outline, (width - 1, height - 1))], 255)
    mask.flags.writeable = False
    return mask


def pixels_of(points: Sequence[Corner], width: int, height: int) -> NDArray[np.float64]:
    """(n, 2) pixels of points in shares."""
    return np.asarray(points, np.float64).reshape(-1, 2) * (width, height)
