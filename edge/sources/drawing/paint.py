"""Brushes: gradients, buildings, asphalt, the noise of a sensor, the time in the corner."""

from __future__ import annotations

from datetime import datetime

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.kit.types import Image

WIDTH, HEIGHT = 640, 360  # pixels
Colour = tuple[int, int, int]  # blue, green, red
Points = list[tuple[float, float]]
_SHIFT = 4  # binary digits of a pixel's fraction in cv2's drawing


def gradient(picture: Image, top: int, bottom: int, above: Colour, below: Colour) -> None:
    """Fill the rows from `top` to `bottom` with a vertical gradient."""
    share = np.linspace(0.0, 1.0, bottom - top, dtype=np.float32)[:, None, None]
    rows = (1.0 - share) * np.array(above, np.float32) + share * np.array(below, np.float32)
    picture[top:bottom] = rows.astype(np.uint8)


def polygon(picture: Image, points: Points, colour: Colour) -> None:
    """A filled polygon with smooth edges, to a sixteenth of a pixel."""
    scaled = np.round(np.array(points) * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(picture, [scaled], colour, cv2.LINE_AA, _SHIFT)


def rectangle(picture: Image, x: float, y: float, w: float, h: float, colour: Colour) -> None:
    """A filled upright rectangle."""
    polygon(picture, [(x, y), (x + w, y), (x + w, y + h), (x, y + h)], colour)


def ellipse(picture: Image, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
    """A filled upright ellipse around (x, y)."""
    one = 1 << _SHIFT
    centre, axes = (round(x * one), round(y * one)), (round(rx * one), round(ry * one))
    cv2.ellipse(picture, centre, axes, 0, 0, 360, colour, -1, cv2.LINE_AA, _SHIFT)


def texture(
    picture: Image, mask: NDArray[np.bool_], chance: np.random.Generator, depth: float
) -> None:
    """Roughen the masked part: grain and blotches of `depth` levels."""
    height, width = picture.shape[:2]
    grain = chance.normal(0.0, depth * 0.6, (height, width)).astype(np.float32)
    small = chance.normal(0.0, depth, (height // 12, width // 12)).astype(np.float32)
    rough = grain + cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    shaded = np.clip(picture.astype(np.float32) + rough[:, :, None], 0, 255).astype(np.uint8)
    picture[mask] = shaded[mask]


def plaster(chance: np.random.Generator) -> Colour:
    """The colour of a wall: grey to sand."""
    light, warmth = int(chance.integers(100, 165)), int(chance.integers(0, 22))
    return light - warmth, light - warmth // 3, light + warmth // 2


def building(
    picture: Image, x: int, top: int, w: int, bottom: int, wall: Colour, chance: np.random.Generator
) -> None:
    """A house front with rows of windows, some of them lit."""
    rectangle(picture, x, top, w, bottom - top, wall)
    side = tuple(int(c * 0.75) for c in wall)
    rectangle(picture, x + w * 0.86, top, w * 0.14, bottom - top, (side[0], side[1], side[2]))
    for row in range(top + 8, bottom - 10, 15):
        for column in range(x + 6, int(x + w * 0.84) - 6, 12):
            glass: Colour = (150, 190, 205) if chance.random() < 0.12 else (92, 78, 66)
            rectangle(picture, column, row, 6, 8, glass)


class Noise:
    """The noise of a sensor, another one for every frame."""

    def __init__(self, chance: np.random.Generator, deviation: float = 2.2) -> None:
        pattern = chance.normal(0.0, deviation, (HEIGHT + 96, WIDTH + 96, 3))
        self._more = np.clip(pattern, 0, 255).astype(np.uint8)
        self._less = np.clip(-pattern, 0, 255).astype(np.uint8)

    def add(self, picture: Image, number: int) -> None:
        """Lay the noise of frame `number` over the picture."""
        y, x = (number * 37) % 96, (number * 61) % 96
        part = np.s_[y : y + HEIGHT, x : x + WIDTH]
        cv2.add(picture, self._more[part], picture)
        cv2.subtract(picture, self._less[part], picture)


def stamp(picture: Image, at: datetime, title: str) -> None:
    """The time of capture and the camera's title, as cameras burn them in."""
    text = f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 100000} UTC"
    for line, y in ((title, HEIGHT - 26), (text, HEIGHT - 10)):
        for colour, thickness in (((20, 20, 20), 3), ((235, 235, 235), 1)):
            cv2.putText(
                picture,
                line,
                (10, y),
                cv2.FONT_HERSHEY_SIMPLEX,
                0.42,
                colour,
                thickness,
                cv2.LINE_AA,
            )
