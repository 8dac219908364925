"""What the verifier is shown of one region: its picture and its change in time."""

from __future__ import annotations

import cv2
import numpy as np

from detectors.kit.types import Image

SIDE = 64  # pixels of a crop
LOOK = 512  # pixels of the longer side of the picture that a crop is sharp to
CHANNELS = 4  # blue, green, red, change of luma
FEWEST = 20  # pixels of LOOK that a crop shows at least


def look_of(image: Image) -> Image:
    """The picture that crops are taken from: its longer side is LOOK, or up to twice that.

    A larger one is only halved, by 2 x 2 means: the step to LOOK is no whole one, for which OpenCV
    has no vector code, so it is left to the part that `crop` shows. Never enlarged, always a copy.
    """
    height, width = image.shape[:2]
    longer = max(height, width)
    if longer < 2 * LOOK:
        scale = min(1.0, LOOK / longer)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        return np.array(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    while max(height, width) >= 2 * LOOK:
        height, width = max(1, height // 2), max(1, width // 2)
        image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR))
    return image


def crop(now: Image, before: Image | None, middle: tuple[float, float], side: float) -> Image:
    """(SIDE, SIDE, 4) uint8: a square of the picture around a point, and |change of luma|.

    now, before: looks of the same size; None where nothing earlier is known: the change is 0.
    middle, side: pixels of the look. What lies beyond the picture repeats its edge.
    """
    finer = max(1.0, max(now.shape) / LOOK)
    side = max(side, FEWEST * finer)
    scale = SIDE / side
    matrix = np.array(
        [
            [scale, 0.0, SIDE / 2.0 - middle[0] * scale],
            [0.0, scale, SIDE / 2.0 - middle[1] * scale],
        ]
    )
    out = np.zeros((SIDE, SIDE, CHANNELS), np.uint8)
    shown = _cut(now, matrix, scale, finer)
    out[..., :3] = shown
    if before is not None and before.shape == now.shape:
        earlier = cv2.cvtColor(_cut(before, matrix, scale, finer), cv2.COLOR_BGR2GRAY)
        out[..., 3] = cv2.absdiff(cv2.cvtColor(shown, cv2.COLOR_BGR2GRAY), earlier)
    return out


def _cut(
    image: Image, matrix: cv2.typing.MatLike, scale: float, finer: float
) -> cv2.typing.MatLike:
    """finer: pixels of the image for one of LOOK, 1 to 2."""
    coarser = 1.0 / (scale * finer)  # pixels of LOOK for one of the crop
    shrink = finer * (int(coarser + 0.5) if coarser > 1.0 / 0.6 else 1)
    if shrink > 1.0:  # otherwise pixels would be left out: smooth the part that is shown first
        beside = int(np.ceil(shrink))
        x0, y0 = (-matrix[:, 2] / scale).astype(int)
        reach = int(SIDE / scale) + 2
        left, top = max(0, x0 - beside), max(0, y0 - beside)
        part = image[top : y0 + reach + beside, left : x0 + reach + beside]
        if part.size:
            size = max(1, int(part.shape[1] / shrink)), max(1, int(part.shape[0] / shrink))
            small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
            across, down = small.shape[1] / part.shape[1], small.shape[0] / part.shape[0]
            moved = np.array(
                [
                    [scale / across, 0.0, matrix[0, 2] + left * scale],
                    [0.0, scale / down, matrix[1, 2] + top * scale],
                ]
            )
            return cv2.warpAffine(small, moved, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    return cv2.warpAffine(image, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
