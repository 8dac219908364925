"""Signs of a stream that was damaged on its way: what a decoder makes of missing pieces.

A decoder that lost a piece goes on with what it has: macroblocks that belong elsewhere, whose
borders are hard steps exactly on the grid of 16 pixels, and areas smeared downwards from the last
row it knew. Hard compression shows the grid too, but with weak steps, and a building has strong
steps, but on no grid: so strong steps on the grid are counted less those beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.kit.types import Image

GRID = 16  # pixels: a macroblock of H.264; H.265 units are multiples of it
STEP = 18  # 0..255: a step between neighbours that a quantiser does not make
SMEAR = 1  # 0..255: rows that differ less are the same row, give or take the deblocking
TEXTURE = 4  # 0..255: mean step along a row of a smear that shows anything at all


@dataclass(frozen=True, slots=True)
class Damage:
    """How much of a picture looks damaged."""

    broken: float  # share of the grid's borders that are hard steps, less the same beside it, 0..1
    smeared: float  # share whose rows repeat the row above while they show something, 0..1


def damage(image: Image) -> Damage:
    """Of a picture as it was decoded, not scaled."""
    luma = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    # Cr as ITU-R BT.601 has it: a macroblock from elsewhere may differ in colour alone
    red = cv2.addWeighted(cv2.extractChannel(image, 2), 0.713, luma, -0.713, 128.0)
    return Damage(_broken_share([luma, np.asarray(red, np.uint8)]), _smeared_share(luma))


def _broken_share(parts: list[NDArray[np.uint8]]) -> float:
    down = _hard_borders(parts)
    across = _hard_borders([np.asarray(cv2.transpose(part), np.uint8) for part in parts])
    return max(0.0, (down + across) / 2.0)


def _smeared_share(luma: NDArray[np.uint8]) -> float:
    rows, columns = (n // GRID for n in luma.shape)
    if rows < 2 or columns < 2:
        return 0.0
    luma = luma[: rows * GRID, : columns * GRID]
    down = np.empty_like(luma)
    cv2.absdiff(luma[1:], luma[:-1], dst=down[1:])
    down[0] = 0
    along = np.empty_like(luma)
    cv2.absdiff(luma[:, 1:], luma[:, :-1], dst=along[:, 1:])
    along[:, 0] = 0
    _, same = cv2.threshold(down, SMEAR, 255, cv2.THRESH_BINARY_INV)
    still = cv2.resize(same, (columns, rows), interpolation=cv2.INTER_AREA) > 0.97 * 255
    shows = cv2.resize(along, (columns, rows), interpolation=cv2.INTER_AREA) >= TEXTURE
    return float((still & shows).mean())


def _hard_borders(parts: list[NDArray[np.uint8]]) -> float:
    """Share of horizontal borders of blocks that are hard steps, less those half a block aside."""
    height, width = (n // GRID * GRID for n in parts[0].shape)
    if height < 3 * GRID or width < 2 * GRID:
        return 0.0
    picture = [part[:height, :width] for part in parts]
    return _hard_at(picture, 0) - max(
        _hard_at(picture, GRID // 2), _hard_at(picture, GRID // 4 + 1)
    )


def _hard_at(picture: list[NDArray[np.uint8]], offset: int) -> float:
    """Share of segments of one block's width that are hard steps between two rows.

    The rows are those at the grid plus `offset`. Hard: the step is large along the whole segment,
    while on either side the picture is even.
    """
    first, last = GRID + offset, picture[0].shape[0] - 2
    steps, evens = [], []
    for part in picture:
        far, above, below, beyond = (part[first + n : last + n : GRID] for n in (-2, -1, 0, 1))
        steps.append(cv2.absdiff(below, above))
        evens.append(cv2.max(cv2.absdiff(above, far), cv2.absdiff(beyond, below)))
    step = np.asarray(cv2.max(*steps), np.uint8)
    hard = (step > STEP) & (np.asarray(cv2.max(*evens), np.uint8) < step // 3)
    segments = np.add.reduce(hard.reshape(len(step), -1, GRID), axis=2, dtype=np.uint8)
    return float((segments > 0.7 * GRID).mean())
