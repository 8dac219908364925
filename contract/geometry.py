"""Boxes in a picture and points on the ground."""

from __future__ import annotations

import math

import msgspec

EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG 1980


class Box(msgspec.Struct, frozen=True, array_like=True):
    """A rectangle in a picture as shares of its width and height, origin top left.

    x, y, w, h: 0..1; the rectangle lies within the picture.
    """

    x: float
    y: float
    w: float
    h: float

    def __post_init__(self) -> None:
        inside = (
            0.0 <= self.x <= 1.0
            and 0.0 <= self.y <= 1.0
            and 0.0 <= self.w <= 1.0 + 1e-6 - self.x
            and 0.0 <= self.h <= 1.0 + 1e-6 - self.y
        )
        if not inside:
            raise ValueError(
                f"box ({self.x:g}, {self.y:g}, {self.w:g}, {self.h:g}) does not lie within 0..1"
            )

    @classmethod
    def from_pixels(cls, x: float, y: float, w: float, h: float, width: int, height: int) -> Box:
        """The share-of-picture box of a pixel rectangle, clipped to the picture."""
        x0, y0 = min(max(x, 0.0), width), min(max(y, 0.0), height)
        x1, y1 = min(max(x + w, x0), width), min(max(y + h, y0), height)
        return cls(x0 / width, y0 / height, (x1 - x0) / width, (y1 - y0) / height)

    def to_pixels(self, width: int, height: int) -> tuple[int, int, int, int]:
        """(x, y, w, h) in whole pixels of a picture of this size."""
        x, y = round(self.x * width), round(self.y * height)
        return x, y, round((self.x + self.w) * width) - x, round((self.y + self.h) * height) - y

    def overlap(self, other: Box) -> float:
        """Intersection over the smaller of the two, 0..1."""
        smaller = min(self.w * self.h, other.w * other.h)
        return min(1.0, self._shared(other) / smaller) if smaller > 0.0 else 0.0

    def _shared(self, other: Box) -> float:
        w = min(self.x + self.w, other.x + other.w) - max(self.x, other.x)
        h = min(self.y + self.h, other.y + other.h) - max(self.y, other.y)
        return w * h if w > 0 and h > 0 else 0.0

    def iou(self, other: Box) -> float:
        """Intersection over union, 0..1."""
        shared = self._shared(other)
        if shared == 0.0:
            return 0.0
        covered = self.w * self.h + other.w * other.h - shared
        if covered <= 0.0:  # areas too small for a float
            return 0.0
        return min(1.0, shared / covered)  # rounding may carry two equal boxes past 1


class Point(msgspec.Struct, frozen=True, array_like=True):
    """A place on the ground, WGS 84, in GeoJSON's order: longitude, latitude (degrees)."""

    lon: float
    lat: float

    def __post_init__(self) -> None:
        if not (-180.0 <= self.lon <= 180.0 and -90.0 <= self.lat <= 90.0):
            raise ValueError(
                f"point ({self.lon:g}, {self.lat:g}) is not (longitude, latitude) in degrees"
            )

    def distance_m(self, other: Point) -> float:
        """Great-circle distance in metres (haversine)."""
        a, b = math.radians(self.lat), math.radians(other.lat)
        half_lat, half_lon = (b - a) / 2, math.radians(other.lon - self.lon) / 2
        h = math.sin(half_lat) ** 2 + math.cos(a) * math.cos(b) * math.sin(half_lon) ** 2
        return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(h)))
