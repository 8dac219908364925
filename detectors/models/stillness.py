"""Whether a picture shows anything that the last one a network saw did not: the motion gate."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.geometry import Box
from detectors.kit.types import Image

STEP = 14.0  # 0..255: a colour that changed, beyond noise and the light of all
LEAST = 0.0008  # of the picture: a person 60 m away


class Stillness:
    """Compares pictures with the last one that was kept."""

    def __init__(self) -> None:
        self._kept: NDArray[np.float32] | None = None

    def changes(self, small: Image) -> NDArray[np.bool_] | None:
        """Where the thumbnail of a picture differs from the one kept; None: none is kept."""
        now = _smooth(small)
        if self._kept is None or self._kept.shape != now.shape:
            return None
        difference = now - self._kept
        light = np.median(difference[::4, ::4], axis=(0, 1))
        return np.asarray(np.abs(difference - light).max(axis=2) > STEP)

    def keep(self, small: Image) -> None:
        """This is the thumbnail of the one that a network saw."""
        self._kept = _smooth(small)

    def reset(self) -> None:
        """Forget it."""
        self._kept = None


def is_still(changes: NDArray[np.bool_] | None) -> bool:
    """Whether nothing that is worth another look has changed."""
    return changes is not None and float(changes.mean()) < LEAST


def share_within(changes: NDArray[np.bool_], box: Box) -> float:
    """Share of a box that changed, 0..1."""
    height, width = changes.shape
    x, y, w, h = box.to_pixels(width, height)
    part = changes[y : y + max(1, h), x : x + max(1, w)]
    return float(part.mean()) if part.size else 0.0


def _smooth(small: Image) -> NDArray[np.float32]:
    """(h, w, 3): colours too, for red on grey is as bright as the grey."""
    return np.asarray(cv2.blur(small, (3, 3)), np.float32)
