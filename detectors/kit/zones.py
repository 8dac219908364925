"""The part of a picture that an engineer draws for a detector to watch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from detectors.kit.params import param


@dataclass(frozen=True, slots=True)
class Zone:
    """A rectangle in shares of the picture, 0..1; what lies outside the picture is cut off."""

    x: float = 0.0  # left
    y: float = 0.0  # top
    w: float = 1.0
    h: float = 1.0

    def pixels(self, width: int, height: int) -> tuple[slice, slice]:
        """(rows, columns) of a picture of that size; never empty."""
        left, top = min(int(self.x * width), width - 1), min(int(self.y * height), height - 1)
        right = min(width, max(left + 1, round((self.x + self.w) * width)))
        bottom = min(height, max(top + 1, round((self.y + self.h) * height)))
        return slice(top, bottom), slice(left, right)


def share_of_picture(default: float, text: str) -> Any:
    """A parameter that is a share of the width or the height, 0..1."""
    return param(default, minimum=0.0, maximum=1.0, unit="1", text=text)


@dataclass(frozen=True, slots=True)
class ZoneParams:
    """The parameters of a detector that watches one zone; it adds its own."""

    zone_x: float = share_of_picture(0.0, "Left of the watched part, share of the width")
    zone_y: float = share_of_picture(0.0, "Top of the watched part, share of the height")
    zone_w: float = share_of_picture(1.0, "Width of the watched part")
    zone_h: float = share_of_picture(1.0, "Height of the watched part")

    @property
    def zone(self) -> Zone:
        """The watched part of the picture."""
        return Zone(self.zone_x, self.zone_y, self.zone_w, self.zone_h)
