"""Regions that may burn, from picture to picture: New, Confirmed, Occluded or Rejected.

A region is looked at by the verifier again and again, the one that waited longest first. N of its
last M looks decide; a confirmed region that is hidden for a moment keeps what was thought of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

MEMORY = 8  # M: looks that count
FEWEST = 3  # N: looks before anything is decided
UNSEEN_S = 1.5  # s a region may be gone before it is forgotten
REJECTED_AGAIN_S = 1.0  # s between looks at a region that was rejected
OVERLAP = 0.2  # share of the smaller box that two boxes of one region share at least
MOST = 6  # regions followed at a time


class State(StrEnum):
    """What is thought of a region."""

    NEW = "new"  # not looked at often enough
    CONFIRMED = "confirmed"
    OCCLUDED = "occluded"  # confirmed, and not seen in this picture
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Spot:
    """A box in pixels of the thumbnail."""

    x: int
    y: int
    w: int
    h: int

    @property
    def area(self) -> int:
        """Pixels."""
        return self.w * self.h

    def shared(self, other: Spot) -> float:
        """Share of the smaller box that both cover."""
        across = min(self.x + self.w, other.x + other.w) - max(self.x, other.x)
        down = min(self.y + self.h, other.y + other.h) - max(self.y, other.y)
        if across <= 0 or down <= 0:
            return 0.0
        return across * down / max(1, min(self.area, other.area))


@dataclass(frozen=True, slots=True)
class Change:
    """How a region differs from itself a moment before: `kit/boiling.py` measures it."""

    boiling: float  # once its motion is taken out: 0 where it only moved, 1 nothing of it is left
    in_place: float  # at its place, 0..1: its motion makes it differ, too


@dataclass(slots=True)
class RegionTrack:
    """One region."""

    spot: Spot
    seen_at: datetime
    first: Spot  # where it was when it was found
    first_at: datetime
    looked_at: datetime | None = None
    scores: deque[float] = field(default_factory=lambda: deque(maxlen=MEMORY))
    changes: deque[Callable[[], Change]] = field(default_factory=lambda: deque(maxlen=MEMORY))
    state: State = State.NEW
    here: bool = True  # seen in this picture
    score: float = 0.0  # 0..1, what its detector last made of it

    @property
    def sureness(self) -> float:
        """Median of the latest looks, 0..1; 0 before there are enough."""
        if len(self.scores) < FEWEST:
            return 0.0
        return _median(self.scores)

    @property
    def boiling(self) -> float:
        """Median of how it differed from itself, 0..1; 0 before that is known often enough."""
        if len(self.changes) < FEWEST:
            return 0.0
        return _median([change().boiling for change in self.changes])

    @property
    def unmoved(self) -> float:
        """Share of how it changed that no motion explains, 0..1; 1 where it is not known to change.

        Of all its changes: at the turn of a mast that sways even a sign is not moved.
        """
        changes = [change() for change in self.changes]
        in_place = sum(change.in_place for change in changes)
        return sum(change.boiling for change in changes) / in_place if in_place > 0.0 else 1.0


def _median(values: Iterable[float]) -> float:
    """The lower of two middles."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2]


class RegionTracks:
    """The regions of one camera. Feed it pictures in order."""

    def __init__(self, confirm: float, reject: float) -> None:
        """confirm, reject: sureness at which a region is confirmed, and below which rejected."""
        self.confirm = confirm
        self.reject = reject
        self.tracks: list[RegionTrack] = []

    def reset(self) -> None:
        """Forget every region."""
        self.tracks.clear()

    def step(self, spots: Sequence[Spot], at: datetime) -> list[RegionTrack | None]:
        """The track of each spot of this picture, None where too many are followed already."""
        self.tracks = [t for t in self.tracks if (at - t.seen_at).total_seconds() <= UNSEEN_S]
        for track in self.tracks:
            track.here = False
        found: list[RegionTrack | None] = []
        for spot in spots:
            known: RegionTrack | None = max(
                (t for t in self.tracks if not t.here),
                key=lambda t: t.spot.shared(spot),
                default=None,
            )
            if known is None or known.spot.shared(spot) < OVERLAP:
                known = RegionTrack(spot, at, spot, at) if len(self.tracks) < MOST else None
                if known is not None:
                    self.tracks.append(known)
            if known is not None:
                known.spot, known.seen_at, known.here = spot, at, True
            found.append(known)
        for track in self.tracks:
            self._settle(track)
        return found

    def due(self, at: datetime, most: int = 1) -> list[RegionTrack]:
        """The regions to look at next: those never looked at, then those that waited longest."""
        waiting = [
            t
            for t in self.tracks
            if t.here
            and (
                t.state is not State.REJECTED
                or t.looked_at is None
                or (at - t.looked_at).total_seconds() >= REJECTED_AGAIN_S
            )
        ]
        waiting.sort(key=lambda t: (t.looked_at is not None, t.looked_at or at))
        return waiting[:most]

    def looked(self, track: RegionTrack, score: float, at: datetime) -> None:
        """The verifier's score of a region."""
        track.scores.append(score)
        track.looked_at = at
        self._settle(track)

    def _settle(self, track: RegionTrack) -> None:
        if len(track.scores) < FEWEST:
            return
        if track.sureness >= self.confirm:
            track.state = State.CONFIRMED if track.here else State.OCCLUDED
        elif track.sureness < self.reject:
            track.state = State.REJECTED
        elif track.state is not State.CONFIRMED or not track.here:
            track.state = State.NEW
