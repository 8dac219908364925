"""Vehicles that move: what stands out of the learnt scene, cut into blobs, followed as tracks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import cv2
import numpy as np

from detectors.kit.background import Background, Mask, colours
from detectors.kit.components import large_parts
from detectors.kit.steadying import Steadying
from detectors.kit.tracking import Boxes, Move, Tracker
from detectors.kit.types import Frame

DROVE = 0.25  # of its own size; a thing that came this far is no part of the scene
WAIT_S = 600.0  # s a vehicle may stand before it is taken for parked


@dataclass(frozen=True, slots=True)
class Seen:
    """What one picture shows."""

    width: int  # pixels of the thumbnail that everything is measured in
    height: int
    moving: Mask  # things, without their shadows; empty where `blind`
    moves: list[Move]
    blind: bool  # a flash, a cut or a camera that turns: the picture says nothing


class MovingVehicles:
    """The vehicles of one camera. Feed it pictures in order."""

    def __init__(self, min_size: float) -> None:
        """min_size: square root of the smallest vehicle's share of the picture's area."""
        self.min_size = min_size
        self.background = Background()
        self.tracker = Tracker()
        self._steadying = Steadying()
        self.reset()

    def reset(self) -> None:
        """Forget the scene and every track."""
        self._steadying.reset()
        self._seen: tuple[int, int, int] | None = None  # view, height, width
        self._forget()

    def _forget(self) -> None:
        self.background.reset()
        self.tracker.reset()

    def step(self, frame: Frame) -> Seen:
        """What this picture shows; learns from it."""
        steadied, at = self._steadying.of(frame), frame.captured_at
        height, width = steadied.small.shape[:2]
        nothing = np.zeros((height, width), np.uint8)
        if steadied.turning:
            return Seen(width, height, nothing, [], blind=True)
        if self._seen != (steadied.view, height, width):
            self._seen = steadied.view, height, width
            self._forget()
        keep = self._waiting(at, height, width)
        found = self.background.apply(steadied.image, at, keep, steadied.once(colours))
        boxes = np.empty((0, 4)) if found.upset else self._blobs(found.moving)
        moves = self.tracker.step(boxes, at)
        moving = nothing if found.upset else found.moving
        return Seen(width, height, moving, moves, blind=found.upset)

    def _waiting(self, at: datetime, rows: int, columns: int) -> Mask:
        """255 where a vehicle is that drove in and may be waiting now: it is not learnt as scene.

        Without this a queue is learnt within a minute, and when it moves off it leaves ghosts into
        which the vehicles behind disappear.
        """
        mask = np.zeros((rows, columns), np.uint8)
        tracks = self.tracker.tracks
        if not tracks:
            return mask
        boxes = np.array([t.box for t in tracks])
        starts = np.array([t.start for t in tracks])
        drove = np.abs(boxes[:, :2] + boxes[:, 2:] / 2.0 - starts).max(axis=1)
        came = drove >= DROVE * boxes[:, 2:].min(axis=1)
        for number in np.flatnonzero(came).tolist():
            if (at - tracks[number].first_at).total_seconds() < WAIT_S:
                left, top, width, height = boxes[number].tolist()
                mask[int(top) : int(top + height), int(left) : int(left + width)] = 255
        return mask

    def _blobs(self, moving: Mask) -> Boxes:
        """The boxes of connected things large enough to be vehicles, in thumbnail pixels."""
        height, width = moving.shape
        opened = cv2.morphologyEx(moving, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        if not cv2.countNonZero(opened):
            return np.empty((0, 4))
        reach = max(3, round(min(height, width) * 0.03)) | 1
        closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
        boxes = large_parts(closed, self.min_size**2 * height * width, 0.5)
        return np.array(boxes, np.float64).reshape(-1, 4)
