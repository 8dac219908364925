"""A picture as a YOLO network wants it: scaled to fit, grey bars about it, colours 0..1.

The same steps, rounding included, as ultralytics' LetterBox with auto=False, scaleup=True.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.kit.types import Image

GREY = 114


@dataclass(frozen=True, slots=True)
class Fit:
    """How a picture lies in the network's input: pixels there are pixels * scale + offset."""

    scale: float
    left: int
    top: int
    width: int  # of the picture
    height: int


def fit(width: int, height: int, size: tuple[int, int]) -> Fit:
    """How a picture of that size lies in an input of (height, width)."""
    scale = min(size[0] / height, size[1] / width)
    inner = _inner(width, height, scale)
    left, top = (size[1] - inner[0]) / 2.0, (size[0] - inner[1]) / 2.0
    return Fit(scale, round(left - 0.1), round(top - 0.1), width, height)


def letterbox(image: Image, size: tuple[int, int]) -> NDArray[np.float32]:
    """(3, height, width) float32, RGB, 0..1. Never writes to `image`."""
    height, width = image.shape[:2]
    place = fit(width, height, size)
    inner = _inner(width, height, place.scale)
    out = np.full((*size, 3), GREY, np.uint8)
    scaled = image
    if inner != (width, height):
        scaled = np.asarray(cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR), np.uint8)
    out[place.top : place.top + inner[1], place.left : place.left + inner[0]] = scaled
    planes = out[..., ::-1].transpose(2, 0, 1).astype(np.float32)
    return np.ascontiguousarray(planes / np.float32(255.0))


def _inner(width: int, height: int, scale: float) -> tuple[int, int]:
    return max(1, round(width * scale)), max(1, round(height * scale))
