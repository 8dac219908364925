"""What is known of each pixel of a picture in which something may burn, and of regions of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.kit.background import as_mask
from detectors.kit.edges import edge_strength
from detectors.kit.median import percentile
from detectors.kit.types import Plane

Hit = NDArray[np.bool_]
Labels = cv2.typing.MatLike  # int32

RESTLESS = 1.2  # turning points per second; a passing car gives one or two, then none
CLOSING = np.ones((5, 5), np.uint8)  # joins the tongues of one flame at thumbnail size
EDGE = 60.0  # Sobel sum of luma, 0..255 scale; a step of about 15 between neighbours
BURNT_OUT = 250.0  # red at which a sensor tells no more
ENOUGH = 500  # pixels; of a larger region every second or third one each way says as much
FEWEST_EDGES = 50  # pixels; with fewer nothing is known of the camera's motion


@dataclass(frozen=True, slots=True)
class WarmPlanes:
    """All that is known of each pixel of one picture."""

    blue: Plane
    green: Plane
    red: Plane
    luma: Plane
    rate: Plane
    activity: Plane
    presence: Plane
    cold: Plane
    scene: Plane  # luma of the last two seconds

    def features(
        self,
        labels: Labels,
        candidate: Hit,
        number: int,
        x: int,
        y: int,
        w: int,
        h: int,
        area: int,
    ) -> Iterator[tuple[str, float]]:
        """The features of one region, by name; those that rule most out first."""
        step = math.isqrt(max(1, area // ENOUGH))
        box = np.s_[y : y + h : step, x : x + w : step]
        inside = labels[box] == number
        red = self.red[box][inside]
        yield "glow", percentile(red, 90.0)
        yield "persistence", float(self.presence[box][inside].mean())
        yield "restlessness", float(self.rate[box][inside].mean())
        yield "activity", float(self.activity[box][inside].mean())
        yield "coldness", float(self.cold[box][inside].mean())
        yield "compactness", area / (w * h)
        yield "structure", float(self.luma[box][inside].std())
        ratio = self.green[box][inside] / (red + 1.0)
        yield "grading", float(ratio.std())
        yield "orange", percentile(ratio, 25.0)
        brightest = red >= percentile(red, 75.0)
        yield "core", percentile(ratio[brightest], 75.0)
        rest = ratio[~brightest]
        yield "hotter", float(ratio[brightest].mean() - rest.mean()) if rest.size else 0.0
        yield "burnt_out", float((red >= BURNT_OUT).mean())
        blue = self.blue[box][inside]
        margin = 8  # thumbnail pixels of surroundings
        rows = slice(max(0, y - margin), y + h + margin, step)
        around = np.s_[rows, max(0, x - margin) : x + w + margin : step]
        ring = ~candidate[around]
        warmth = float((red - blue).mean())
        if ring.any():
            warmth -= float((self.red[around][ring] - self.blue[around][ring]).mean())
        yield "contrast", warmth


def flame_coloured(blue: Plane, green: Plane, red: Plane) -> Plane:
    """1 where red >= green >= blue, red is bright and blue clearly less (Chen et al., 2004)."""
    hit = (red > 150.0) & (red >= green) & (green >= blue) & (red - blue > 0.25 * red)
    return hit.astype(np.float32)


def may_burn(blue: Plane, green: Plane, red: Plane) -> Hit:
    """Where flame may be: as above, but darker, paler and, through haze, more purple ones too."""
    warm = (red >= green) & (green >= blue - 12.0) & (red - blue > 0.33 * red)
    return np.asarray((red > 150.0) & warm)


def shines_cold(blue: Plane, red: Plane) -> Plane:
    """1 where a pixel shines blue or bluish white, which burning soot never does."""
    return ((blue > red + 15.0) & (blue > 120.0)).astype(np.float32)


def scene_motion(scene: Plane, rate: Plane, candidate: Hit) -> float:
    """Share of the scene's edges, away from any candidate, that flicker: 0 for a still camera."""
    away = cv2.dilate(as_mask(candidate), CLOSING, iterations=3) == 0
    edges = (edge_strength(scene) > EDGE) & away
    count = np.count_nonzero(edges)
    if count < FEWEST_EDGES:
        return 0.0
    return float(np.count_nonzero(edges & (rate > RESTLESS)) / count)
