"""What another merge rule would have made of the past: a dry run, pure.

The same greedy choice as the live path, over sightings in the order of their time: the nearest
event within radius and time, else a new one. How people judged, merged or closed events meanwhile
is left out, so that two rules are compared on equal terms.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from contract.geometry import Point
from hub.domain.correlate import Candidate, choose, tile_of


@dataclass(frozen=True, slots=True)
class Sighting:
    """A detection or report of a group, from when to when it was seen.

    position None: where is not known; then `device` tells places apart.
    """

    first_at: datetime
    last_at: datetime
    position: Point | None
    device: str


def events_of(sightings: Iterable[Sighting], radius_m: float, time: timedelta) -> int:
    """How many events these sightings of one group become.

    O(n) for sightings spread over the city: only the nine tiles around each are looked at.
    """
    opened = 0
    by_tile: dict[tuple[int, int], list[Candidate]] = {}
    of_device: dict[str, datetime] = {}  # last seen, of those without a place
    for s in sorted(sightings, key=lambda s: (s.first_at, s.last_at, s.device)):
        if s.position is None:
            last = of_device.get(s.device)
            if last is None or s.first_at > last + time:
                opened += 1
            of_device[s.device] = max(s.last_at, last or s.last_at)
            continue
        x, y = tile_of(s.position, radius_m)
        near = [
            c for dx in (-1, 0, 1) for dy in (-1, 0, 1) for c in by_tile.get((x + dx, y + dy), ())
        ]
        chosen = choose(s.position, s.first_at, near, radius_m, time)
        if chosen is None:
            opened += 1
            seen = Candidate(opened, s.position, s.first_at, s.last_at)
        else:
            later = max(chosen.last_seen_at, s.last_at)
            seen = Candidate(chosen.id, chosen.position, chosen.first_seen_at, later)
        home = by_tile.setdefault(tile_of(seen.position, radius_m), [])
        # what nothing can join any more is not looked at again
        home[:] = [c for c in home if c.id != seen.id and c.last_seen_at + time >= s.first_at]
        home.append(seen)
    return opened
