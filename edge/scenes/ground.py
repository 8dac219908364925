"""What lies on the ground of a background: asphalt, paving, markings, all by their metres."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.kit.types import Image
from edge.scenes.camera import Camera
from edge.scenes.drawing import FINE, HEIGHT, WIDTH, Colour, Plane, shaded, turbulence

Where = NDArray[np.bool_]


class Ground:
    """The ground of one background, painted layer by layer."""

    def __init__(
        self, picture: Image, camera: Camera, first_row: int, chance: np.random.Generator
    ) -> None:
        """picture: FINE times the size; camera: of pictures; first_row: of the picture."""
        self.first = first_row * FINE
        self.x, self.z = camera.fine.ground(self.first)
        self._part = picture[self.first :]
        self._paint = np.zeros((*self.x.shape, 3), np.float32)
        self._chance = chance

    def fill(self, colour: Colour, where: Where | None = None) -> None:
        """One colour everywhere, or where the condition holds."""
        if where is None:
            self._paint[:] = colour
        else:
            self._paint[np.broadcast_to(where, self.x.shape)] = colour

    def strip(self, from_m: float, to_m: float, colour: Colour) -> None:
        """A strip along the view, between two distances to the right of its axis."""
        self.fill(colour, (self.x >= from_m) & (self.x < to_m))

    def dashes(self, x_m: float, colour: Colour, dash_m: float, period_m: float) -> None:
        """A broken lane line, 15 cm wide."""
        self.fill(colour, (np.abs(self.x - x_m) < 0.075) & (self.z % period_m < dash_m))

    def joints(self, where: Where, side_m: float, light: float, reach_m: float) -> None:
        """The joints between square slabs; they fade with distance."""
        gap = (self.x % side_m < 0.03) | (self.z % side_m < 0.05)
        fade = np.clip(1.0 - self.z / reach_m, 0.0, 1.0)
        self.light(np.where(gap & where, 1.0 - (1.0 - light) * fade, 1.0).astype(np.float32))

    def light(self, factor: Plane) -> None:
        """Brighter or darker, by pixel."""
        self._paint *= factor[..., None]

    def grain(self, deviation: float, metre: float = 0.25) -> None:
        """Roughness and stains of the surface, in perspective."""
        field = turbulence(self._chance, 512, (32, 64, 128))
        stains = turbulence(self._chance, 512, (5, 11))
        x, z = self.x, np.broadcast_to(self.z, self.x.shape)
        fine = _sample(field, x / metre * 16.0, z / metre * 6.0)
        wide = _sample(stains, x * 22.0, z * 9.0)
        near = np.clip(14.0 / z, 0.15, 1.0)
        self._paint += (deviation * (0.55 * near * fine + 0.75 * wide))[..., None]

    def finish(self, haze: Colour, reach_m: float) -> None:
        """Put it into the picture; it fades into the haze with distance."""
        share = (1.0 - np.exp(-self.z / reach_m))[..., None]
        rows = self._paint * (1.0 - share) + np.array(haze, np.float32) * share
        self._part[:] = np.clip(rows, 0, 255).astype(np.uint8)


def shadow(picture: Image, outline: NDArray[np.float64], light: float = 0.6, blur: int = 9) -> None:
    """Darken a polygon of a background, with a soft edge; outline: (n, 2) pixels."""
    corners = np.round(outline).astype(np.int32)
    reach = blur + 1  # beyond it nothing is darkened
    left, top = np.maximum(corners.min(axis=0) - reach, 0)
    right, bottom = np.maximum(corners.max(axis=0) + reach + 1, 0)
    part = picture[top:bottom, left:right]
    if part.size == 0:
        return
    mask = np.zeros(part.shape[:2], np.float32)
    cv2.fillPoly(mask, [corners - (left, top)], 1.0)
    soft = cv2.GaussianBlur(mask, (blur * 2 + 1, blur * 2 + 1), 0)
    factor = 1.0 - (1.0 - light) * np.asarray(soft)[..., None]
    part[:] = (part * factor).astype(np.uint8)


def sky(
    picture: Image, to_row: int, above: Colour, below: Colour, chance: np.random.Generator
) -> None:
    """A sky with thin clouds in the rows above `to_row` of a FINE background."""
    bottom = to_row * FINE
    share = np.linspace(0.0, 1.0, bottom, dtype=np.float32)[:, None, None]
    colour = (1.0 - share) * np.array(above, np.float32) + share * np.array(below, np.float32)
    field = turbulence(chance, 512, (3, 6, 12, 24, 48))
    cloud = cv2.resize(field[:200], (WIDTH * FINE, bottom), interpolation=cv2.INTER_CUBIC)
    veil = np.clip(np.asarray(cloud) * 0.32 + 0.1, 0.0, 0.75)[..., None] * (1.0 - 0.5 * share)
    white = np.array(shaded(below, 1.12), np.float32)
    picture[:bottom] = np.clip(colour * (1.0 - veil) + white * veil, 0, 255).astype(np.uint8)


def blank() -> Image:
    """An empty background, FINE times the size of a picture."""
    return np.zeros((HEIGHT * FINE, WIDTH * FINE, 3), np.uint8)


def _sample(field: Plane, x: Plane, y: Plane) -> Plane:
    size = field.shape[0]
    at_x, at_y = np.mod(x, size).astype(np.float32), np.mod(y, size).astype(np.float32)
    found = cv2.remap(field, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(found, np.float32)
