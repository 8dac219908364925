"""A road that dips under a railway, in rain: water gathers, rises over the road and drains."""

from __future__ import annotations

import math

import cv2
import numpy as np

from contract.geometry import Box
from detectors.kit.types import Image
from edge.scenes import underpass, vehicle_shapes, vehicles
from edge.scenes.drawing import HEIGHT, WIDTH, Noise, Plane, blend, line
from edge.scenes.truth import Level, Span, Truth
from edge.scenes.underpass import BRIDGE_M, CAMERA, DIP_M, FIRST_ROW, STRANDED, STRANDED_AT
from edge.scenes.vehicles import Look, Pose

LEVELS = (
    Level(0.0, 0.0),
    Level(8.0, 0.0),
    Level(26.0, 0.42),
    Level(60.0, 1.25),
    Level(70.0, 1.25),
    Level(90.0, 0.0),
    Level(100.0, 0.0),
)
PONDING_M = 0.15  # deep enough to close a road to cars
WAVES = 12
_HALF = 2  # the surface is computed at half the size; ripples hide it
_MUD = (96.0, 112.0, 118.0)
_RING_S = 0.42  # a ring lasts
_STEP_M = 0.01  # of heights in the depth table
_CARS = ((0.4, 2.0, 9.0, 1), (2.6, -1.9, -9.5, 4), (91.5, 2.1, 9.5, 0), (93.5, -2.0, -9.0, 6))
# enters at, right of the axis, m/s away from the camera, paint


class Water:
    """Dry, then flooded to 1.25 m, then dry again."""

    fps = 12.5
    size = (HEIGHT, WIDTH)
    duration_s = 100.0

    def __init__(self, seed: int = 3) -> None:
        chance = np.random.default_rng(seed)
        dry = underpass.build(chance)
        self._dry = dry.picture
        wet = np.clip((dry.heights[FIRST_ROW:] + DIP_M) / _STEP_M + 0.5, 0, 255)
        self._heights = wet.astype(np.uint8)  # centimetres above the lowest point of the road
        half = ((HEIGHT - FIRST_ROW) // _HALF, WIDTH // _HALF)
        self._small = cv2.resize(
            dry.bare, (WIDTH // _HALF, HEIGHT // _HALF), interpolation=cv2.INTER_AREA
        )
        rows = (np.arange(half[0], dtype=np.float32) + 0.5) * _HALF + FIRST_ROW - CAMERA.horizon
        self._rows = rows[:, None]
        self._columns = np.arange(half[1], dtype=np.float32)[None, :]
        self._met_m = np.minimum(dry.columns[::_HALF][None, :], np.float32(BRIDGE_M[0]))
        self._waves = _Ripples(chance, half[1], self._rows)
        self._push = (2.0 + 0.014 * self._rows).astype(np.float32)  # rows that a ripple moves
        # grazing light is mirrored, steep light shows the muddy water
        grazing = np.clip(1.06 - self._rows / 520.0, 0.16, 0.92)
        three = np.ones((*half, 3), np.float32) * grazing[..., None]
        self._grazing = (three * 255.0).astype(np.uint8)
        self._mud = ((1.0 - three) * np.array(_MUD, np.float32)).astype(np.uint8)
        self._drops = chance.uniform(0.0, 1.0, (46, 3))
        self._noise = _rain(chance)

    def shown_s(self, t_s: float) -> float:
        """Every moment shows itself."""
        return t_s

    def level_m(self, t_s: float) -> float:
        """How high the water stands above the lowest point of the road, metres."""
        return float(np.interp(t_s, [v.at_s for v in LEVELS], [v.height_m for v in LEVELS]))

    def draw(self, t_s: float, canvas: Image) -> None:
        """The underpass at that moment."""
        np.copyto(canvas, self._dry)
        self._drive(canvas, t_s)
        if math.sin(t_s * 2.0 * math.pi * 0.8) > 0.0:  # the hazard lights of the car left there
            self._blink(canvas, t_s)
        level_m = self.level_m(t_s)
        if level_m > 0.0:
            self._flood(canvas, t_s, level_m)
        self._noise.add(canvas, round(t_s * self.fps))

    def truth(self) -> Truth:
        """The level, and how long the road is closed by it."""
        moments = np.arange(0.0, self.duration_s, 1.0 / self.fps)
        deep = [float(t) for t in moments if self.level_m(float(t)) > PONDING_M]
        top, bottom = (CAMERA.row_of(z) for z in (BRIDGE_M[1], 16.0))
        where = Box.from_pixels(WIDTH * 0.15, top, WIDTH * 0.7, bottom - top, WIDTH, HEIGHT)
        return Truth(spans=(Span("ponding", deep[0], deep[-1], where),), levels=LEVELS)

    def _flood(self, canvas: Image, t_s: float, level_m: float) -> None:
        part = canvas[FIRST_ROW:]
        depth_m = level_m - np.arange(256, dtype=np.float32) * _STEP_M
        # shallow water shows the road, deep water hides it
        table = np.clip(depth_m / 0.22, 0.0, 1.0) ** 0.7 * 246.0
        alpha = cv2.LUT(self._heights, table.astype(np.uint8))
        three = cv2.merge([alpha, alpha, alpha])
        surface = self._surface(t_s, level_m - DIP_M)
        cv2.multiply(surface, three, surface, 1.0 / 255.0)
        blend(part, surface, np.asarray(three, np.uint8))

    def _surface(self, t_s: float, level: float) -> Image:
        """What the water mirrors and its own colour, for every row below FIRST_ROW."""
        heights, aside = self._waves.at(t_s)
        reach = CAMERA.focal * (CAMERA.height_m - level)
        # the row at which the mirrored ray meets a wall or the front of the bridge
        met = np.float32(CAMERA.horizon) + np.float32(2.0 * reach) / self._met_m - self._rows
        row = np.clip((met + heights * self._push) / _HALF, 2.0, HEIGHT / _HALF - 2.0)
        column = self._columns + aside * np.float32(0.9)
        mirrored = cv2.remap(self._small, column, row, cv2.INTER_LINEAR)
        light = cv2.add(cv2.multiply(mirrored, self._grazing, scale=1.0 / 255.0), self._mud)
        for change, gain in ((cv2.add, 9.0), (cv2.subtract, -9.0)):
            shade = np.clip(heights * gain, 0.0, 255.0).astype(np.uint8)
            light = change(light, cv2.merge([shade, shade, shade]))
        size = (WIDTH, HEIGHT - FIRST_ROW)
        surface = np.asarray(cv2.resize(light, size, interpolation=cv2.INTER_LINEAR), np.uint8)
        self._pelt(surface, t_s, reach)
        return surface

    def _pelt(self, surface: Image, t_s: float, reach: float) -> None:
        """Rings where drops fall."""
        for x_share, z_share, phase in self._drops:
            turns = t_s / _RING_S + phase
            turn = math.floor(turns)  # each time it falls somewhere else
            away = 14.0 + 24.0 * ((z_share + turn * 0.618) % 1.0)
            x = WIDTH * ((x_share + turn * 0.414) % 1.0)
            y = CAMERA.horizon + reach / away - FIRST_ROW
            wide = (turns - turn) * 0.34 * CAMERA.focal / away
            if 0.0 < y < surface.shape[0]:
                axes = (max(1, round(wide)), max(1, round(wide * 0.3)))
                b, g, r = (min(255, int(v) + 34) for v in surface[int(y), int(x)])
                cv2.ellipse(
                    surface, (round(x), round(y)), axes, 0, 0, 360, (b, g, r), 1, cv2.LINE_AA
                )

    def _drive(self, canvas: Image, t_s: float) -> None:
        """Cars pass while the road is dry."""
        seen = []
        for enters_s, x_m, speed, paint in _CARS:
            age_s = (t_s - enters_s) % self.duration_s
            z_m = (8.0 if speed > 0 else 62.0) + speed * age_s
            if 7.0 < z_m < 62.0:
                look = Look("sedan" if paint else "suv", vehicles.PAINTS[paint])
                seen.append((look, Pose(x_m, z_m, 0.0 if speed > 0 else math.pi)))
        for look, pose in sorted(seen, key=lambda one: -one[1].z_m):
            vehicles.draw(canvas, underpass.above_road(pose.z_m), look, pose)
        if seen:  # the bridge hides what is beyond and above its underside
            rows = [round(CAMERA.point(0.0, m, BRIDGE_M[0])[1]) for m in (5.2, underpass.SOFFIT_M)]
            canvas[rows[0] : rows[1]] = self._dry[rows[0] : rows[1]]

    def _blink(self, canvas: Image, t_s: float) -> None:
        floor = float(underpass.road_m(STRANDED_AT.z_m))
        if self.level_m(t_s) > 0.7:
            return  # drowned
        size = vehicle_shapes.length_m(STRANDED.shape) / 2.0
        for side in (-0.8, 0.8):
            x, y = CAMERA.point(STRANDED_AT.x_m + side, floor + 0.76, STRANDED_AT.z_m - size)
            cv2.circle(canvas, (round(x), round(y)), 2, (60, 180, 255), -1, cv2.LINE_AA)


class _Ripples:
    """Deep-water waves of 0.12 to 1.1 m in all directions, as sums of cosines of place and time.

    cos(kx - wt) = cos kx cos wt + sin kx sin wt: everything but the second factors is computed
    once, so a moment costs two products of a matrix and a vector.
    """

    def __init__(self, chance: np.random.Generator, columns: int, rows: Plane) -> None:
        """rows: (h, 1) pixels below the horizon."""
        self._shape = (rows.shape[0], columns)
        z = (CAMERA.focal * (CAMERA.height_m + 1.4) / rows).astype(np.float32)
        x = (np.arange(columns, dtype=np.float32)[None, :] * _HALF - CAMERA.centre) * z
        x = x / np.float32(CAMERA.focal)
        lengths = np.geomspace(0.12, 1.1, WAVES) * chance.uniform(0.9, 1.1, WAVES)
        angles = chance.uniform(0.0, 2.0 * math.pi, WAVES)
        waves = []
        for length, angle in zip(lengths, angles, strict=True):
            phase = 2.0 * math.pi / length * (x * math.cos(angle) + z * math.sin(angle))
            # too small to be seen far away
            fade = np.clip(length * CAMERA.focal / z / 14.0 - 0.3, 0.0, 1.0) * length**0.35
            waves.append((np.cos(phase) * fade, np.sin(phase) * fade))
        planes = np.stack([w[0] for w in waves] + [w[1] for w in waves])
        planes *= np.sqrt(2.0 / WAVES) * 1.3
        self._planes = planes.astype(np.float32).reshape(2 * WAVES, -1)
        self._turns = np.sqrt(9.81 * 2.0 * math.pi / lengths)  # dispersion of deep water

    def at(self, t_s: float) -> tuple[Plane, Plane]:
        """Two planes (h, w), a quarter of a wave apart: the height of the water, and its push."""
        turns = self._turns * t_s
        sway = np.concatenate((np.cos(turns), np.sin(turns))).astype(np.float32)
        # einsum, not @: BLAS would wake a thread on every core for so little
        heights = np.einsum("ji,j->i", self._planes, sway)
        aside = np.einsum("ji,j->i", self._planes, np.roll(sway, WAVES))
        return heights.reshape(self._shape), aside.reshape(self._shape)


def _rain(chance: np.random.Generator) -> Noise:
    """Sensor noise with streaks of rain in it."""
    noise = Noise(chance, 2.6)
    h, w = noise.brighter.shape[:2]
    for _ in range(520):
        x, y = chance.uniform(0, w), chance.uniform(0, h)
        long = chance.uniform(10, 26)
        light = int(chance.uniform(16, 34))
        streak = np.array([(x, y), (x - long * 0.16, y + long)])
        line(noise.brighter, streak, (light, light, light), 1)
    return noise
