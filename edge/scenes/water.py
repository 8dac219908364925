"""A road that dips under a railway, in rain: water gathers, rises over the road and drains."""

from __future__ import annotations

import math

import cv2
import numpy as np

from contract.geometry import Box
from detectors.kit.types import Image
from edge.scenes import underpass, vehicles
from edge.scenes.camera import Camera
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
WAVES = 7
_HALF = 2  # the surface is computed at half the size; ripples hide it
_MUD = (96.0, 112.0, 118.0)
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
            dry.picture, (WIDTH // _HALF, HEIGHT // _HALF), interpolation=cv2.INTER_AREA
        )
        rows = (np.arange(half[0], dtype=np.float32) + 0.5) * _HALF + FIRST_ROW - CAMERA.horizon
        self._rows = rows[:, None]
        self._columns = np.arange(half[1], dtype=np.float32)[None, :]
        self._wall_m = dry.columns[::_HALF][None, :]
        self._waves, self._turns = _waves(chance, half, self._rows)
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
        ripple = (self._waves @ self._sway(t_s)).reshape(self._rows.shape[0], -1)
        above = np.float32(CAMERA.height_m - level)
        z_water = np.float32(CAMERA.focal) * above / self._rows
        z_seen = np.minimum(self._wall_m, np.float32(BRIDGE_M[0]))
        # where the mirrored ray meets a wall or the front of the bridge
        y_seen = level + (z_seen - z_water) * (above / z_water)
        row = CAMERA.horizon + CAMERA.focal * (CAMERA.height_m - y_seen) / z_seen
        row += ripple * (7.0 + 0.05 * self._rows)
        column = self._columns + ripple * 2.2
        mirrored = cv2.remap(
            self._small,
            np.asarray(column, np.float32),
            np.clip(row / _HALF, 2.0, HEIGHT / _HALF - 2.0).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
        grazing = np.clip(1.05 - self._rows / 470.0, 0.12, 0.92) ** 1.3
        light = (1.0 - grazing + 0.10 * ripple)[..., None] * np.array(_MUD, np.float32)
        light += grazing[..., None] * mirrored
        light += (np.clip(ripple - 1.25, 0.0, 1.0) * 46.0)[..., None]
        eight = np.clip(light, 0.0, 255.0).astype(np.uint8)
        size = (WIDTH, HEIGHT - FIRST_ROW)
        return np.asarray(cv2.resize(eight, size, interpolation=cv2.INTER_LINEAR), np.uint8)

    def _sway(self, t_s: float) -> Plane:
        turns = self._turns * t_s
        sway: Plane = np.concatenate((np.cos(turns), np.sin(turns))).astype(np.float32)
        return sway

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
            low = Camera(
                CAMERA.focal,
                CAMERA.height_m - float(underpass.road_m(pose.z_m)),
                CAMERA.horizon,
                CAMERA.centre,
            )
            vehicles.draw(canvas, low, look, pose)
        if seen:  # the bridge hides what is beyond and above its underside
            rows = [round(CAMERA.point(0.0, m, BRIDGE_M[0])[1]) for m in (5.2, underpass.SOFFIT_M)]
            canvas[rows[0] : rows[1]] = self._dry[rows[0] : rows[1]]

    def _blink(self, canvas: Image, t_s: float) -> None:
        floor = float(underpass.road_m(STRANDED_AT.z_m))
        if self.level_m(t_s) > 0.9:
            return  # drowned
        size = vehicles.length_m(STRANDED.shape) / 2.0
        for side in (-0.8, 0.8):
            x, y = CAMERA.point(STRANDED_AT.x_m + side, floor + 0.76, STRANDED_AT.z_m - size)
            cv2.circle(canvas, (round(x), round(y)), 2, (60, 180, 255), -1, cv2.LINE_AA)


def _waves(chance: np.random.Generator, half: tuple[int, int], rows: Plane) -> tuple[Plane, Plane]:
    """Ripples as sums of plane waves: what to multiply with (cos, sin) of each wave's turns.

    Deep-water waves of 0.25 to 1.6 m: the turns a second follow from their lengths.
    """
    z = (CAMERA.focal * (CAMERA.height_m + 1.4) / rows).astype(np.float32)
    x = (np.arange(half[1], dtype=np.float32)[None, :] * _HALF - CAMERA.centre) * z / CAMERA.focal
    lengths = np.geomspace(0.28, 1.7, WAVES)
    angles = chance.uniform(0.15, 1.2, WAVES) * chance.choice((-1.0, 1.0), WAVES)
    waves = []
    for length, angle, shift in zip(lengths, angles, chance.uniform(0, 6.28, WAVES), strict=True):
        k = 2.0 * math.pi / length
        phase = k * (x * math.cos(angle) + z * math.sin(angle)) + shift
        fade = np.clip(length * CAMERA.focal / z / 26.0, 0.0, 1.0)  # too small to be seen far away
        waves.append((np.cos(phase) * fade * 0.42, np.sin(phase) * fade * 0.42))
    planes = [w[0] for w in waves] + [w[1] for w in waves]
    basis = np.stack([p.ravel() for p in planes], axis=1).astype(np.float32)
    return basis, np.sqrt(9.81 * 2.0 * math.pi / lengths).astype(np.float32)


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
