"""A fire and its smoke: rising turbulence, coloured by heat. Nothing in it repeats or stands still.

Heat is the shape of the fire minus a turbulence that rises through it; where the difference is
thin the colour is deep red, in the core pale yellow, as soot glows at 1,100 to 1,700 K. Gusts of
2 to 12 Hz make it pulse, as buoyant flames of this size do (about 1.5 / sqrt(diameter) Hz and
harmonics; Cetegen and Ahmed, 1993).
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from detectors.kit.types import Image
from edge.scenes.drawing import HEIGHT, WIDTH, Plane, blend, turbulence, window

# heat 0..1 -> colour and how much it hides what is behind
_HEAT = (0.0, 0.10, 0.30, 0.52, 0.75, 1.0)
_BLUE = (2.0, 8.0, 18.0, 34.0, 110.0, 208.0)
_GREEN = (6.0, 34.0, 96.0, 172.0, 234.0, 252.0)
_RED = (30.0, 150.0, 240.0, 255.0, 255.0, 255.0)
_HIDES = (0.0, 0.55, 0.9, 0.98, 1.0, 1.0)
_PULSES = ((2.1, 0.10), (3.4, 0.07), (5.3, 0.06), (7.9, 0.05), (11.3, 0.04))  # Hz, share
_COARSE = 2  # pixels of the picture to one of the flame, whose edges are soft


class Flames:
    """The flame itself, standing on one place of the picture."""

    def __init__(self, chance: np.random.Generator, foot: tuple[int, int]) -> None:
        """foot: (x, y) of its middle on the ground, pixels."""
        self._foot = foot
        self._wide = np.tile(turbulence(chance, 256, (9, 18)), (2, 2))
        self._fine = np.tile(turbulence(chance, 256, (20, 41)), (2, 2))
        self._phases = chance.uniform(0.0, 2.0 * math.pi, len(_PULSES))
        steps = np.linspace(0.0, 1.0, 256)
        hides = np.interp(steps, _HEAT, _HIDES)
        ramps = [np.interp(steps, _HEAT, ramp) * hides for ramp in (_BLUE, _GREEN, _RED)]
        self._colours = np.stack(ramps, axis=1)[:, None, :].astype(np.uint8)
        self._hides = np.repeat((hides * 255.0)[:, None, None], 3, axis=2).astype(np.uint8)
        self._sparks = chance.uniform(0.0, 1.0, (26, 4))

    def pulse(self, t_s: float) -> float:
        """Its brightness and height against the mean, about 0.7 to 1.3."""
        waves = zip(_PULSES, self._phases, strict=True)
        return 1.0 + sum(a * math.sin(2 * math.pi * f * t_s + p) for (f, a), p in waves)

    def draw(self, picture: Image, t_s: float, width: float, height: float) -> None:
        """Burn. width, height: of the mean flame, pixels."""
        pulse = self.pulse(t_s)
        h, w = max(12, round(height * 1.45 / _COARSE)), max(10, round(width * 1.5 / _COARSE))
        heat = self._heat(t_s, h, w, width, height * (0.6 + 0.4 * pulse))
        index = np.clip(heat * 255.0, 0, 255).astype(np.uint8)
        large = cv2.resize(index, (w * _COARSE, h * _COARSE), interpolation=cv2.INTER_CUBIC)
        left = self._foot[0] - w * _COARSE // 2
        top = self._foot[1] - h * _COARSE
        cut = max(0, -top)
        three = cv2.merge([large[cut:]] * 3)
        part = picture[top + cut : self._foot[1], left : left + w * _COARSE]
        blend(
            part,
            np.asarray(cv2.LUT(three, self._colours), np.uint8),
            np.asarray(cv2.LUT(three, self._hides), np.uint8),
        )
        self._fly(picture, t_s, width, height)

    def _heat(self, t_s: float, h: int, w: int, width: float, height: float) -> Plane:
        up = np.linspace(h * _COARSE, 0.0, h, dtype=np.float32)[:, None] / np.float32(height)
        across = np.linspace(-0.5, 0.5, w, dtype=np.float32)[None, :] * (
            w * _COARSE / np.float32(width)
        )
        rise = t_s * 118.0  # coarse pixels a second; flames of a metre or two rise at 2 to 4 m/s
        wide = window(self._wide, rise * 0.62, t_s * 11.0, h, w)
        fine = window(self._fine, rise * 1.06, 97.0 - t_s * 17.0, h, w)
        sway = 0.07 * np.sin(t_s * 5.1 - up * 3.2) + 0.05 * np.sin(t_s * 8.7 - up * 6.0 + 1.0)
        lean = 0.10 * up + sway * up
        middle = across - lean + (0.03 + 0.10 * np.minimum(up, 1.2)) * wide
        up = up - 0.16 * (2.0 * across) ** 2 - 0.05 * fine * np.abs(across)  # a bed, not a table
        # a broad bed that draws together to a tongue
        half = (
            0.47 * np.clip(1.0 - up, 0.0, 1.0) ** 0.7 * (0.75 + 0.9 * np.clip(up, 0.0, 0.25)) + 0.05
        )
        body = 1.0 - (middle / half) ** 2
        strength = 1.12 - 0.95 * up
        rough = (0.34 + 0.46 * np.clip(up, 0.0, 1.0)) * (0.58 * wide + 0.46 * fine)
        heat = np.minimum(body, 0.9) * strength + rough * 0.72 - 0.08
        heat *= np.clip(body * 3.0 + 0.6, 0.0, 1.0)
        heat *= np.clip(up * 11.0 + 0.3, 0.0, 1.0)  # its foot is dim: fuel, not flame
        return np.asarray(heat, np.float32)

    def _fly(self, picture: Image, t_s: float, width: float, height: float) -> None:
        """Sparks that rise out of it, each again and again."""
        for begin, speed, aside, bend in self._sparks:
            age = (t_s * (0.35 + 0.4 * speed) + begin) % 1.0
            x = self._foot[0] + (aside - 0.5) * width * 0.7
            x += (0.25 + 0.3 * math.sin(bend * 40.0 + age * 6.0)) * age * width
            y = self._foot[1] - height * (0.35 + 1.5 * age)
            if 0 <= x < WIDTH - 2 and 0 <= y < HEIGHT - 2 and age < 0.85:
                fade = 1.0 - age
                picture[int(y) : int(y) + 2, int(x) : int(x) + 1] = (
                    40 * fade,
                    60 + 120 * fade,
                    120 + 135 * fade,
                )


class Smoke:
    """A plume that rises, widens and drifts with the wind, to the right."""

    def __init__(self, chance: np.random.Generator, foot: tuple[int, int], reach: int) -> None:
        """foot: (x, y) where it leaves the fire, pixels. reach: how far it drifts, pixels."""
        self._coarse = 4
        self._foot = foot
        left, right = max(0, foot[0] - 150), min(WIDTH, foot[0] + reach)
        self._left, self._right, self._bottom = left, right, min(HEIGHT, foot[1] + 12)
        h, w = self._bottom // self._coarse, (right - left) // self._coarse
        self._shape = h, w
        self._wide = np.tile(turbulence(chance, 256, (6, 12, 24, 48)), (2, 2))
        self._puffs = np.tile(turbulence(chance, 256, (14, 28, 56)), (2, 2))
        up = np.linspace(1.0, 0.0, h, dtype=np.float32)[:, None] * np.float32(
            self._bottom / foot[1]
        )
        x = left + (np.arange(w, dtype=np.float32)[None, :] + 0.5) * self._coarse - foot[0]
        self._up = up
        self._x = x
        self._axis = reach * 0.62 * up**1.5
        self._half = 26.0 + 0.42 * reach * up**0.9

    def draw(self, picture: Image, t_s: float, density: float, grey: int, light: float) -> None:
        """Lay it over the picture. density: 0..1; light: of the fire below, 0..1."""
        h, w = self._shape
        wide = window(self._wide, t_s * 11.0, -t_s * 3.0, h, w)
        puffs = window(self._puffs, t_s * 19.0, -t_s * 6.0, h, w)
        wave = 16.0 * np.sin(t_s * 0.8 - self._up * 5.0) * self._up
        off = (self._x - self._axis - wave + 26.0 * wide * self._up) / self._half
        body = np.clip(1.0 - off * off, 0.0, 1.0)
        thick = np.sqrt(body) * np.clip(0.95 + 0.36 * wide + 0.34 * puffs, 0.0, 1.4)
        thin = np.clip(1.15 - 0.55 * self._up, 0.3, 1.0)
        alpha = np.clip(thick * thin * density, 0.0, 0.93).astype(np.float32)
        tone = np.clip(grey + 26.0 * puffs + 20.0 * wide - 14.0 * off, 12.0, 235.0)
        glow = (light * np.clip(1.0 - self._up * 2.6, 0.0, 1.0)).astype(np.float32)
        small = np.empty((h, w, 4), np.float32)
        small[..., 0] = (tone + 4.0 - 20.0 * glow) * alpha
        small[..., 1] = (tone + 30.0 * glow) * alpha
        small[..., 2] = (tone + 2.0 + 95.0 * glow) * alpha
        small[..., 3] = alpha * 255.0
        eight = np.clip(small, 0.0, 255.0).astype(np.uint8)
        size = (self._right - self._left, self._bottom)
        large = cv2.resize(eight, size, interpolation=cv2.INTER_LINEAR)
        colour = cv2.cvtColor(large, cv2.COLOR_BGRA2BGR)
        hides = cv2.cvtColor(cv2.extractChannel(large, 3), cv2.COLOR_GRAY2BGR)
        part = picture[: self._bottom, self._left : self._right]
        blend(part, np.asarray(colour, np.uint8), np.asarray(hides, np.uint8))
