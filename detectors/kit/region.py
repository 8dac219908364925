"""What the verifier is shown of one region: its picture and its change in time."""

from __future__ import annotations

import cv2
import numpy as np

from detectors.kit.types import Image

SIDE = 64  # pixels of a crop
LOOK = 512  # pixels of the longer side of the picture that crops are taken from
CHANNELS = 4  # blue, green, red, change of luma
FEWEST = 20  # pixels of LOOK that a crop shows at least


def look_of(image: Image) -> Image:
    """The picture at the size that crops are taken from; never enlarged, always a copy."""
    height, width = image.shape[:2]
    scale = LOOK / max(height, width)
    if scale >= 1.0:
        return image.copy()
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if scale < 0.4:  # halve by skipping first: a 4K picture would cost more than all the rest
        step = int(0.5 / scale)
        image = image[::step, ::step]
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def crop(now: Image, before: Image | None, middle: tuple[float, float], side: float) -> Image:
    """(SIDE, SIDE, 4) uint8: a square of the picture around a point, and |change of luma|.

    now, before: looks of the same size; None where nothing earlier is known: the change is 0.
    middle, side: pixels of the look. What lies beyond the picture repeats its edge.
    """
    side = max(side, FEWEST)
    scale = SIDE / side
    matrix = np.array(
        [
            [scale, 0.0, SIDE / 2.0 - middle[0] * scale],
            [0.0, scale, SIDE / 2.0 - middle[1] * scale],
        ]
    )
    out = np.zeros((SIDE, SIDE, CHANNELS), np.uint8)
    shown = _cut(now, matrix, scale)
    out[..., :3] = shown
    if before is not None and before.shape == now.shape:
        earlier = cv2.cvtColor(_cut(before, matrix, scale), cv2.COLOR_BGR2GRAY)
        out[..., 3] = cv2.absdiff(cv2.cvtColor(shown, cv2.COLOR_BGR2GRAY), earlier)
    return out


def _cut(image: Image, matrix: cv2.typing.MatLike, scale: float) -> cv2.typing.MatLike:
    if scale < 0.6:  # otherwise pixels would be left out: smooth the part that is shown first
        step = int(1.0 / scale + 0.5)
        x0, y0 = (-matrix[:, 2] / scale).astype(int)
        reach = int(SIDE / scale) + 2
        left, top = max(0, x0 - step), max(0, y0 - step)
        part = image[top : y0 + reach + step, left : x0 + reach + step]
        if part.size and step > 1:
            small = cv2.resize(
                part,
                (max(1, part.shape[1] // step), max(1, part.shape[0] // step)),
                interpolation=cv2.INTER_AREA,
            )
            across, down = small.shape[1] / part.shape[1], small.shape[0] / part.shape[0]
            moved = np.array(
                [
                    [scale / across, 0.0, matrix[0, 2] + left * scale],
                    [0.0, scale / down, matrix[1, 2] + top * scale],
                ]
            )
            return cv2.warpAffine(small, moved, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    return cv2.warpAffine(image, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
