"""Which blob of this picture is which thing of the last one.

A constant-velocity tracker over all pairs at once: the nearest pair first, a distance measured in
sizes of the thing, so near and far vehicles are treated alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]  # (n, 4) left, top, width, height, pixels


@dataclass(slots=True)
class Track:
    """One thing, followed from picture to picture."""

    number: int
    box: NDArray[np.float64]  # left, top, width, height, pixels
    first_at: datetime
    seen_at: datetime
    velocity: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))  # pixels/s
    hits: int = 1  # pictures it was seen in
    misses: int = 0  # pictures in a row it was not
    start: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))  # first centre
    counted: bool = False  # for whoever counts it

    @property
    def centre(self) -> NDArray[np.float64]:
        """(x, y), pixels."""
        return self.box[:2] + self.box[2:] / 2.0


@dataclass(frozen=True, slots=True)
class Move:
    """A track that was seen in this picture, and where it was before."""

    track: Track
    before: NDArray[np.float64]  # centre when it was last seen


class Tracker:
    """Tracks of one camera. Feed it boxes of pictures in order."""

    def __init__(
        self, reach: float = 0.8, max_gap_s: float = 0.5, size_change: float = 3.0
    ) -> None:
        """reach: how far from its expected place a thing may be found, in its own sizes.

        max_gap_s: how long a thing may go unseen. size_change: the largest factor by which its
        area may change from one picture to the next.
        """
        self.reach = reach
        self.max_gap_s = max_gap_s
        self.size_change = size_change
        self.tracks: list[Track] = []
        self._next = 1

    def reset(self) -> None:
        """Forget every track. Numbers go on: none stands for two things."""
        self.tracks.clear()

    def step(self, boxes: Boxes, at: datetime) -> list[Move]:
        """The tracks seen in this picture; new ones are in `tracks` but have not moved yet."""
        self.tracks = [
            t for t in self.tracks if 0.0 <= (at - t.seen_at).total_seconds() <= self.max_gap_s
        ]
        pairs = self._pairs(boxes, at)
        moves: list[Move] = []
        taken: set[int] = set()
        for row, column in pairs:
            track = self.tracks[row]
            moves.append(self._follow(track, boxes[column], at))
            taken.add(column)
        seen = {row for row, _ in pairs}
        for row, track in enumerate(self.tracks):
            if row not in seen:
                track.misses += 1
        for column in range(len(boxes)):
            if column not in taken:
                self._open(boxes[column], at)
        return moves

    def _open(self, box: NDArray[np.float64], at: datetime) -> None:
        track = Track(self._next, box.copy(), at, at)
        track.start = track.centre
        self._next += 1
        self.tracks.append(track)

    def _pairs(self, boxes: Boxes, at: datetime) -> list[tuple[int, int]]:
        if not self.tracks or not len(boxes):
            return []
        known = np.array([t.box for t in self.tracks])
        speed = np.array([t.velocity for t in self.tracks])
        gaps = np.array([(at - t.seen_at).total_seconds() for t in self.tracks])
        expected = known[:, :2] + known[:, 2:] / 2.0 + speed * gaps[:, None]
        found = boxes[:, :2] + boxes[:, 2:] / 2.0
        across, down = (expected[:, None] - found[None]).transpose(2, 0, 1)
        apart = np.sqrt(across * across + down * down)
        area = known[:, 2] * known[:, 3]
        size = np.sqrt(np.maximum(area[:, None], (boxes[:, 2] * boxes[:, 3])[None]))
        distance = apart / size
        ratio = (boxes[:, 2] * boxes[:, 3])[None] / area[:, None]
        unlike = (ratio > self.size_change) | (ratio < 1.0 / self.size_change)
        distance[unlike] = np.inf
        near = np.argwhere(distance <= self.reach)
        nearest_first = np.argsort(distance[distance <= self.reach], kind="stable")
        pairs: list[tuple[int, int]] = []
        rows: set[int] = set()
        columns: set[int] = set()
        for row, column in near[nearest_first].tolist():
            if row not in rows and column not in columns:
                pairs.append((row, column))
                rows.add(row)
                columns.add(column)
        return pairs

    def _follow(self, track: Track, box: NDArray[np.float64], at: datetime) -> Move:
        before = track.centre
        gap_s = (at - track.seen_at).total_seconds()
        track.box = box.copy()
        if gap_s > 0.0:
            measured = (track.centre - before) / gap_s
            weight = 1.0 if track.hits == 1 else 0.4  # steadies the jitter of a blob's outline
            track.velocity = track.velocity + weight * (measured - track.velocity)
        track.seen_at = at
        track.hits += 1
        track.misses = 0
        return Move(track, before)
