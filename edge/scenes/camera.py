"""A pinhole camera on a pole, looking level: metres of the scene to pixels and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.scenes.drawing import FINE, HEIGHT, WIDTH, Plane, Points

Metres = NDArray[np.float64]  # (n, 3): right of the camera's axis, up from the ground, away


@dataclass(frozen=True, slots=True)
class Camera:
    """Its lens is shifted, not tilted, so that what is upright stays upright."""

    focal: float  # pixels
    height_m: float  # of the pole
    horizon: float  # row, pixels
    centre: float = WIDTH / 2  # column of the vanishing point, pixels
    scale: int = 1  # 1: pictures; FINE: backgrounds

    @property
    def fine(self) -> Camera:
        """The same view for a background that is drawn larger."""
        return Camera(
            self.focal * FINE, self.height_m, self.horizon * FINE, self.centre * FINE, FINE
        )

    def project(self, points: Metres) -> Points:
        """(..., 2) pixels of (..., 3) metres; what is not in front of the camera comes out wild."""
        away = points[..., 2]
        scale = self.focal / away
        x = self.centre + points[..., 0] * scale
        y = self.horizon + (self.height_m - points[..., 1]) * scale
        return np.stack((x, y), axis=-1)

    def point(self, x_m: float, y_m: float, z_m: float) -> tuple[float, float]:
        """(x, y) pixels of one point."""
        scale = self.focal / z_m
        return self.centre + x_m * scale, self.horizon + (self.height_m - y_m) * scale

    def row_of(self, z_m: float) -> float:
        """The row of the ground at that distance, pixels."""
        return self.horizon + self.height_m * self.focal / z_m

    def ground(self, first_row: int) -> tuple[Plane, Plane]:
        """(x, z) metres of the ground under each pixel from that row down; z is (rows, 1)."""
        rows = np.arange(first_row, HEIGHT * self.scale, dtype=np.float32)[:, None] + 0.5
        columns = np.arange(WIDTH * self.scale, dtype=np.float32)[None, :] + 0.5
        z = np.float32(self.focal * self.height_m) / (rows - np.float32(self.horizon))
        x = (columns - np.float32(self.centre)) * z / np.float32(self.focal)
        return x.astype(np.float32), z.astype(np.float32)
