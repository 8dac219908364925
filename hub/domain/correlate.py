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
from enum import StrEnum
from operator import itemgetter

from contract.geometry import EARTH_RADIUS_M, Point

_METRES_PER_DEGREE = math.radians(1) * EARTH_RADIUS_M
HOTSPOT = 3  # occurrences at one place

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


def tile_of(position: Point, radius_m: float) -> tuple[int, int]:
    """Column and row of the tile of a place; a tile is at least as wide as the radius."""
    height = radius_m / _METRES_PER_DEGREE
    width = height / math.cos(_NARROWEST_LATITUDE)
    return math.floor(position.lon / width), math.floor(position.lat / height)


def tile_keys(group: str, position: Point, radius_m: float) -> set[str]:
    """Names to lock by, of the tile of a place and its eight neighbours."""
    x, y = tile_of(position, radius_m)
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
    return min(near, key=itemgetter(0, 1))[2] if near else None


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed event that a finding may repeat."""

    id: int
    position: Point
    first_seen_at: datetime
    ended_at: datetime


class Recurrence(StrEnum):
    """What a finding is to a closed event at its place."""

    PART = "part"  # it was seen before the case was closed: nothing new
    REOPENS = "reopens"
    REPEATS = "repeats"  # a new event, linked


def recurrence(
    position: Point,
    at: datetime,
    closed: Iterable[Closed],
    radius_m: float,
    time: timedelta,
    reopen: timedelta,
    recur: timedelta,
) -> tuple[Recurrence, Closed] | None:
    """The event closed last within the radius, and what a finding seen at `at` is to it.

    None: there is none, it was closed too long ago, or began later by more than `time`.
    """
    near = [c for c in closed if position.distance_m(c.position) <= radius_m]
    last = max(near, key=lambda c: (c.ended_at, c.id), default=None)
    if last is None:
        return None
    since = at - last.ended_at
    if since <= timedelta(0):
        return (Recurrence.PART, last) if at >= last.first_seen_at - time else None
    if since <= reopen:
        return Recurrence.REOPENS, last
    return (Recurrence.REPEATS, last) if since <= recur else None


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
