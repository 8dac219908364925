"""Whether a finding belongs to a grid event that is open already: pure choice, no store.

Findings of one group within its radius and time are one event. To be safe under concurrency the
caller first locks the tile of the finding and its eight neighbours, in sorted order: a tile is
at least as wide as the radius, so whoever might open the same event waits for one of the nine.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from contract.geometry import EARTH_RADIUS_M, Point

_METRES_PER_DEGREE = math.radians(1) * EARTH_RADIUS_M
# Columns of tiles must not depend on the latitude, or neighbours would not meet: they are as wide
# in degrees as a tile is there. Nearer the poles than this, tiles are narrower than they should be.
_NARROWEST_LATITUDE = math.radians(72.0)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An event that a finding may belong to."""

    id: int
    position: Point
    first_seen_at: datetime
    last_seen_at: datetime


def tile_keys(group: str, position: Point, radius_m: float) -> set[str]:
    """Names to lock by, of the tile of a place and its eight neighbours."""
    height = radius_m / _METRES_PER_DEGREE
    width = height / math.cos(_NARROWEST_LATITUDE)
    x, y = math.floor(position.lon / width), math.floor(position.lat / height)
    return {f"{group}/{x + dx}/{y + dy}" for dx in (-1, 0, 1) for dy in (-1, 0, 1)}


def stream_key(group: str, agent: str, stream: str) -> str:
    """Name to lock by for the findings of a camera whose place is not known."""
    return f"{group}/{agent}/{stream}"


def choose(
    position: Point,
    at: datetime,
    candidates: Iterable[Candidate],
    radius_m: float,
    time: timedelta,
) -> Candidate | None:
    """The nearest candidate within radius and time, the oldest of equally near ones.

    None: the finding is an event of its own.
    """
    near = [
        (distance_m, c.id, c)
        for c in candidates
        if c.first_seen_at - time <= at <= c.last_seen_at + time
        and (distance_m := position.distance_m(c.position)) <= radius_m
    ]
    return min(near)[2] if near else None


def rectangle(position: Point, radius_m: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """((west, east), (south, north)) in degrees that holds all within the radius."""
    height = radius_m / _METRES_PER_DEGREE
    # the meridians draw together towards the poles; at a pole every longitude is near
    narrow = math.cos(math.radians(min(abs(position.lat) + height, 90.0)))
    width = min(height / narrow, 360.0) if narrow > 1e-6 else 360.0
    return (
        (position.lon - width, position.lon + width),
        (position.lat - height, position.lat + height),
    )
