"""An underpass that floods: water rises against a gauge, and sinks again."""

from __future__ import annotations

import cv2
import numpy as np

from contract.geometry import Box
from detectors.kit.types import Image
from edge.sources.drawing import paint
from edge.sources.drawing.paint import HEIGHT, WIDTH, Noise
from edge.sources.drawing.truth import Span, Truth

FPS = 12.0
DRY_Y, FULL_Y = 330, 200  # rows of the surface
GAUGE_X, MARK_Y = 430, 282  # the gauge and its red mark
RISES_S, FULL_S, SINKS_S = 6.0, 66.0, 96.0


class Water:
    """Dry for six seconds; rising for a minute; sinking."""

    def __init__(self, seed: int = 3) -> None:
        self.period_s = 120.0
        chance = np.random.default_rng(seed)
        self._dry = _underpass(chance)
        self._noise = Noise(chance)
        field = chance.uniform(-1.0, 1.0, (64, 80)).astype(np.float32)
        wide = cv2.resize(field, (WIDTH * 2, HEIGHT * 2), interpolation=cv2.INTER_CUBIC)
        self._ripples = np.asarray(wide, np.float32)

    def level(self, t: float) -> float:
        """How high the water stands, 0 dry to 1 full."""
        return float(np.interp(t, (RISES_S, FULL_S, SINKS_S, 118.0), (0.0, 1.0, 1.0, 0.0)))

    def draw(self, t: float, picture: Image) -> None:
        """The underpass at second `t`."""
        np.copyto(picture, self._dry)
        row = self._row(t)
        if row < DRY_Y:
            self._surface(picture, row, t)
        self._noise.add(picture, round(t * FPS))

    def truth(self) -> Truth:
        """When the water stands above the red mark."""
        moments = np.arange(0.0, self.period_s, 0.02)
        above = moments[np.array([self._row(float(t)) < MARK_Y for t in moments])]
        box = Box.from_pixels(0, FULL_Y, WIDTH, HEIGHT - FULL_Y, WIDTH, HEIGHT)
        return Truth((Span("ponding", float(above[0]), float(above[-1]), box),))

    def _row(self, t: float) -> int:
        return round(DRY_Y + (FULL_Y - DRY_Y) * self.level(t))

    def _surface(self, picture: Image, row: int, t: float) -> None:
        h = HEIGHT - row
        mirrored = picture[max(0, row - h) : row][::-1].astype(np.float32)
        y, x = int(t * 9.0) % HEIGHT, int(t * 14.0) % WIDTH
        waves = self._ripples[y : y + len(mirrored), x : x + WIDTH]
        mixed = 0.28 * mirrored + 0.72 * np.array([96, 112, 116], np.float32)
        mixed += 15.0 * waves[:, :, None]
        picture[row : row + len(mixed)] = np.clip(mixed, 0, 255).astype(np.uint8)
        picture[row : row + 2] = (150, 160, 162)


def _underpass(chance: np.random.Generator) -> Image:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    paint.gradient(picture, 0, 90, (196, 184, 172), (206, 200, 194))
    for x, top, w in ((20, 18, 90), (520, 12, 110)):
        paint.building(picture, x, top, w, 90, (122, 130, 138), chance)
    paint.rectangle(picture, 0, 78, WIDTH, 40, (138, 140, 142))  # the bridge
    paint.rectangle(picture, 0, 112, WIDTH, 8, (98, 100, 102))
    paint.rectangle(picture, 0, 120, WIDTH, 116, (70, 72, 74))
    for x in (90, 250, 560):
        paint.rectangle(picture, x, 118, 34, 120, (126, 128, 130))
        paint.rectangle(picture, x + 24, 118, 10, 120, (104, 106, 108))
    paint.polygon(picture, [(0, 236), (WIDTH, 236), (WIDTH, HEIGHT), (0, HEIGHT)], (88, 90, 92))
    paint.polygon(picture, [(0, 200), (0, 300), (160, 236)], (120, 128, 132))
    paint.polygon(picture, [(WIDTH, 200), (WIDTH, 300), (500, 236)], (116, 124, 128))
    for y in range(244, HEIGHT, 30):
        paint.rectangle(picture, 316, y, 6, 14, (196, 198, 200))
    everything = np.zeros((HEIGHT, WIDTH), np.bool_)
    everything[78:] = True
    paint.texture(picture, everything, chance, 4.0)
    paint.rectangle(picture, GAUGE_X, 170, 30, 176, (228, 228, 226))
    for number, y in enumerate(range(178, 340, 16)):
        paint.rectangle(picture, GAUGE_X, y, 18 if number % 2 == 0 else 10, 4, (40, 40, 42))
    paint.rectangle(picture, GAUGE_X - 4, MARK_Y - 2, 38, 5, (40, 40, 200))
    cv2.putText(
        picture,
        "0.3 m",
        (GAUGE_X + 36, MARK_Y + 4),
        cv2.FONT_HERSHEY_SIMPLEX,
        0.4,
        (40, 40, 200),
        1,
        cv2.LINE_AA,
    )
    return picture
