"""A street with traffic in two directions, seen from a pole: its length runs up the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from contract.geometry import Box
from detectors.kit.types import Image
from edge.sources.drawing import paint
from edge.sources.drawing.paint import HEIGHT, WIDTH, Colour, Noise
from edge.sources.drawing.truth import Crossing, Span, Truth

HORIZON = 108.0  # pixels from the top
FOCAL, POLE_M = 430.0, 5.0  # pixels, metres: a pinhole camera looking along the street
CENTRE = 320.0  # pixels
NEAR_M, FAR_M = 8.0, 95.0  # a vehicle comes and goes out of sight here
LINE = 0.6  # of the height: where crossings are counted
FPS = 15.0

PAINTS: tuple[Colour, ...] = (
    (200, 200, 205),
    (60, 60, 62),
    (150, 95, 40),
    (60, 50, 150),
    (228, 228, 226),
    (110, 112, 96),
)


def on_screen(x_m: float, z_m: float) -> tuple[float, float]:
    """Where a point of the ground, x_m right of the middle and z_m away, is in the picture."""
    return CENTRE + FOCAL * x_m / z_m, HORIZON + FOCAL * POLE_M / z_m


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One vehicle of a round."""

    enters_s: float
    x_m: float
    speed: float  # m/s, above 0 away from the camera, below 0 towards it
    colour: Colour
    tall: bool = False  # a van
    stop_m: float = 0.0  # stops at this distance; 0: does not stop
    stop_s: float = 0.0  # how long

    def distance_m(self, age_s: float) -> float:
        """How far away it is `age_s` after it entered."""
        if self.speed < 0.0:
            return FAR_M + self.speed * age_s
        if not self.stop_m:
            return NEAR_M + self.speed * age_s
        arrives_s = 2.0 * (self.stop_m - NEAR_M) / self.speed  # slows down evenly to a stand
        if age_s < arrives_s:
            return NEAR_M + self.speed * age_s * (1.0 - age_s / (2.0 * arrives_s))
        left_s = max(0.0, age_s - arrives_s - self.stop_s)
        return self.stop_m + min(0.5 * 1.5 * left_s**2, self.speed * left_s)

    def passes_s(self, z_m: float) -> float:
        """Its age when it passes that distance, to a hundredth of a second."""
        ages = np.arange(0.0, 120.0, 0.01)
        distances = np.array([self.distance_m(float(a)) for a in ages])
        passed = distances <= z_m if self.speed < 0.0 else distances >= z_m
        return float(ages[int(np.argmax(passed))])


class Street:
    """A round of traffic that begins again without a seam."""

    def __init__(self, seed: int = 1, stopping: bool = True) -> None:
        self.period_s = 60.0
        chance = np.random.default_rng(seed)
        self.vehicles = tuple(_traffic(chance, self.period_s, stopping))
        self._ground = _ground(chance)
        self._noise = Noise(chance)

    def draw(self, t: float, picture: Image) -> None:
        """The street at second `t`."""
        np.copyto(picture, self._ground)
        placed = []
        for vehicle in self.vehicles:
            z_m = vehicle.distance_m((t - vehicle.enters_s) % self.period_s)
            if NEAR_M - 3.0 <= z_m <= FAR_M:
                placed.append((z_m, vehicle))
        for z_m, vehicle in sorted(placed, key=lambda p: -p[0]):
            _draw_vehicle(picture, vehicle, z_m)
        self._noise.add(picture, round(t * FPS))

    def truth(self) -> Truth:
        """The crossings of the line at 0.6 of the height, and the vehicle that stops."""
        line_m = FOCAL * POLE_M / (LINE * HEIGHT - HORIZON)
        crossings = []
        spans = []
        for v in self.vehicles:
            at_s = (v.enters_s + v.passes_s(line_m)) % self.period_s
            crossings.append(Crossing(at_s, "up" if v.speed > 0.0 else "down"))
            if v.stop_m:
                start_s = v.enters_s + 2.0 * (v.stop_m - NEAR_M) / v.speed
                x, y = on_screen(v.x_m, v.stop_m)
                w = FOCAL * 1.9 / v.stop_m
                box = Box.from_pixels(x - w / 2, y - w, w, w, WIDTH, HEIGHT)
                spans.append(Span("stopped_vehicle", start_s, start_s + v.stop_s, box))
        return Truth(tuple(spans), tuple(sorted(crossings, key=lambda c: c.at_s)))


def _traffic(chance: np.random.Generator, period_s: float, stopping: bool) -> list[Vehicle]:
    vehicles = []
    for x_m, away in ((2.5, True), (-2.5, False)):
        speed = 9.5 if away else -10.5  # one speed a lane: nobody drives into another
        at_s = float(chance.uniform(0.5, 1.5))
        while at_s < period_s - 3.5:
            colour = PAINTS[int(chance.integers(len(PAINTS)))]
            drift = float(chance.uniform(-0.2, 0.2))
            vehicles.append(Vehicle(at_s, x_m + drift, speed, colour, bool(chance.random() < 0.2)))
            at_s += float(chance.uniform(3.5, 8.0))
    if stopping:
        vehicles.append(Vehicle(6.0, 5.1, 7.0, (50, 140, 190), stop_m=20.0, stop_s=30.0))
    return vehicles


def _ground(chance: np.random.Generator) -> Image:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    horizon = round(HORIZON)
    paint.gradient(picture, 0, horizon + 8, (205, 178, 150), (226, 216, 206))
    for x, top, w in (
        (0, 18, 84),
        (86, 44, 66),
        (154, 30, 72),
        (404, 36, 80),
        (486, 14, 70),
        (558, 40, 82),
    ):
        paint.building(picture, x, top, w, horizon + 8, paint.plaster(chance), chance)
    paint.gradient(picture, horizon + 8, HEIGHT, (96, 122, 104), (78, 104, 86))
    _strip(picture, -9.0, 9.0, (150, 152, 154))  # pavements
    _strip(picture, -6.4, 6.4, (92, 92, 94))
    rows = np.zeros((HEIGHT, WIDTH), np.bool_)
    rows[horizon + 8 :] = True
    paint.texture(picture, rows, chance, 4.0)
    for x_m in (-6.2, 3.85, -3.85, 6.2):
        _strip(picture, x_m - 0.07, x_m + 0.07, (205, 208, 210))
    for near_m in range(9, 90, 6):
        _strip(picture, -0.08, 0.08, (214, 216, 218), near_m, near_m + 3.0)
    for side_m in (-8.0, 8.0):
        for away_m in (60, 40, 26, 17):
            foot_x, foot_y = on_screen(side_m, away_m)
            size = FOCAL / away_m
            paint.rectangle(
                picture,
                foot_x - 0.08 * size,
                foot_y - 2.4 * size,
                0.16 * size,
                2.4 * size,
                (48, 62, 74),
            )
            paint.ellipse(
                picture, foot_x, foot_y - 3.4 * size, 1.2 * size, 1.5 * size, (52, 98, 62)
            )
            paint.ellipse(
                picture,
                foot_x - 0.3 * size,
                foot_y - 3.8 * size,
                0.7 * size,
                0.8 * size,
                (66, 118, 78),
            )
    return picture


def _strip(
    picture: Image,
    left_m: float,
    right_m: float,
    colour: Colour,
    near_m: float = 5.5,
    far_m: float = 180.0,
) -> None:
    corners = [
        on_screen(left_m, near_m),
        on_screen(right_m, near_m),
        on_screen(right_m, far_m),
        on_screen(left_m, far_m),
    ]
    paint.polygon(picture, corners, colour)


def _draw_vehicle(picture: Image, vehicle: Vehicle, z_m: float) -> None:
    x, y = on_screen(vehicle.x_m, z_m)
    m = FOCAL / z_m  # pixels of a metre
    half, height = 0.92 * m, (2.1 if vehicle.tall else 1.45) * m
    dark = (
        max(0, vehicle.colour[0] - 45),
        max(0, vehicle.colour[1] - 45),
        max(0, vehicle.colour[2] - 45),
    )
    paint.ellipse(picture, x, y, half * 1.1, 0.22 * m, (62, 62, 64))
    for side in (-1.0, 1.0):
        paint.rectangle(
            picture, x + side * 0.7 * m - 0.15 * m, y - 0.4 * m, 0.3 * m, 0.42 * m, (24, 24, 26)
        )
    belt = height * 0.55
    roof = [
        (x - half * 0.95, y - belt),
        (x - half * 0.74, y - height),
        (x + half * 0.74, y - height),
        (x + half * 0.95, y - belt),
    ]
    paint.polygon(picture, roof, dark)
    paint.rectangle(picture, x - half, y - belt, 2 * half, belt - 0.18 * m, vehicle.colour)
    glass = [
        (x - half * 0.84, y - belt),
        (x - half * 0.66, y - height * 0.95),
        (x + half * 0.66, y - height * 0.95),
        (x + half * 0.84, y - belt),
    ]
    paint.polygon(picture, glass, (96, 84, 70))
    lamp: Colour = (70, 60, 170) if vehicle.speed > 0.0 else (205, 225, 230)
    for side in (-1.0, 1.0):
        paint.rectangle(
            picture, x + side * 0.72 * m - 0.12 * m, y - belt + 0.1 * m, 0.24 * m, 0.16 * m, lamp
        )
    paint.rectangle(picture, x - 0.26 * m, y - 0.42 * m, 0.52 * m, 0.13 * m, (215, 215, 215))
