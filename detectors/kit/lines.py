"""A line across the picture, and which side of it a thing is on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

from numpy.typing import NDArray


class Axis(StrEnum):
    """How a count line lies in the picture."""

    HORIZONTAL = "horizontal"  # traffic crosses it up or down
    VERTICAL = "vertical"  # traffic crosses it left or right


class Side(Enum):
    """Where a thing is, seen along the line's normal (down, or to the right)."""

    BEFORE = -1
    ON = 0  # within the margin: it may be either
    BEYOND = 1


@dataclass(frozen=True, slots=True)
class CountLine:
    """A line over the whole width or height of the picture at a share of the other side."""

    axis: Axis
    at: float  # 0..1, share of the height (horizontal) or width (vertical)

    def distance(self, centre: NDArray, width: int, height: int) -> float:  # type: ignore[type-arg]
        """Signed pixels from the line to a point (x, y), above 0 beyond it."""
        if self.axis is Axis.HORIZONTAL:
            return float(centre[1]) - self.at * height
        return float(centre[0]) - self.at * width

    def side(self, distance: float, margin: float) -> Side:
        """The side at a distance, `ON` within `margin` pixels."""
        if distance > margin:
            return Side.BEYOND
        return Side.BEFORE if distance < -margin else Side.ON

    def direction(self, to: Side) -> str:
        """The word for a crossing that ends on this side: down, up, right or left."""
        if self.axis is Axis.HORIZONTAL:
            return "down" if to is Side.BEYOND else "up"
        return "right" if to is Side.BEYOND else "left"
