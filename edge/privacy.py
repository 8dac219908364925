"""Parts of a picture that nobody outside may ever see: polygons, filled before encoding.

A fixed fill, not a blur or pixels: what is painted over is not in the file in any form. Detectors
see the whole picture; only what leaves the agent is painted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from detectors.kit.types import Image
from edge.errors import ConfigError

Corner = tuple[float, float]  # x, y: shares of the picture, origin top left
Polygon = tuple[Corner, ...]

FILL = (72, 72, 72)  # blue, green, red
RIM = 3  # pixels: a pixel that scaling mixed with the inside is covered too
MOST_POLYGONS, MOST_CORNERS = 32, 64
LEAST_AREA = 1e-5  # of the picture


def read_polygons(value: Any, where: str) -> tuple[Polygon, ...]:
    """The checked polygons of a setting, [[[x, y], [x, y], ...], ...].

    Raises ConfigError that names the polygon, what is wrong with it and the way out.
    """
    if not isinstance(value, list):
        raise ConfigError(f"{where}: privacy must be a list of polygons [[x, y], ...]")
    if len(value) > MOST_POLYGONS:
        raise ConfigError(f"{where}: {len(value)} privacy polygons, at most {MOST_POLYGONS} fit")
    return tuple(_polygon(p, f"{where}: privacy polygon {n}") for n, p in enumerate(value, 1))


def paint(image: Image, polygons: Sequence[Polygon]) -> None:
    """Fill the polygons in this picture, and a rim around them."""
    height, width = image.shape[:2]
    for polygon in polygons:
        corners = np.asarray([(x * width, y * height) for x, y in polygon]).round()
        outline = corners.astype(np.int32)
        cv2.fillPoly(image, [outline], FILL)
        cv2.polylines(image, [outline], True, FILL, RIM)


def _polygon(value: Any, where: str) -> Polygon:
    import shapely  # not at the top: decoding processes paint, and need no geometry

    if not isinstance(value, list) or not 3 <= len(value) <= MOST_CORNERS:
        raise ConfigError(f"{where} needs 3 to {MOST_CORNERS} corners [x, y], got {value!r:.120}")
    corners = tuple(_corner(c, where) for c in value)
    area = shapely.Polygon(corners)
    if area.convex_hull.area < LEAST_AREA:
        raise ConfigError(f"{where} covers nothing: its corners lie on one line")
    if not area.is_valid:
        raise ConfigError(
            f"{where} crosses itself ({shapely.is_valid_reason(area)}): name its corners in their "
            "order around it"
        )
    return corners


def _corner(value: Any, where: str) -> Corner:
    numbers = isinstance(value, list) and all(
        isinstance(v, int | float) and not isinstance(v, bool) for v in value
    )
    if not numbers or len(value) != 2:
        raise ConfigError(f"{where}: a corner is [x, y], got {value!r:.120}")
    x, y = float(value[0]), float(value[1])
    if not (0.0 <= x <= 1.0 and 0.0 <= y <= 1.0):
        raise ConfigError(
            f"{where}: corner [{x:g}, {y:g}] lies outside the picture: corners are shares of its "
            "width and height, 0 to 1"
        )
    return x, y
