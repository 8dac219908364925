"""Traffic flow: vehicles that cross a count line, each once, with their direction.

What moves against the learnt scene is cut into blobs, blobs are followed as tracks, and a track
that was firmly on one side of the line and now is firmly on the other is one crossing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import cv2
import numpy as np

from contract.episode import EpisodePolicy
from contract.rules import ConfirmationRule
from detectors.kit.background import Background, Mask
from detectors.kit.lines import Axis, CountLine, Side
from detectors.kit.params import param
from detectors.kit.registry import register
from detectors.kit.thumbnail import thumbnail
from detectors.kit.tracking import Boxes, Move, Tracker
from detectors.kit.types import Finding, Frame, Measurement

MARGIN = 0.10  # of a vehicle's own length along the normal: outlines jitter by about half of it
DROVE = 0.25  # of its own size; a thing that came this far is no part of the scene
WAIT_S = 600.0  # s a vehicle may stand before it is taken for parked
CONFIRM_HITS = 4  # pictures a track must be seen in before it counts


@dataclass(frozen=True, slots=True)
class TrafficFlowParams:
    """What is counted, and where."""

    line: float = param(
        0.6,
        minimum=0.05,
        maximum=0.95,
        unit="1",
        text="Where the count line lies: share of the height (horizontal) or width (vertical)",
    )
    axis: str = param(
        "horizontal",
        choices=("horizontal", "vertical"),
        text="How the line lies: horizontal counts up and down, vertical left and right",
    )
    min_size: float = param(
        0.05,
        minimum=0.01,
        maximum=0.5,
        unit="1",
        text="Smallest vehicle at the line: square root of its share of the picture's area",
    )
    min_travel: float = param(
        0.5,
        minimum=0.1,
        maximum=3.0,
        unit="1",
        text="Way a vehicle must have come before it counts, in its own lengths",
    )


@register
class TrafficFlow:
    """Counts vehicles over one line."""

    kind: ClassVar[str] = "traffic_flow"
    version: ClassVar[str] = "1"
    summary: ClassVar[str] = "Vehicles crossing a line, each counted once, with direction."
    Params: ClassVar[type[TrafficFlowParams]] = TrafficFlowParams
    budget_ms: ClassVar[float] = 2.0
    sample_fps: ClassVar[float] = 15.0

    def __init__(self, params: TrafficFlowParams) -> None:
        self.params = params
        self._background = Background()
        self._tracker = Tracker()
        self._sides: dict[int, Side] = {}
        self._size: tuple[int, int] = (0, 0)

    def use(self, params: TrafficFlowParams) -> None:
        """Go on with other parameters; the scene stays learnt, tracks begin anew at a new line."""
        if (params.line, params.axis) != (self.params.line, self.params.axis):
            self._tracker.reset()
            self._sides.clear()
        self.params = params

    def rule(self) -> ConfirmationRule | None:
        """None: a crossing is a measurement, not an alarm."""
        return None

    def policy(self) -> EpisodePolicy:
        """Unused: there are no episodes."""
        return EpisodePolicy()

    def reset(self) -> None:
        """Forget the scene and every track."""
        self._background.reset()
        self._tracker.reset()
        self._sides.clear()
        self._size = (0, 0)

    def observe(self, frame: Frame) -> Iterable[Finding]:
        """One measurement `vehicle_crossing` for each vehicle that crossed with this frame."""
        small = thumbnail(frame.image)
        height, width = small.shape[:2]
        if (height, width) != self._size:
            self._background.reset()
            self._tracker.reset()
            self._sides.clear()
            self._size = (height, width)
        waiting = self._waiting(frame.captured_at)
        found = self._background.apply(small, frame.captured_at, waiting)
        boxes = np.empty((0, 4)) if found.upset else self._blobs(found.moving)
        moves = self._tracker.step(boxes, frame.captured_at)
        alive = {t.number for t in self._tracker.tracks}
        self._sides = {n: side for n, side in self._sides.items() if n in alive}
        line = CountLine(Axis(self.params.axis), self.params.line)
        for track in self._tracker.tracks:
            if track.number not in self._sides:
                self._sides[track.number] = line.side(
                    line.distance(track.centre, width, height), 0.0
                )
        return [
            Measurement("vehicle_crossing", 1.0, label=word, place="line-1")
            for word in (self._crossing(move, line, width, height) for move in moves)
            if word is not None
        ]

    def _waiting(self, at: datetime) -> Mask | None:
        """255 where a vehicle is that drove in and may be waiting now: it is not learnt as scene.

        Without this a queue is learnt within a minute, and when it moves off it leaves ghosts into
        which the vehicles behind disappear.
        """
        if self._size == (0, 0):
            return None
        mask = np.zeros(self._size, np.uint8)
        for track in self._tracker.tracks:
            left, top, width, height = track.box
            drove = float(np.abs(track.centre - track.start).max())
            known_s = (at - track.first_at).total_seconds()
            if drove >= DROVE * min(width, height) and known_s < WAIT_S:
                mask[int(top) : int(top + height), int(left) : int(left + width)] = 255
        return mask

    def _blobs(self, moving: Mask) -> Boxes:
        """The boxes of connected things large enough to be vehicles, in thumbnail pixels."""
        height, width = moving.shape
        opened = cv2.morphologyEx(moving, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        reach = max(3, round(min(height, width) * 0.03)) | 1
        closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
        count, _, stats, _ = cv2.connectedComponentsWithStats(closed)
        smallest = self.params.min_size**2 * height * width
        rows = stats[1:count]
        rows = rows[rows[:, cv2.CC_STAT_AREA] >= 0.5 * smallest]
        rows = rows[rows[:, 2] * rows[:, 3] >= smallest]
        return rows[:, :4].astype(np.float64)

    def _crossing(self, move: Move, line: CountLine, width: int, height: int) -> str | None:
        track = move.track
        along = 1 if line.axis is Axis.HORIZONTAL else 0
        length = float(track.box[2 + along])
        side = line.side(line.distance(track.centre, width, height), MARGIN * length)
        before = self._sides[track.number]
        if side is Side.ON:
            return None
        self._sides[track.number] = side
        travel = abs(float(track.centre[along] - track.start[along]))
        if (
            side is before
            or before is Side.ON
            or track.counted
            or track.hits < CONFIRM_HITS
            or travel < self.params.min_travel * length
        ):
            return None
        track.counted = True
        return line.direction(side)
