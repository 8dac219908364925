"""The part of a picture that an engineer draws for a detector to watch."""

from __future__ import annotations

from dataclasses import dataclass


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
