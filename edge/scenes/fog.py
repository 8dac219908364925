"""The street in fog: it comes from afar, thickens until the houses are gone, and lifts."""

from __future__ import annotations

import cv2
import numpy as np

from detectors.kit.types import Image
from edge.scenes.drawing import HEIGHT, WIDTH, Plane
from edge.scenes.street import CAMERA, Street
from edge.scenes.truth import Span, Truth

BEGINS_S, THICK_S, LIFTS_S, CLEAR_S = 30.0, 55.0, 95.0, 112.0
REACH_M = 16.0  # where the fog at its thickest leaves 37 % of the contrast
LOW_M = 60.0  # where 37 % are left from here on the visibility is low
AIR = 206  # what fog looks like, 0..255


class Fog(Street):
    """Clear, then fog from second 30 to second 112, thickest from 55 to 95."""

    duration_s = 144.0

    def __init__(self, seed: int = 1) -> None:
        super().__init__(seed)
        self._away = _distances()
        self._air = np.full((HEIGHT, WIDTH, 3), AIR, np.uint8)

    def density(self, t_s: float) -> float:
        """Extinction, 1/m (Koschmieder: light left after d metres is exp(-density d))."""
        share = np.interp(t_s, (BEGINS_S, THICK_S, LIFTS_S, CLEAR_S), (0.0, 1.0, 1.0, 0.0))
        return float(share) / REACH_M

    def draw(self, t_s: float, canvas: Image) -> None:
        """The street behind as much fog as there is."""
        super().draw(t_s, canvas)
        density = self.density(t_s)
        if density > 0.0:
            left = np.exp(-density * self._away)
            cv2.blendLinear(canvas, self._air, left, 1.0 - left, canvas)
            self._noise.add(canvas, round(t_s * self.fps) + 7)

    def truth(self) -> Truth:
        """Every crossing, and how long less than 37 % of the contrast is left at 60 m."""
        moments = np.arange(0.0, self.duration_s, 1.0 / self.fps)
        low = [float(t) for t in moments if self.density(float(t)) > 1.0 / LOW_M]
        street = super().truth()
        return Truth(street.crossings, (*street.spans, Span("visibility", low[0], low[-1])))


def _distances() -> Plane:
    """(h, w) metres: the ground's where there is ground, the houses' as far as they stand."""
    rows = np.arange(HEIGHT, dtype=np.float32)[:, None] + 0.5
    below = np.maximum(rows - np.float32(CAMERA.horizon), 1.0)
    ground = np.minimum(np.float32(CAMERA.focal * CAMERA.height_m) / below, 200.0)
    aside = np.abs(np.arange(WIDTH, dtype=np.float32)[None, :] + 0.5 - CAMERA.centre)
    houses = np.float32(CAMERA.focal * 15.5) / np.maximum(aside, 1.0)
    return np.ascontiguousarray(np.minimum(ground, np.minimum(houses, 200.0)), np.float32)
