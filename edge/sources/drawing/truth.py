"""What a rendered scene really shows: detectors are compared with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from contract.geometry import Box
from detectors.kit.types import Image


@dataclass(frozen=True, slots=True)
class Span:
    """Something that lasts. Seconds of the scene, from its beginning."""

    label: str  # "flame", "stopped_vehicle", "ponding", "frozen"
    start_s: float
    end_s: float
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Crossing:
    """A vehicle whose foot crosses a horizontal line. Seconds of the scene."""

    at_s: float
    label: str  # "down" towards the bottom of the picture, "up" away from it


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything that happens in one round of a scene."""

    spans: tuple[Span, ...] = ()
    crossings: tuple[Crossing, ...] = field(default=())


class Scene(Protocol):
    """Draws one moment after another; the same seed and time give the same picture."""

    period_s: float  # after which it begins again

    def draw(self, t: float, picture: Image) -> None:
        """Draw the moment `t` seconds after the beginning, 0 <= t < period_s, into `picture`."""

    def truth(self) -> Truth:
        """What one round shows."""
