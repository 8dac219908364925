"""Brushes all scenes share: polygons, turbulence, sensor noise, the clock in the picture."""

from __future__ import annotations

from datetime import datetime

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.kit.types import Image

WIDTH, HEIGHT = 960, 540  # pixels
FINE = 2  # backgrounds are drawn this many times larger and then reduced: smooth edges
Colour = tuple[int, int, int]  # blue, green, red
Points = NDArray[np.float64]  # (n, 2) x, y in pixels
Plane = NDArray[np.float32]

_SHIFT = 4  # binary digits of a pixel's fraction in OpenCV's drawing
_SPARE = 128  # pixels by which the noise is larger than a picture, to be shifted about


def polygon(picture: Image, points: Points, colour: Colour) -> None:
    """A filled convex polygon with smooth edges, placed to a sixteenth of a pixel."""
    cv2.fillConvexPoly(picture, _fixed(points), colour, cv2.LINE_AA, _SHIFT)


def ellipse(
    picture: Image, x: float, y: float, half_w: float, half_h: float, colour: Colour
) -> None:
    """A filled ellipse with smooth edges."""
    scale = 1 << _SHIFT
    centre = round(x * scale), round(y * scale)
    axes = max(1, round(half_w * scale)), max(1, round(half_h * scale))
    cv2.ellipse(picture, centre, axes, 0, 0, 360, colour, -1, cv2.LINE_AA, _SHIFT)


def line(picture: Image, points: Points, colour: Colour, thickness: int = 1) -> None:
    """A smooth open line through all points."""
    cv2.polylines(picture, [_fixed(points)], False, colour, thickness, cv2.LINE_AA, _SHIFT)


def shaded(colour: Colour, light: float) -> Colour:
    """The colour under more (above 1) or less light."""
    b, g, r = (min(255, max(0, round(c * light))) for c in colour)
    return b, g, r


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """Between two colours; share 0: the one, 1: the other."""
    b, g, r = (round(a + (z - a) * share) for a, z in zip(one, other, strict=True))
    return b, g, r


def turbulence(
    chance: np.random.Generator, size: int, cells: tuple[int, ...] = (8, 16, 32)
) -> Plane:
    """A smooth random field (size, size) that tiles without a seam, mean 0, deviation 1.

    cells: bumps along one side in each octave, the coarsest first; each has half the weight of
    the one before.
    """
    field = np.zeros((size, size), np.float32)
    for octave, count in enumerate(cells):
        bumps = chance.uniform(-1.0, 1.0, (count, count)).astype(np.float32)
        around = np.tile(bumps, (3, 3))
        wide = cv2.resize(around, (3 * size, 3 * size), interpolation=cv2.INTER_CUBIC)
        field += wide[size : 2 * size, size : 2 * size] * np.float32(0.5**octave)
    field -= field.mean()
    field /= field.std()
    return field


def window(field: Plane, y: float, x: float, height: int, width: int) -> Plane:
    """A part of a field that was tiled twice each way; (y, x) may be anything."""
    size = field.shape[0] // 2
    top, left = int(y) % size, int(x) % size
    return field[top : top + height, left : left + width]


def reduced(fine: Image) -> Image:
    """A background drawn FINE times too large, at the size of a picture."""
    small = cv2.resize(fine, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def blend(picture: Image, colour: Image, alpha: Image) -> None:
    """Lay `colour`, already weighted by its alpha, over the picture; all (h, w, 3)."""
    cv2.multiply(picture, cv2.bitwise_not(alpha), picture, 1.0 / 255.0)
    cv2.add(picture, colour, picture)


class Noise:
    """The noise of a sensor: another one on every frame, so no two pictures are the same."""

    def __init__(self, chance: np.random.Generator, deviation: float = 3.0) -> None:
        """deviation: of luma, 0..255; the colours get a third of it."""
        shape = (HEIGHT + _SPARE, WIDTH + _SPARE, 1)
        pattern = chance.standard_normal(shape, np.float32) * np.float32(deviation)
        chroma = chance.standard_normal((*shape[:2], 3), np.float32)
        pattern = pattern + chroma * np.float32(deviation / 3.0)
        self.brighter = np.clip(pattern, 0, 255).astype(np.uint8)
        self.darker = np.clip(-pattern, 0, 255).astype(np.uint8)

    def add(self, picture: Image, frame: int) -> None:
        """Lay the noise of that frame over the whole picture."""
        top, left = (frame * 53) % _SPARE, (frame * 83) % _SPARE
        part = np.s_[top : top + HEIGHT, left : left + WIDTH]
        cv2.add(picture, self.brighter[part], picture)
        cv2.subtract(picture, self.darker[part], picture)


class Clock:
    """The capture time and the camera's name, as cameras burn them into their pictures."""

    def __init__(self, name: str) -> None:
        self._name = _Caption(name, HEIGHT - 18)
        self._time = _Caption("", 30)

    def burn(self, picture: Image, at: datetime) -> None:
        """Write both; at: aware UTC, shown to the second."""
        text = f"{at:%Y-%m-%d  %H:%M:%S} UTC"
        if text != self._time.text:  # drawn once a second, laid over every frame
            self._time = _Caption(text, 30)
        self._time.lay_over(picture)
        self._name.lay_over(picture)


class _Caption:
    """One line of text with a dark outline, drawn once."""

    def __init__(self, text: str, baseline: int) -> None:
        self.text = text
        (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.62, 2)
        self._top = baseline - height - 3
        shape = (height + below + 6, min(width + 12, WIDTH - 16))
        self._ink = np.full((*shape, 3), 245, np.uint8)
        self._outline = np.zeros(shape, np.uint8)
        self._letters = np.zeros(shape, np.uint8)
        for mask, thickness in ((self._outline, 3), (self._letters, 1)):
            at = (4, height + 3)
            cv2.putText(mask, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.62, 255, thickness, cv2.LINE_AA)
        self._dark = np.full((*shape, 3), 18, np.uint8)

    def lay_over(self, picture: Image) -> None:
        h, w = self._outline.shape
        part = picture[self._top : self._top + h, 14 : 14 + w]
        cv2.copyTo(self._dark, self._outline, part)
        cv2.copyTo(self._ink, (self._letters > 96).astype(np.uint8), part)


def _fixed(points: Points) -> NDArray[np.int32]:
    return np.round(points * (1 << _SHIFT)).astype(np.int32)
