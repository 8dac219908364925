"""The connected parts of a mask, at what they cost rather than what the picture does."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int32]  # (h, w)
Stats = NDArray[np.int32]  # (n, 5)


def components(mask: cv2.typing.MatLike) -> tuple[Labels, Stats]:
    """(labels, stats) of a mask as `cv2.connectedComponentsWithStats` gives them, 8-connected.

    Row 0 of the stats is what is not set; its figures are those of the rectangle about the rest.
    """
    x, y, w, h = cv2.boundingRect(mask)
    labels = np.zeros(mask.shape, np.int32)
    if w == 0:
        return labels, np.zeros((1, 5), np.int32)
    left, top = x & ~1, y & ~1  # even: the labelling goes by 2 x 2 blocks, and so by one order
    part = np.s_[top : y + h, left : x + w]
    _, labels[part], found, _ = cv2.connectedComponentsWithStats(mask[part])
    stats = np.asarray(found, np.int32)
    stats[:, cv2.CC_STAT_LEFT] += left
    stats[:, cv2.CC_STAT_TOP] += top
    return labels, stats
