"""A yard where a heap of rubbish catches fire after four quiet seconds."""

from __future__ import annotations

import math

import cv2
import numpy as np

from contract.geometry import Box
from detectors.kit.types import Image
from edge.scenes import buildings, people
from edge.scenes.camera import Camera
from edge.scenes.drawing import (
    FINE,
    HEIGHT,
    WIDTH,
    Colour,
    Noise,
    ellipse,
    polygon,
    reduced,
    shaded,
)
from edge.scenes.flames import Flames, Smoke
from edge.scenes.ground import Ground, blank, shadow, sky
from edge.scenes.people import Person
from edge.scenes.truth import Span, Truth

CAMERA = Camera(focal=820.0, height_m=4.6, horizon=112.0)
WALL_M = 21.0  # the wall at the back
HEAP_M = (1.7, 14.4)  # right of the axis, away
CATCHES_S, GROWN_S, FALLS_S, OUT_S, CLEAR_S = 4.0, 15.0, 44.0, 53.0, 64.0
FLAME_M = (2.3, 3.4)  # mean width and height when it burns fully
FIRST = 0.42  # its size, as a share, one second after it caught
GUSTS = ((0.31, 0.0), (0.83, 1.3), (1.7, 0.4))  # Hz and phase of the wind


class Fire:
    """Quiet, then a fire that grows, flickers and dies down, with smoke."""

    fps = 15.0
    size = (HEIGHT, WIDTH)
    duration_s = 75.0

    def __init__(self, seed: int = 2) -> None:
        chance = np.random.default_rng(seed)
        self._yard = _yard(chance)
        x, y = CAMERA.point(HEAP_M[0], 0.25, HEAP_M[1])
        self._foot = round(x), round(y)
        self._flames = Flames(chance, self._foot)
        self._smoke = Smoke(chance, (self._foot[0], self._foot[1] - 40), 330)
        self._glow = _glow(self._foot)
        self._burnt = _burnt(self._yard, self._foot)
        self._leaves = tuple(tuple(row) for row in chance.uniform(0.0, 1.0, (9, 4)))
        self._twigs = _twigs(chance)
        self._noise = Noise(chance, 3.2)

    def shown_s(self, t_s: float) -> float:
        """Every moment shows itself."""
        return t_s

    def draw(self, t_s: float, canvas: Image) -> None:
        """The yard at that moment."""
        np.copyto(canvas, self._yard)
        size = self.flame(t_s)
        charred = min(1.0, max(0.0, (t_s - CATCHES_S) / 16.0)) * min(1.0, (75.0 - t_s) / 3.0)
        if charred > 0.0:
            self._char(canvas, charred)
        self._walk(canvas, t_s)
        self._blow(canvas, t_s)
        if size > 0.0:
            self._light(canvas, size * self._flames.pulse(t_s))
        smoke = self.smoke(t_s)
        if smoke > 0.0:
            self._smoke.draw(canvas, t_s, smoke, round(104 - 46 * size), size * 0.75)
        if size > 0.02:
            metre = CAMERA.focal / HEAP_M[1]
            self._flames.draw(
                canvas, t_s, FLAME_M[0] * metre * (0.25 + 0.75 * size), FLAME_M[1] * metre * size
            )
        self._stir(canvas, t_s)
        self._noise.add(canvas, round(t_s * self.fps))

    def flame(self, t_s: float) -> float:
        """The size of the flame at that moment, 0 none, 1 full."""
        ages = (CATCHES_S, CATCHES_S + 1.0, GROWN_S, FALLS_S, OUT_S)
        return float(np.interp(t_s, ages, (0.0, FIRST, 1.0, 0.95, 0.0), left=0.0, right=0.0))

    def smoke(self, t_s: float) -> float:
        """How dense the smoke is at that moment, 0..1."""
        ages = (CATCHES_S + 0.6, CATCHES_S + 6.0, GROWN_S, OUT_S, CLEAR_S)
        return float(np.interp(t_s, ages, (0.0, 0.5, 0.86, 0.7, 0.0), left=0.0, right=0.0))

    def truth(self) -> Truth:
        """The flame and its smoke."""
        metre = CAMERA.focal / HEAP_M[1]
        w, h = FLAME_M[0] * metre, FLAME_M[1] * metre
        x, y = self._foot
        flame = Box.from_pixels(x - w / 2, y - h, w, h, WIDTH, HEIGHT)
        smoke = Box.from_pixels(x - 60, 0, 390, y - 40, WIDTH, HEIGHT)
        return Truth(
            spans=(
                Span("flame", CATCHES_S, OUT_S, flame),
                Span("smoke", CATCHES_S + 0.6, CLEAR_S, smoke),
            )
        )

    def _char(self, canvas: Image, share: float) -> None:
        top, left, picture = self._burnt
        h, w = picture.shape[:2]
        part = canvas[top : top + h, left : left + w]
        cv2.addWeighted(part, 1.0 - share, picture, share, 0.0, part)

    def _light(self, canvas: Image, strength: float) -> None:
        """The light of the fire on ground and wall."""
        top, left, glow = self._glow
        h, w = glow.shape[:2]
        part = canvas[top : top + h, left : left + w]
        cv2.addWeighted(part, 1.0, glow, min(1.4, strength), 0.0, part)

    def _walk(self, canvas: Image, t_s: float) -> None:
        """Somebody walks through from the left, and has left before the flame is large."""
        age_s = (t_s + 1.5) % self.duration_s
        if age_s < 8.5:
            person = Person((118, 78, 48), height_m=1.75)
            x_m = -8.5 + age_s * 1.45
            z_m = 17.6 + 0.2 * age_s
            people.draw(canvas, CAMERA, person, x_m, z_m, age_s * people.STRIDES_HZ, 1.0)

    def _blow(self, canvas: Image, t_s: float) -> None:
        """Dead leaves over the ground."""
        for lane, start, speed, tone in self._leaves:
            share = (start + t_s * (0.04 + 0.06 * speed)) % 1.0
            x_m = -9.0 + 18.0 * share
            hop = abs(math.sin(t_s * (2.0 + 3.0 * speed) + start * 9.0)) * 0.16
            z_m = 9.0 + 10.0 * lane
            x, y = CAMERA.point(x_m, hop, z_m)
            side = 0.13 * CAMERA.focal / z_m
            turn = t_s * (3.0 + 5.0 * tone) + start * 6.0
            angles = turn + np.array((0.0, 2.0, 3.4))
            leaf = np.stack((x + np.cos(angles) * side, y + np.sin(angles) * side * 0.5), axis=1)
            polygon(canvas, leaf, shaded((44, 84, 116), 0.7 + 0.5 * tone))

    def _stir(self, canvas: Image, t_s: float) -> None:
        """Twigs of a tree that stands beside the camera."""
        wind = sum(math.sin(2 * math.pi * f * t_s + p) for f, p in GUSTS)
        for number, (x, y, picture, mask) in enumerate(self._twigs):
            sway = wind * (2.2 + 0.7 * number) + 1.4 * math.sin(t_s * 6.0 + number * 2.0)
            left = round(x + sway)
            top = round(y + 0.3 * sway)
            h, w = mask.shape
            cut_x, cut_y = max(0, -left), max(0, -top)
            part = canvas[top + cut_y : top + h, left + cut_x : left + w]
            cv2.copyTo(picture[cut_y:, cut_x:], mask[cut_y:, cut_x:], part)


def _yard(chance: np.random.Generator) -> Image:
    picture = blank()
    camera = CAMERA.fine
    sky(picture, 160, (150, 128, 108), (176, 164, 154), chance)
    for left, wide, tall, z in ((-40, 24, 15, 70), (-13, 20, 21, 78), (12, 30, 17, 66)):
        texture = buildings.facade(wide, tall, chance, shops=False)
        hazy = cv2.addWeighted(texture, 0.5, np.full_like(texture, 150), 0.42, 0.0)
        buildings.across(picture, camera, left, z, np.asarray(hazy, np.uint8))
    buildings.tree(picture, camera, 7.5, 26.0, 7.5, chance, (50, 92, 74))
    buildings.tree(picture, camera, -2.0, 27.0, 6.5, chance, (48, 86, 70))
    ground = Ground(picture, CAMERA, 150, chance)
    ground.fill((112, 116, 118))
    ground.joints(np.ones_like(ground.x, np.bool_), 3.0, 0.62, 60.0)
    ground.grain(8.0)
    ground.light(np.clip(1.0 - 0.16 * np.clip((ground.z - 15.0) / 6.0, 0.0, 1.0), 0.0, 1.0))
    ground.fill((158, 166, 168), (np.abs(ground.x + 6.1) < 0.06) & (ground.z < 18.0))
    ground.finish((160, 158, 156), 900.0)
    wall = buildings.brick(34.0, 3.1, chance)
    buildings.across(picture, camera, -12.0, WALL_M, wall)
    coping = np.full((6, wall.shape[1], 3), (132, 138, 142), np.uint8)
    corners = np.array(
        [(-12, 3.3, WALL_M), (22, 3.3, WALL_M), (22, 3.08, WALL_M), (-12, 3.08, WALL_M)]
    )
    buildings.stand(picture, camera, corners.astype(np.float64), coping)
    _shed(picture, camera, chance)
    _bins(picture, camera)
    _heap(picture, camera, chance)
    dusk = picture.astype(np.float32) * np.array((0.86, 0.82, 0.80), np.float32)
    return reduced(np.clip(dusk, 0, 255).astype(np.uint8))


def _shed(picture: Image, camera: Camera, chance: np.random.Generator) -> None:
    """A store with a shutter, to the left."""
    texture = buildings.brick(9.0, 5.2, chance, (104, 122, 138))
    m = buildings.PX_M
    texture[: round(0.5 * m)] = (96, 92, 88)
    door = texture[round(1.5 * m) :, round(4.2 * m) : round(8.2 * m)]
    slats = np.arange(door.shape[0]) % 9
    door[:] = (128, 122, 112)
    door[slats == 0] = (92, 88, 82)
    door[slats == 4] = (140, 134, 124)
    for x in (1.0, 2.6):
        texture[round(1.6 * m) : round(2.8 * m), round(x * m) : round((x + 1.1) * m)] = (72, 64, 58)
        texture[round(1.6 * m) : round(1.7 * m), round(x * m) : round((x + 1.1) * m)] = (
            150,
            150,
            148,
        )
    buildings.across(picture, camera, -14.0, 19.0, texture)
    side = cv2.convertScaleAbs(buildings.brick(2.6, 5.2, chance, (104, 122, 138)), alpha=0.6)
    corners = np.array([(-5, 5.2, 19.0), (-5, 5.2, WALL_M), (-5, 0, WALL_M), (-5, 0, 19.0)])
    buildings.stand(picture, camera, corners.astype(np.float64), np.asarray(side, np.uint8))


def _bins(picture: Image, camera: Camera) -> None:
    """Three wheeled bins along the wall."""
    colours: tuple[Colour, ...] = ((64, 92, 40), (64, 92, 40), (112, 74, 40))
    for x_m, colour in zip((4.9, 6.15, 7.4), colours, strict=True):
        z = 19.6
        foot = camera.project(
            np.array(
                [
                    (x_m - 0.5, 0.0, z),
                    (x_m + 1.2, 0.0, z),
                    (x_m + 1.5, 0.0, z + 0.5),
                    (x_m, 0, z + 0.5),
                ]
            )
        )
        shadow(picture, foot, 0.55, 8)
        body = [
            (x_m - 0.42, 0.12, z),
            (x_m + 0.42, 0.12, z),
            (x_m + 0.5, 1.12, z),
            (x_m - 0.5, 1.12, z),
        ]
        polygon(picture, camera.project(np.array(body)), colour)
        lit = [
            (x_m - 0.42, 0.12, z),
            (x_m - 0.2, 0.12, z),
            (x_m - 0.24, 1.12, z),
            (x_m - 0.5, 1.12, z),
        ]
        polygon(picture, camera.project(np.array(lit)), shaded(colour, 1.3))
        lid = [
            (x_m - 0.56, 1.1, z - 0.05),
            (x_m + 0.56, 1.1, z - 0.05),
            (x_m + 0.52, 1.3, z + 0.7),
            (x_m - 0.52, 1.3, z + 0.7),
        ]
        polygon(picture, camera.project(np.array(lid)), shaded(colour, 1.5))
        for side in (-0.3, 0.3):
            x, y = camera.point(x_m + side, 0.1, z)
            ellipse(picture, x, y, 0.1 * camera.focal / z, 0.1 * camera.focal / z, (30, 30, 30))


def _heap(picture: Image, camera: Camera, chance: np.random.Generator) -> None:
    """Bags, boxes, planks: what will burn."""
    x0, z0 = HEAP_M
    angles = np.linspace(0.0, 2 * np.pi, 30)
    spot = np.stack(
        (x0 + 0.35 + np.cos(angles) * 1.9, np.zeros(30), z0 + np.sin(angles) * 1.1), axis=1
    )
    shadow(picture, camera.project(spot), 0.5, 14)
    pieces: list[tuple[float, float, float, float, int]] = []
    for _ in range(34):
        x, z = chance.normal(x0, 0.62), chance.normal(z0, 0.38)
        rest = max(0.0, 1.0 - ((x - x0) / 1.3) ** 2) * 0.65
        pieces.append(
            (x, chance.uniform(0.0, rest), z, chance.uniform(0.22, 0.5), int(chance.integers(3)))
        )
    tones: tuple[Colour, ...] = (
        (50, 48, 46),
        (92, 122, 146),
        (120, 122, 120),
        (82, 104, 128),
        (44, 60, 52),
    )
    for x, y, z, side, kind in sorted(pieces, key=lambda p: (-p[2], p[1])):
        tone = shaded(tones[int(chance.integers(len(tones)))], float(chance.uniform(0.75, 1.15)))
        px, py = camera.point(x, y, z)
        m = camera.focal / z
        if kind == 0:  # a bag
            ellipse(
                picture,
                px,
                py - side * 0.35 * m,
                side * 0.55 * m,
                side * 0.42 * m,
                shaded(tone, 0.8),
            )
            ellipse(
                picture,
                px - 0.08 * m,
                py - side * 0.45 * m,
                side * 0.3 * m,
                side * 0.2 * m,
                shaded(tone, 1.3),
            )
        else:
            tilt = (
                float(chance.uniform(-0.5, 0.5)) if kind == 1 else float(chance.uniform(-1.2, 1.2))
            )
            long, thick = (side, side * 0.8) if kind == 1 else (side * 2.4, 0.1)
            axes = np.array([(math.cos(tilt), -math.sin(tilt)), (math.sin(tilt), math.cos(tilt))])
            square = np.array([(-0.5, -1.0), (0.5, -1.0), (0.5, 0.0), (-0.5, 0.0)])
            shape = (square * (long, thick)) @ axes * m + (px, py)
            polygon(picture, shape, tone)
            upper = (square * (long, thick * 0.35) - (0.0, thick * 0.65)) @ axes * m + (px, py)
            polygon(picture, upper, shaded(tone, 1.28))


def _glow(foot: tuple[int, int]) -> tuple[int, int, Image]:
    """The light a full flame throws, to be added: (top, left, picture)."""
    top, bottom = max(0, foot[1] - 250), min(HEIGHT, foot[1] + 150)
    left, right = max(0, foot[0] - 330), min(WIDTH, foot[0] + 330)
    y = np.arange(top, bottom, dtype=np.float32)[:, None] - foot[1]
    x = np.arange(left, right, dtype=np.float32)[None, :] - foot[0]
    middle = np.where(y > 0.0, 8.0, -70.0)
    reach = np.where(y > 0.0, 62.0, 118.0)
    near = np.exp(-((x / 165.0) ** 2) - ((y - middle) / reach) ** 2)
    edge = np.clip(1.0 - np.abs(x) / 328.0, 0.0, 1.0) * np.clip((bottom - foot[1] - y) / 40.0, 0, 1)
    edge *= np.clip((y + foot[1] - top) / 40.0, 0.0, 1.0)
    light = (near * np.clip(edge * 3.0, 0.0, 1.0))[..., None] * np.array(
        (12.0, 44.0, 92.0), np.float32
    )
    return top, left, light.astype(np.uint8)


def _burnt(yard: Image, foot: tuple[int, int]) -> tuple[int, int, Image]:
    """The place of the fire as it looks afterwards: (top, left, picture)."""
    top, left, h, w = foot[1] - 90, foot[0] - 130, 130, 260
    part = yard[top : top + h, left : left + w].astype(np.float32)
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    dark = np.exp(-(((x - w / 2) / 78.0) ** 2) - ((y - 76.0) / 34.0) ** 2)[..., None]
    return top, left, (part * (1.0 - 0.78 * np.minimum(1.0, dark * 1.25))).astype(np.uint8)


def _twigs(chance: np.random.Generator) -> list[tuple[int, int, Image, Image]]:
    """Bunches of leaves in the upper left corner: (x, y, picture, mask)."""
    bunches = []
    for x, y, w, h in ((-24, -30, 210, 120), (110, -34, 170, 84), (-30, 66, 130, 120)):
        mask = np.zeros((h * FINE, w * FINE), np.uint8)
        picture = np.zeros((h * FINE, w * FINE, 3), np.uint8)
        for light, count in ((0.5, 190), (0.8, 170), (1.1, 80)):
            for _ in range(count):
                angle, reach = chance.uniform(0, 2 * np.pi), chance.uniform(0, 1) ** 0.55
                px = (0.5 + 0.42 * math.cos(angle) * reach) * w * FINE
                py = (0.5 + 0.42 * math.sin(angle) * reach) * h * FINE
                turn = chance.uniform(0.0, 180.0)
                at, axes = (round(px), round(py)), (round(chance.uniform(9, 16)), 5)
                tone = shaded((42, 84, 62), light * float(chance.uniform(0.85, 1.1)))
                cv2.ellipse(mask, at, axes, turn, 0, 360, 255, -1, cv2.LINE_AA)
                cv2.ellipse(picture, at, axes, turn, 0, 360, tone, -1, cv2.LINE_AA)
        small = cv2.resize(picture, (w, h), interpolation=cv2.INTER_AREA)
        cover = cv2.resize(mask, (w, h), interpolation=cv2.INTER_AREA)
        bunches.append((x, y, np.asarray(small, np.uint8), np.asarray(cover, np.uint8)))
    return bunches
