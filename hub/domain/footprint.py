"""Where on the ground a camera saw something: by points whose place is known, or by its footprint.

The ground is taken for a plane near the camera, which maps to the picture by a homography; it is
found from the known points by the direct linear transform (Hartley and Zisserman, Multiple View
Geometry, 2nd edition, algorithm 4.2), in metres around their middle.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import Point as ShapelyPoint
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from contract.geometry import EARTH_RADIUS_M, Point
from contract.messages import GroundPoint

REACH = 3.0  # times the spread of the known points: beyond it the plane is a guess
_METRES = EARTH_RADIUS_M * math.pi / 180  # of a degree of latitude


@dataclass(frozen=True, slots=True)
class View:
    """What a camera sees of the ground."""

    footprint: BaseGeometry | None  # a Polygon in longitude, latitude
    ground: tuple[GroundPoint, ...]  # four or more: calibrated


def footprint_of(ring: Sequence[Point]) -> Polygon | None:
    """The polygon of a ring of at least three corners, None for none or one that crosses itself."""
    if len(ring) < 3:
        return None
    polygon = Polygon([(p.lon, p.lat) for p in ring])
    return polygon if polygon.is_valid and polygon.area > 0 else None


def place_of(view: View, box: tuple[float, float, float, float] | None) -> Point | None:
    """Where what fills the box (x, y, w, h, shares of the picture) stands, None where nobody knows.

    It stands where the middle of the box's lower edge is. What the calibration puts out of reach,
    or outside the footprint, stands somewhere in the footprint.
    """
    point = None
    if box is not None and len(view.ground) >= 4:
        x, y, w, h = box
        point = ground_at(view.ground, x + w / 2, y + h)
    inside = view.footprint
    if inside is None:
        return point
    if point is not None and inside.covers(ShapelyPoint(point.lon, point.lat)):
        return point
    middle = inside.representative_point()
    return Point(float(middle.x), float(middle.y))


def ground_at(ground: Sequence[GroundPoint], x: float, y: float) -> Point | None:
    """The place that a point of the picture shows, None above the horizon or out of reach.

    ground: at least four points, no three of them in a line.
    """
    lon, lat = (
        sum(values) / len(ground) for values in zip(*((g.lon, g.lat) for g in ground), strict=True)
    )
    shrink = math.cos(math.radians(lat))
    east = np.array([(g.lon - lon) * _METRES * shrink for g in ground])
    north = np.array([(g.lat - lat) * _METRES for g in ground])
    homography = _homography(np.array([(g.x, g.y) for g in ground]), east, north)
    if homography is None:
        return None
    # the known points lie below the horizon, all on one side of it
    sides = [homography[2] @ (g.x, g.y, 1.0) for g in ground]
    e, n, side = homography @ (x, y, 1.0)
    if min(sides) * max(sides) <= 0 or side * sides[0] <= 0:
        return None
    e, n = e / side, n / side
    if math.hypot(e, n) > REACH * float(np.hypot(east, north).max()):
        return None
    return Point(lon + float(e) / (_METRES * shrink), lat + float(n) / _METRES)


def _homography(
    picture: NDArray[np.float64], east: NDArray[np.float64], north: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """The 3 x 3 matrix from the picture to metres, None where the points do not fix one."""
    scale = max(float(np.hypot(east, north).max()), 1e-9)
    rows = []
    for (x, y), e, n in zip(picture, east / scale, north / scale, strict=True):
        rows.append([x, y, 1.0, 0.0, 0.0, 0.0, -e * x, -e * y, -e])
        rows.append([0.0, 0.0, 0.0, x, y, 1.0, -n * x, -n * y, -n])
    _, sizes, vectors = np.linalg.svd(np.array(rows))
    if sizes[7] < 1e-9 * sizes[0]:  # three in a line: more than one would fit
        return None
    found: NDArray[np.float64] = vectors[8].reshape(3, 3)
    if abs(np.linalg.det(found)) < 1e-12:
        return None
    found[:2] *= scale
    return found
