"""What a camera usually shows, in a few numbers: its edges, its sharpness, its noise, its place."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from detectors.kit.edges import edge_strength
from detectors.kit.median import median, percentile_of_whole
from detectors.kit.thumbnail import thumbnail
from detectors.kit.types import Image, Plane

FINE_SIDE = 640  # pixels of the copy in which sharpness is measured
PLACE_SIDE = 96  # pixels of the copy in which the place of edges is compared
EDGE = 40.0  # Sobel sum of luma, 0..255 scale: a step of about 10 between neighbours
GREY = 2.5  # chroma (0..255) of the most colourful part of an infrared picture
PATCH = 360  # pixels: side of the middle of the picture in which noise is measured, unscaled
# second derivatives in both directions cancel edges and keep noise (Immerkaer, 1996)
_IMMERKAER = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


@dataclass(slots=True)
class View:
    """One picture, measured."""

    edges: float  # share of pixels on an edge, 0..1
    fine: float  # 99th percentile of the Laplacian's amount: how sharp the sharpest is
    coarse: float  # deviation of luma once it is blurred: what is left without any sharpness
    bright: float  # 95th percentile of luma
    grey: bool  # no colours: infrared
    place: Plane  # where the edges are, blurred; mean 0, deviation 1 (all 0 in a blank picture)
    patch: Plane  # the middle of the picture, unscaled


def look(image: Image) -> View:
    """Measure a picture."""
    half = thumbnail(image, FINE_SIDE)
    fine = cv2.cvtColor(half, cv2.COLOR_BGR2GRAY)
    small_picture = thumbnail(half)
    small = cv2.cvtColor(small_picture, cv2.COLOR_BGR2GRAY)
    strength = edge_strength(small)
    laplacian = np.abs(np.asarray(cv2.Laplacian(cv2.GaussianBlur(fine, (3, 3), 0), cv2.CV_16S)))
    blurred = np.asarray(cv2.blur(small, (15, 15)))
    return View(
        edges=float((strength > EDGE).mean()),
        fine=percentile_of_whole(laplacian[::2, ::2], 99),
        coarse=float(blurred.std()),
        bright=percentile_of_whole(np.asarray(small, np.uint8), 95),
        grey=is_grey(small_picture),
        place=_place(strength),
        patch=_patch(image),
    )


def is_grey(image: Image) -> bool:
    """Whether a camera sees infrared: no part of the picture has a colour.

    Parts, for noise has colours too; the most colourful one, for fog takes most of them away.
    """
    height, width = image.shape[:2]
    parts = cv2.resize(image, (min(16, width), min(16, height)), interpolation=cv2.INTER_AREA)
    colours = cv2.cvtColor(parts, cv2.COLOR_BGR2YCrCb)[..., 1:].astype(np.int16)
    return bool(np.abs(colours - 128).max() < GREY)


def alike(one: Plane, other: Plane) -> float:
    """Correlation of two places, -1..1."""
    return float((one * other).mean())


def noise(now: Plane, before: Plane) -> float:
    """Deviation of the noise between two patches of one view, 0..255.

    The smaller of what changes in time, by the median of its amount, and of what stands alone in
    space: a texture does the second, a moving scene the first, only noise both.
    """
    if now.shape != before.shape or min(now.shape) < 16:
        return 0.0
    change = now[::4, ::4] - before[::4, ::4]  # some thousands say as much of a median
    temporal = 1.4826 * median(np.abs(change - median(change))) / math.sqrt(2.0)
    alone = np.abs(np.asarray(cv2.filter2D(now, cv2.CV_32F, _IMMERKAER))[1:-1, 1:-1])
    # the mean of the amount is sqrt(2 / pi) of the deviation, that of the filter is 6
    spatial = float(alone.mean()) * math.sqrt(math.pi / 2.0) / 6.0
    return min(temporal, spatial)


def _place(strength: Plane) -> Plane:
    height, width = strength.shape
    scale = min(1.0, PLACE_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    plane = np.asarray(cv2.resize(strength, size, interpolation=cv2.INTER_AREA), np.float32)
    plane = np.asarray(cv2.GaussianBlur(np.sqrt(plane), (3, 3), 0), np.float32)
    plane = plane - plane.mean()
    deviation = float(plane.std())
    return plane / deviation if deviation > 1e-3 else np.zeros_like(plane)


def _patch(image: Image) -> Plane:
    height, width = image.shape[:2]
    top, left = max(0, (height - PATCH) // 2), max(0, (width - PATCH) // 2)
    middle = np.ascontiguousarray(image[top : top + PATCH, left : left + PATCH])
    return np.asarray(cv2.cvtColor(middle, cv2.COLOR_BGR2GRAY), np.float32)
