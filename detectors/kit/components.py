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
    _, labels[part], found, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        mask[part], 8, cv2.CV_32S, cv2.CCL_GRANA
    )
    stats = np.asarray(found, np.int32)
    stats[:, cv2.CC_STAT_LEFT] += left
    stats[:, cv2.CC_STAT_TOP] += top
    return labels, stats


def large_parts(mask: cv2.typing.MatLike, smallest: float, full: float) -> list[list[int]]:
    """left, top, width, height of the parts whose box has `smallest` pixels or more and which
    fill `full` times as many, from the top down.

    By their outlines, which costs less than labelling every pixel: most parts are far too small.
    """
    outlines, within = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    found = []
    for outline, (_, _, hole, around) in zip(outlines, within[0] if outlines else (), strict=True):
        if around >= 0:  # itself a hole
            continue
        left, top, width, height = cv2.boundingRect(outline)
        if width * height < smallest:
            continue
        pixels = cv2.contourArea(outline) + len(outline) / 2.0 + 1.0  # by Pick's theorem
        while hole >= 0:
            pixels -= cv2.contourArea(outlines[hole]) - len(outlines[hole]) / 2.0 + 1.0
            hole = within[0][hole][0]
        if pixels >= full * smallest:
            found.append([left, top, width, height])
    return sorted(found, key=lambda box: (box[1], box[0]))
