"""What a rendered scene really shows: detectors are compared with it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from contract.geometry import Box
from detectors.kit.types import Image


class Direction(StrEnum):
    """Which way something crosses a horizontal line of the picture."""

    DOWN = "down"  # towards the camera
    UP = "up"  # away from it


@dataclass(frozen=True, slots=True)
class Crossing:
    """A vehicle whose outline in the picture has its middle on the count line."""

    frame: int  # the first one that shows it beyond the line
    at_s: float  # scene time
    direction: Direction


@dataclass(frozen=True, slots=True)
class Span:
    """Something that lasts, in seconds of scene time."""

    label: str  # "flame", "smoke", "stopped_vehicle", "ponding", "frozen"
    start_s: float
    end_s: float
    box: Box | None = None  # where, at its largest


@dataclass(frozen=True, slots=True)
class Level:
    """How high the water stands above the lowest point of the road; straight between two."""

    at_s: float  # scene time
    height_m: float


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything that happens in one cycle of a scene."""

    crossings: tuple[Crossing, ...] = ()
    spans: tuple[Span, ...] = ()
    levels: tuple[Level, ...] = ()


class Scene(Protocol):
    """Draws any moment of one cycle; the same seed and time give the same picture."""

    @property
    def fps(self) -> float:
        """Frames per second of scene time."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of its pictures, pixels."""

    @property
    def duration_s(self) -> float:
        """One cycle, a whole number of frames."""

    def shown_s(self, t_s: float) -> float:
        """The moment that the picture of moment `t_s` shows: another one while it is frozen."""

    def draw(self, t_s: float, canvas: Image) -> None:
        """Draw the moment `t_s`, 0 <= t_s < duration_s, over all of `canvas`."""

    def truth(self) -> Truth:
        """What one cycle shows."""
