"""How bright a camera shows what is brightest: bounds of light then hold for a darker one, too."""

from __future__ import annotations

import math

import cv2
import numpy as np

from detectors.kit.median import percentile
from detectors.kit.types import Image

WHITE = 235.0  # 0..255: what a sound exposure gives the brightest
BRIGHTEST = 99.5  # percentile of the strongest channel; less of a picture is written into it
MOST = 1.5  # gain: a street that shows no light at all is not made a bright one
LEAST = 1.1  # gain below which a picture is left as it is
STEP = 1.06  # ratio of gains from which on another one is taken: each is a jump of light
EVERY_S = 1.0  # s between two measurements
FORGET_S = 60.0  # s, time constant at which a brighter past is forgotten


class Exposure:
    """The gain of one camera. Feed it pictures in order."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget how bright the camera was."""
        self._white: float | None = None
        self._waited_s = 0.0
        self._gain = 1.0
        self._table: Image | None = None

    def step(self, image: Image, gap_s: float) -> Image:
        """The picture as a camera shows it whose brightest is white; the picture itself where it
        is bright enough. gap_s: since the last one.
        """
        self._waited_s += gap_s
        if self._white is None or self._waited_s >= EVERY_S:
            self._measure(image)
        return image if self._table is None else np.asarray(cv2.LUT(image, self._table), np.uint8)

    def _measure(self, image: Image) -> None:
        brightest = percentile(image[::2, ::2].max(axis=2).astype(np.float32).ravel(), BRIGHTEST)
        if self._white is None or brightest > self._white:
            self._white = brightest
        else:
            forgotten = 1.0 - math.exp(-self._waited_s / FORGET_S)
            self._white += (brightest - self._white) * forgotten
        self._waited_s = 0.0
        gain = min(MOST, WHITE / max(1.0, self._white))
        if max(gain / self._gain, self._gain / gain) < STEP:
            return
        self._gain = gain
        levels = np.clip(np.rint(np.arange(256) * gain), 0, 255).astype(np.uint8)
        self._table = levels if gain >= LEAST else None
