"""The street, two lanes of which fill up: a queue grows, stands, and moves off again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.scenes.street import FAR_M, NEAR_M, OnTheRoad, Street, Vehicle
from edge.scenes.truth import Span, Truth
from edge.scenes.vehicles import PAINTS, Look, Pose
from edge.scenes.wrong_way import lane_m

LANES = (0.5, 1.5)  # away from the camera
HEAD_M, GAP_M = 52.0, 6.6  # where the first one stands, and from one to the next
VEHICLES = 6  # in each lane
FIRST_S, EVERY_S = 16.0, 1.9  # the first one comes into sight, and one after the other
OFF_S, LAG_S = 78.0, 1.4  # the first one moves off, and one after the other
SPEED = 11.0  # m/s
BRAKE = 3.0  # m/s²
PULL = 2.0  # m/s²


@dataclass(frozen=True, slots=True)
class Queuer:
    """A vehicle that drives up to the queue, waits, and drives off."""

    look: Look
    enters_s: float
    x_m: float
    stands_at_m: float
    waits_s: float  # its age when it moves off
    speed: float = SPEED

    @property
    def stops_s(self) -> float:
        """Its age when it stands."""
        brakes_m = self.speed**2 / (2.0 * BRAKE)
        return (self.stands_at_m - brakes_m - NEAR_M) / self.speed + self.speed / BRAKE

    @property
    def age_s(self) -> float:
        """How long it is in sight."""
        pulls_m = self.speed**2 / (2.0 * PULL)
        rest_m = max(0.0, FAR_M - self.stands_at_m - pulls_m)
        return self.waits_s + self.speed / PULL + rest_m / self.speed

    def pose(self, age_s: float) -> Pose:
        """Where it is `age_s` after it came into sight."""
        to_stop = self.stops_s - age_s
        if to_stop > self.speed / BRAKE:
            return Pose(self.x_m, NEAR_M + self.speed * age_s)
        if to_stop > 0.0:
            return Pose(self.x_m, self.stands_at_m - BRAKE * to_stop**2 / 2.0, braking=True)
        gone = max(0.0, age_s - self.waits_s)
        pulled = min(gone, self.speed / PULL)
        z_m = self.stands_at_m + PULL * pulled**2 / 2.0 + self.speed * (gone - pulled)
        return Pose(self.x_m, z_m, braking=age_s < self.waits_s)


class Queue(Street):
    """From about second 30 to second 78 two lanes stand."""

    duration_s = 120.0

    def _traffic(self, chance: np.random.Generator) -> Sequence[OnTheRoad]:
        """The lanes towards the camera as in the street, the others with the queue alone."""
        others = [
            v
            for v in super()._traffic(chance)
            if isinstance(v, Vehicle) and v.speed < 0 and not v.stands_at_m
        ]
        queue = [
            Queuer(
                Look("sedan" if n % 3 else "suv", PAINTS[int(chance.integers(len(PAINTS)))]),
                FIRST_S + n * EVERY_S,
                lane_m(lane),
                HEAD_M - n * GAP_M,
                OFF_S + n * LAG_S - FIRST_S - n * EVERY_S,
            )
            for lane in LANES
            for n in range(VEHICLES)
        ]
        return (*others, *queue)

    def truth(self) -> Truth:
        """Every crossing, and how long the whole queue stands."""
        last = max(v.enters_s + v.stops_s for v in self.vehicles if isinstance(v, Queuer))
        return Truth(super().truth().crossings, (Span("congestion", last, OFF_S),))
