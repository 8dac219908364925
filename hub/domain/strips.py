"""Things by where they lie, so that those within a radius of a place are found among few."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from contract.geometry import Point
from hub.domain.correlate import rectangle, tile_of

T = TypeVar("T")


class Strips(Generic[T]):
    """Things that are looked for within one radius, in strips from west to east as high as it."""

    def __init__(self, radius_m: float) -> None:
        self._radius_m = radius_m
        self._strips: dict[int, dict[tuple[Point, T], None]] = {}

    def put(self, place: Point, thing: T) -> None:
        """A thing lies there; it may lie at several places, and at each once."""
        self._strips.setdefault(self._strip(place), {})[place, thing] = None

    def around(self, position: Point) -> Iterator[tuple[Point, T]]:
        """All that lies within the radius of a place, and some of what lies a little further."""
        (west, east), _ = rectangle(position, self._radius_m)
        strip = self._strip(position)
        for near in (strip - 1, strip, strip + 1):
            for place, thing in self._strips.get(near, ()):
                if west <= place.lon <= east:
                    yield place, thing

    def _strip(self, place: Point) -> int:
        return tile_of(place, self._radius_m)[1]
