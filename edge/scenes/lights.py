"""Brushes of the look-alikes: blocks, lamps and their halos, fields that slide."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from detectors.kit.types import Image, Plane
from edge.scenes.drawing import turbulence

Draw = Callable[[float], Image]  # scene time in seconds -> a picture of its own
Maker = Callable[[np.random.Generator, Image], Draw]  # the backdrop is not written to
_FIELD = 512  # side of a turbulence; a window of it slides


def block(
    light: cv2.typing.MatLike,
    left: float,
    top: float,
    wide: float,
    tall: float,
    colour: cv2.typing.MatLike | float,
) -> None:
    """A filled rectangle, in place; what lies beyond the picture is cut off."""
    rows = slice(max(0, round(top)), max(0, round(top + tall)))
    columns = slice(max(0, round(left)), max(0, round(left + wide)))
    light[rows, columns] = colour


def glow(
    light: cv2.typing.MatLike,
    at: tuple[float, float],
    size: float,
    colour: cv2.typing.MatLike | tuple[float, ...],
    reach: float,
) -> None:
    """Add a saturated disc of `size` pixels and its halo, `reach` times as wide, in place."""
    h, w = light.shape[:2]
    extent = 3.0 * size * reach
    left, right = max(0, int(at[0] - extent)), min(w, int(at[0] + extent) + 1)
    top, bottom = max(0, int(at[1] - extent)), min(h, int(at[1] + extent) + 1)
    if left >= right or top >= bottom:
        return
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    far = np.hypot(x - at[0], y - at[1]) / size
    disc = np.clip(1.4 - far, 0.0, 1.0) * 1.2 + 0.55 * np.exp(-((far / reach) ** 2) * 1.5)
    part = light[top:bottom, left:right]
    light[top:bottom, left:right] = part + disc[..., None] * np.asarray(colour, np.float32)


def tiled(chance: np.random.Generator, cells: tuple[int, ...], stretch: int = 1) -> Plane:
    """A turbulence (1024, 1024) for `slide`. stretch: how much wider than high it is."""
    field = turbulence(chance, _FIELD, cells)
    if stretch > 1:  # as water and high clouds are
        small = cv2.resize(field, (_FIELD, _FIELD // stretch), interpolation=cv2.INTER_AREA)
        field = np.tile(np.asarray(small, np.float32), (stretch, 1))
    return np.tile(field, (2, 2))


def slide(field: Plane, y: float, x: float, h: int, w: int) -> Plane:
    """A part (h, w) of a field that was tiled twice each way."""
    top, left = int(y) % _FIELD, int(x) % _FIELD
    part = field[top : top + min(h, _FIELD), left : left + min(w, _FIELD)]
    if part.shape != (h, w):
        part = np.asarray(cv2.resize(part, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
    return part


def seen(light: cv2.typing.MatLike) -> Image:
    """What a camera makes of light 0..255 and above."""
    return np.clip(light, 0.0, 255.0).astype(np.uint8)
