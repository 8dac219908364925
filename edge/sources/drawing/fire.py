"""A skip in a yard that catches fire after a quiet beginning, with smoke."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.geometry import Box
from detectors.kit.types import Image
from edge.sources.drawing import paint
from edge.sources.drawing.paint import HEIGHT, WIDTH, Noise
from edge.sources.drawing.truth import Span, Truth

Plane = NDArray[np.float32]

FPS = 15.0
STARTS_S, OUT_S = 4.0, 62.0
FOOT = (392, 258)  # pixels: the middle of the fire's foot
FULL = (96, 132)  # pixels: its width and height when it burns fully
GROWS_S = 14.0  # time to burn fully
CATCHES = 0.45  # its size, as a share, within a second of starting

# Heat 0..1 -> colour of soot glowing from about 1,100 to 1,700 K as a camera shows it
_HEAT = (0.0, 0.25, 0.5, 0.75, 1.0)
_BLUE = (10.0, 14.0, 24.0, 66.0, 150.0)
_GREEN = (20.0, 62.0, 132.0, 208.0, 246.0)
_RED = (90.0, 214.0, 250.0, 255.0, 255.0)


class Fire:
    """Quiet for four seconds, then a fire that grows, flickers, and is put out."""

    def __init__(self, seed: int = 2) -> None:
        self.period_s = 90.0
        chance = np.random.default_rng(seed)
        self._yard = _yard(chance)
        self._noise = Noise(chance)
        self._coarse = _turbulence(chance, 9)
        self._fine = _turbulence(chance, 4)
        steps = np.linspace(0.0, 1.0, 256)
        ramps = [np.interp(steps, _HEAT, c) for c in (_BLUE, _GREEN, _RED)]
        self._colours = np.stack(ramps, axis=1).astype(np.float32)

    def draw(self, t: float, picture: Image) -> None:
        """The yard at second `t`."""
        np.copyto(picture, self._yard)
        size = self._size(t)
        if size > 0.0:
            self._smoke(picture, t, size)
            self._glow(picture, t, size)
            self._flames(picture, t, size)
        self._noise.add(picture, round(t * FPS))

    def truth(self) -> Truth:
        """The flame and the smoke."""
        w, h = FULL
        box = Box.from_pixels(FOOT[0] - w / 2, FOOT[1] - h, w, h, WIDTH, HEIGHT)
        smoke = Box.from_pixels(FOOT[0] - 90, 0, 180, FOOT[1] - h / 2, WIDTH, HEIGHT)
        return Truth(
            (Span("flame", STARTS_S, OUT_S, box), Span("smoke", STARTS_S, OUT_S + 3.0, smoke))
        )

    def _size(self, t: float) -> float:
        if not STARTS_S <= t < OUT_S:
            return 0.0
        grown = min(1.0, (t - STARTS_S) / GROWS_S)
        caught = min(1.0, t - STARTS_S)
        return caught * (CATCHES + (1.0 - CATCHES) * grown) * min(1.0, (OUT_S - t) / 3.0)

    def _flames(self, picture: Image, t: float, size: float) -> None:
        w, h = max(8, round(FULL[0] * size)), max(10, round(FULL[1] * size))
        rise = round(t * 78.0)  # pixels: flames of this size rise at 1 to 2 m/s
        rough = 0.6 * _part(self._coarse, rise, round(t * 13.0), h, w)
        rough += 0.4 * _part(self._fine, round(t * 121.0), 64 - round(t * 9.0), h, w)
        up = np.linspace(1.0, 0.0, h, dtype=np.float32)[:, None]  # 1 at the tip
        across = np.linspace(-1.0, 1.0, w, dtype=np.float32)[None, :]
        sway = 0.25 * np.sin(t * 7.0 + up * 4.0) * up
        body = 1.0 - np.abs(across - sway) / np.maximum(0.12, 1.0 - 0.75 * up)
        heat = 1.45 * np.clip(body, 0.0, 1.0) * (1.15 - 0.75 * up) + 0.9 * rough - 0.45 * up
        heat = np.where(body > 0.0, heat - 0.12, 0.0)
        alpha = np.clip((heat - 0.18) * 4.0, 0.0, 1.0).astype(np.float32)[:, :, None]
        colour = self._colours[(np.clip(heat, 0.0, 1.0) * 255).astype(np.uint8)]
        x, y = FOOT[0] - w // 2, FOOT[1] - h
        part = picture[y : y + h, x : x + w]
        part[:] = (part * (1.0 - alpha) + colour * alpha).astype(np.uint8)

    def _glow(self, picture: Image, t: float, size: float) -> None:
        """The light of the fire on the ground around it."""
        reach = round(90 * size)
        flicker = 0.8 + 0.2 * float(np.sin(t * 11.0))
        part = picture[FOOT[1] - 10 : FOOT[1] + reach // 2, FOOT[0] - reach : FOOT[0] + reach]
        down = np.linspace(1.0, 0.0, part.shape[0], dtype=np.float32)[:, None]
        across = 1.0 - np.abs(np.linspace(-1.0, 1.0, part.shape[1], dtype=np.float32))[None, :]
        light = (down * across * flicker * 60.0 * size)[:, :, None] * np.array([0.1, 0.45, 1.0])
        part[:] = np.clip(part + light, 0, 255).astype(np.uint8)

    def _smoke(self, picture: Image, t: float, size: float) -> None:
        top, bottom = 0, FOOT[1] - round(FULL[1] * size * 0.6)
        h, w = bottom - top, 220
        rough = _part(self._coarse, round(t * 34.0), round(t * 6.0), h // 2, w // 2)
        rough = np.asarray(cv2.resize(rough, (w, h)), np.float32)
        up = np.linspace(1.0, 0.0, h, dtype=np.float32)[:, None]
        across = np.linspace(-1.0, 1.0, w, dtype=np.float32)[None, :]
        drift = 0.35 * up + 0.08 * np.sin(t * 0.9 + up * 5.0)
        body = np.clip(1.0 - np.abs(across - drift) / (0.22 + 0.5 * up), 0.0, 1.0)
        alpha = (0.85 * body * np.clip(0.35 + rough, 0.0, 1.0) * (1.0 - 0.5 * up) * size)[
            :, :, None
        ]
        x = FOOT[0] - w // 2
        part = picture[top:bottom, x : x + w]
        part[:] = (part * (1.0 - alpha) + np.float32(88.0) * alpha).astype(np.uint8)


def _turbulence(chance: np.random.Generator, grain: int) -> Plane:
    """A smooth random field that repeats every 256 x 256 pixels, about -0.5..0.5."""
    small = chance.uniform(-1.0, 1.0, (256 // grain, 256 // grain)).astype(np.float32)
    tiled = np.tile(small, (3, 3))
    smooth = cv2.resize(tiled, (768, 768), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(np.tile(smooth[256:512, 256:512], (2, 2)))


def _part(field: Plane, y: int, x: int, h: int, w: int) -> Plane:
    y, x = y % 256, x % 256
    return field[y : y + h, x : x + w]


def _yard(chance: np.random.Generator) -> Image:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    paint.gradient(picture, 0, 178, (168, 150, 132), (192, 184, 176))
    for x, top, w in ((0, 30, 150), (152, 52, 110), (470, 24, 170)):
        paint.building(picture, x, top, w, 178, paint.plaster(chance), chance)
    paint.rectangle(picture, 262, 96, 208, 82, (92, 98, 104))  # a hall
    for x in range(262, 470, 16):
        paint.rectangle(picture, x, 96, 2, 82, (78, 84, 90))
    paint.rectangle(picture, 300, 122, 60, 56, (66, 70, 76))
    paint.gradient(picture, 178, HEIGHT, (112, 116, 118), (82, 86, 88))
    ground = np.zeros((HEIGHT, WIDTH), np.bool_)
    ground[178:] = True
    paint.texture(picture, ground, chance, 5.0)
    for x in (60, 130, 200):
        paint.polygon(
            picture, [(x, 300), (x + 4, 300), (x - 26, 359), (x - 32, 359)], (176, 178, 180)
        )
    x, y = FOOT
    paint.ellipse(picture, x, y + 30, 92, 10, (62, 64, 66))
    paint.polygon(
        picture,
        [(x - 84, y - 6), (x + 84, y - 6), (x + 66, y + 34), (x - 66, y + 34)],
        (84, 76, 52),
    )
    paint.polygon(
        picture,
        [(x - 78, y - 6), (x + 78, y - 6), (x + 60, y - 14), (x - 60, y - 14)],
        (40, 42, 44),
    )
    for k in range(-3, 4):
        paint.rectangle(picture, x + k * 20 - 1.5, y - 4, 3, 36, (70, 62, 42))
    return picture
