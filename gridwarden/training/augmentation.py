"""The same crops as another camera, another light and another hour would have shown them.

By OpenCV, crop by crop: on a processor that is several times faster than the same on tensors.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.kit.region import SIDE
from detectors.kit.types import Image

COVER = 0.35  # 0..1, tone of what covers a part of a crop
CURVE = np.arange(256, dtype=np.float32) / 255.0


class Augmentation:
    """Changes crops at random; the same seed changes them the same way."""

    def __init__(self, seed: int) -> None:
        self._chance = np.random.default_rng(seed)
        self._noise = self._chance.standard_normal(1 << 20, np.float32)

    def of(self, crops: NDArray[np.uint8], burns: NDArray[np.bool_]) -> NDArray[np.float32]:
        """(n, SIDE, SIDE, 4) of 0..1. crops: the same as uint8.

        burns: (n,) whether one may show flame; only others are shown in infrared.
        """
        made = np.empty(crops.shape, np.float32)
        for crop, may_burn, out in zip(crops, burns, made, strict=True):
            self._one(crop, bool(may_burn), out)
        return made

    def _one(self, crop: Image, may_burn: bool, out: NDArray[np.float32]) -> None:
        chance = self._chance
        dice = chance.random(16)
        turned = cv2.warpAffine(
            crop,
            self._placing(),
            (SIDE, SIDE),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        gain = float(np.exp(chance.uniform(-0.75, 0.6)))
        tones = gain * chance.uniform(0.82, 1.18, 3)
        curve = np.maximum(CURVE, 1e-4) ** float(chance.uniform(0.6, 1.7))
        table = (curve[:, None] * tones).astype(np.float32)[None]
        lit = cv2.LUT(np.ascontiguousarray(turned[..., :3]), table)
        picture = cv2.transform(lit, self._shades(may_burn, float(lit.mean()), dice))
        np.clip(picture, 0.0, 1.0, out=picture)
        picture = self._focused(picture, dice[5])
        noise = float(chance.uniform(0.0, 0.1 if dice[6] < 0.15 else 0.05))
        start = int(chance.integers(self._noise.size - picture.size - SIDE * SIDE))
        grain = self._noise[start : start + picture.size + SIDE * SIDE]
        out[..., :3] = picture + noise * grain[: picture.size].reshape(picture.shape)
        if dice[7] < 0.3:
            out[..., 3] = 0.0
        else:
            moved = turned[..., 3] * np.float32(min(gain, 1.3) * chance.uniform(0.5, 1.5) / 255.0)
            flicker = np.abs(grain[picture.size :]).reshape(SIDE, SIDE) * np.float32(noise)
            out[..., 3] = np.maximum(moved, flicker) if dice[8] < 0.5 else moved
        np.clip(out, 0.0, 1.0, out=out)
        if dice[9] < 0.25:
            x, y = chance.integers(0, SIDE, 2)
            size = int(chance.integers(6, 26))
            out[y : y + size, x : x + size] = COVER

    def _placing(self) -> cv2.typing.MatLike:
        """From a place in the new crop to that in the old one."""
        chance = self._chance
        angle, scale = float(chance.uniform(-0.25, 0.25)), float(chance.uniform(0.75, 1.15))
        mirror = -1.0 if chance.random() < 0.5 else 1.0
        cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
        linear = np.array([[cosine * mirror, -sine], [sine * mirror, cosine]])
        middle = np.full(2, (SIDE - 1) / 2.0)
        offset = middle - linear @ middle + chance.uniform(-0.12, 0.12, 2) * SIDE / 2.0
        return np.column_stack((linear, offset))

    def _shades(
        self, may_burn: bool, middle: float, dice: NDArray[np.float64]
    ) -> cv2.typing.MatLike:
        """(3, 4): less or more colour and contrast, and a veil of light, all in one step."""
        chance = self._chance
        colour = float(chance.uniform(0.2, 1.6)) if dice[0] < 0.4 else 1.0
        if dice[1] < 0.08 and not may_burn:
            colour = 0.0  # infrared
        contrast = float(chance.uniform(0.7, 1.3))
        veil = float(chance.uniform(0.0, 0.4)) if dice[2] < 0.2 else 0.0
        linear = colour * np.eye(3) + (1.0 - colour) / 3.0
        rest = (1.0 - contrast) * middle * (1.0 - veil) + veil * float(chance.uniform(0.2, 0.9))
        return np.column_stack((linear * contrast * (1.0 - veil), np.full(3, rest)))

    def _focused(self, picture: cv2.typing.MatLike, pick: float) -> cv2.typing.MatLike:
        """One of four sharp, soft, coarse, or smeared by a swaying mast."""
        if pick < 0.22:
            return cv2.blur(picture, (3, 3))
        if pick < 0.32:
            side = int(self._chance.integers(12, 32))
            small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
            return cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
        if pick < 0.42:
            long = int(self._chance.integers(3, 9))
            return cv2.blur(picture, (long, 1) if self._chance.random() < 0.7 else (1, long))
        return picture
