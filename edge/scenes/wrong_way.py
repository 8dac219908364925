"""The street, and a car that drives down one of its lanes the wrong way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge.scenes import vehicles
from edge.scenes.drawing import HEIGHT, WIDTH
from edge.scenes.street import (
    AXIS_M,
    CAMERA,
    FAR_M,
    LANE_M,
    NEAR_M,
    OnTheRoad,
    Street,
    Vehicle,
)
from edge.scenes.truth import Span, Truth
from edge.scenes.vehicles import Look

WRONG_S = 30.0  # it comes into sight
WRONG_SPEED = 9.0  # m/s away from the camera, where one drives towards it
LANE = -0.5  # lanes right of the middle
CLEAR_S = 3.0  # s that others keep away


class WrongWay(Street):
    """One car drives against its lane, from second 30 on."""

    def _traffic(self, chance: np.random.Generator) -> Sequence[OnTheRoad]:
        """The street's, without those it would drive into."""
        wrong = Vehicle(Look("sedan", (44, 38, 122)), WRONG_S, lane_m(LANE), WRONG_SPEED)
        others = [v for v in super()._traffic(chance) if not self._meets(v, wrong)]
        return (*others, wrong)

    def _meets(self, other: OnTheRoad, wrong: Vehicle) -> bool:
        """Whether it is in sight in that lane while the wrong one is."""
        assert isinstance(other, Vehicle)
        if abs(other.x_m - wrong.x_m) > LANE_M / 2.0:
            return False
        apart_s = (other.enters_s - wrong.enters_s) % self.duration_s
        return apart_s < wrong.age_s + CLEAR_S or self.duration_s - apart_s < other.age_s + CLEAR_S

    def truth(self) -> Truth:
        """Every crossing, and how long the wrong one is in sight."""
        street = super().truth()
        wrong = self.vehicles[-1]
        where = vehicles.box(CAMERA, wrong.look, wrong.pose(wrong.age_s / 4.0))
        span = Span("wrong_way", WRONG_S, WRONG_S + wrong.age_s, where)
        return Truth(street.crossings, (*street.spans, span))


def lane_m(lane: float) -> float:
    """The middle of a lane, right of the camera's axis."""
    return AXIS_M + lane * LANE_M


def lane_text(name: str, direction: str, lane: float, wide: float = 1.0) -> str:
    """A lane of the street as a detector's parameter takes it: `name:direction=corners`.

    lane: of its middle, in lanes right of the road's; wide: how many lanes it takes.
    """
    middle, half = lane_m(lane), wide * LANE_M / 2.0
    near, far = NEAR_M + 6.0, FAR_M / 2.0
    ground = (
        (middle - half, near),
        (middle + half, near),
        (middle + half, far),
        (middle - half, far),
    )
    corners = []
    for x_m, z_m in ground:
        x, y = CAMERA.point(x_m, 0.0, z_m)
        corners.append(f"{min(max(x / WIDTH, 0.0), 1.0):.4f},{min(max(y / HEIGHT, 0.0), 1.0):.4f}")
    return f"{name}:{direction}={' '.join(corners)}"


def calibration_text() -> str:
    """Four points of the street as a detector's parameter takes them."""
    points = []
    for x_m, z_m in ((-6.0, 14.0), (5.0, 14.0), (5.0, 60.0), (-6.0, 60.0)):
        x, y = CAMERA.point(x_m, 0.0, z_m)
        points.append(f"{x / WIDTH:.5f},{y / HEIGHT:.5f}>{x_m:g},{z_m:g}")
    return " ".join(points)
