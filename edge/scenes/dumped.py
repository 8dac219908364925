"""The street, and somebody who leaves rubbish bags on its pavement and goes."""

from __future__ import annotations

import numpy as np

from contract.geometry import Box
from detectors.kit.types import Image
from edge.scenes import people
from edge.scenes.drawing import HEIGHT, WIDTH, ellipse
from edge.scenes.people import Person
from edge.scenes.street import CAMERA, Street, Vehicle
from edge.scenes.truth import Span, Truth

BAG_M = (9.0, 24.0)  # right of the axis, away from the camera
FROM_M = 44.0
COMES_S, PUTS_S, GOES_S, GONE_S = 14.0, 26.0, 31.0, 46.0
STRIDES_HZ = people.STRIDES_HZ


class Dumped(Street):
    """Bags lie on the pavement from second 26 on, alone from second 31."""

    duration_s = 108.0

    def __init__(self, seed: int = 1) -> None:
        super().__init__(seed)
        self.vehicles = tuple(
            v for v in self.vehicles if not (isinstance(v, Vehicle) and v.stands_at_m)
        )
        self._person = Person((58, 60, 70))

    def draw(self, t_s: float, canvas: Image) -> None:
        """The street, the person, the bags."""
        super().draw(t_s, canvas)
        x, y = CAMERA.point(BAG_M[0], 0.0, BAG_M[1])
        m = CAMERA.focal / BAG_M[1]
        if t_s >= PUTS_S:
            for aside, up, half, tone in (
                (-0.3, 0.3, 0.32, 26),
                (0.32, 0.27, 0.3, 34),
                (0.0, 0.6, 0.28, 44),
            ):
                ellipse(
                    canvas, x + aside * m, y - up * m, half * m, half * m, (tone + 6, tone, tone)
                )
                ellipse(
                    canvas,
                    x + (aside - 0.08) * m,
                    y - (up + 0.1) * m,
                    half * 0.3 * m,
                    half * 0.22 * m,
                    (tone + 66, tone + 60, tone + 60),
                )
        at = np.interp(
            t_s, (COMES_S, PUTS_S - 1.0, GOES_S, GONE_S), (FROM_M, BAG_M[1], BAG_M[1], FROM_M)
        )
        if COMES_S <= t_s < GONE_S:
            walks = not PUTS_S - 1.0 <= t_s < GOES_S
            stride = t_s * STRIDES_HZ if walks else 0.05 * np.sin(t_s * 4.0)
            people.draw(canvas, CAMERA, self._person, BAG_M[0] - 0.9, float(at), float(stride), 0.3)
        self._noise.add(canvas, round(t_s * self.fps) + 11)

    def truth(self) -> Truth:
        """Every crossing, and from when on the bags lie there alone."""
        x, y = CAMERA.point(BAG_M[0], 0.0, BAG_M[1])
        m = CAMERA.focal / BAG_M[1]
        where = Box.from_pixels(x - 0.64 * m, y - 0.9 * m, 1.28 * m, 0.94 * m, WIDTH, HEIGHT)
        street = super().truth()
        return Truth(street.crossings, (Span("dumping", GOES_S, self.duration_s, where),))
