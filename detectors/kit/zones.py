"""The part of a picture that an engineer draws for a detector to watch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.kit.areas import Corners, mask_of, read_optional_corners
from detectors.kit.background import Mask
from detectors.kit.params import param

SLACK = 1e-6  # a share that was rounded is not outside the picture


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
    zone_corners: str = param(
        "",
        check=read_optional_corners,
        text="Corners x,y x,y x,y of the watched part, in place of the rectangle",
    )

    @property
    def zone(self) -> Zone:
        """The watched rectangle: the one about the corners where they are given."""
        corners = self.corners
        if not corners:
            return Zone(self.zone_x, self.zone_y, self.zone_w, self.zone_h)
        x, y = np.asarray(corners).T
        return Zone(float(x.min()), float(y.min()), float(np.ptp(x)), float(np.ptp(y)))

    @property
    def corners(self) -> Corners:
        """The corners of the watched part, none where it is the rectangle."""
        return read_optional_corners(self.zone_corners)

    def inside(self, width: int, height: int) -> Mask:
        """255 in the watched part of a picture of that size; never empty, not to be written to."""
        if self.corners:
            return mask_of(self.corners, width, height)
        mask = np.zeros((height, width), np.uint8)
        mask[self.zone.pixels(width, height)] = 255
        return mask

    def fault(self, width: int, height: int) -> str:
        """What is wrong with the zone in a picture of that size, "" for nothing."""
        zone = self.zone
        right, bottom = zone.x + zone.w, zone.y + zone.h
        if zone.w * zone.h == 0.0 or zone.x >= 1.0 or zone.y >= 1.0:
            wrong = "holds nothing of"
        elif max(right, bottom) > 1.0 + SLACK:
            wrong = "reaches beyond"
        else:
            return ""
        return (
            f"zone x {zone.x:g}, y {zone.y:g}, w {zone.w:g}, h {zone.h:g} (pixels "
            f"{zone.x * width:.0f} to {right * width:.0f} and {zone.y * height:.0f} to "
            f"{bottom * height:.0f}) {wrong} the picture of {width} x {height}: x + w and y + h "
            "must not exceed 1"
        )
