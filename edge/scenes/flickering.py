"""Lights that flicker as flames do and are none: advertising, a fair, a wet road, sun in leaves."""

from __future__ import annotations

import math

import cv2
import numpy as np

from detectors.kit.types import Image
from edge.scenes.lights import Draw, Maker, block, glow, seen, slide, tiled

_WARM = ((20, 40, 235), (10, 90, 255), (30, 160, 255), (90, 215, 255), (150, 235, 255))
_COLD = ((255, 120, 20), (230, 230, 235), (60, 220, 60), (200, 40, 200))


def screens(chance: np.random.Generator, backdrop: Image) -> Draw:
    """Large screens by night with films, cuts and flashes in red, orange and white."""
    h, w = backdrop.shape[:2]
    night = backdrop.astype(np.float32) * float(chance.uniform(0.05, 0.45))
    panels = []
    for _ in range(int(chance.integers(1, 5))):
        left, top = chance.uniform(0.0, 0.75, 2) * (w, 0.8 * h)
        wide, tall = chance.uniform((0.12, 0.08), (0.5, 0.45)) * (w, h)
        bent = tiled(chance, (3, 7, 15), stretch=int(chance.integers(1, 3)))
        hot = np.array(_WARM[int(chance.integers(5))], np.float32)
        other = np.array((*_WARM, *_COLD)[int(chance.integers(9))], np.float32)
        film = int(chance.integers(4))
        every_s = float(chance.choice((0.1, 0.25, 0.6, 2.0)))
        box = int(left), int(top), max(4, int(wide)), max(4, int(tall))
        panels.append((box, bent, hot, other, film, every_s, int(chance.integers(1 << 30))))
    bloom = float(chance.uniform(0.0, 0.5))

    def draw(t_s: float) -> Image:
        shown = night.copy()
        for (x, y, wide, tall), bent, hot, other, film, every_s, seed in panels:
            step = np.random.default_rng((seed, int(t_s / every_s)))
            pace = 240.0 * t_s if film == 0 else 20.0 * t_s
            field = slide(bent, pace + 90.0 * step.random(), 0.3 * pace, tall, wide)[..., None]
            share = np.clip(0.5 + 0.6 * field, 0.0, 1.0)
            if film == 1:  # cuts between plain colours
                share = np.full_like(share, step.random())
            elif film == 2:  # bars
                share = np.round(share)
            light = (hot * share + other * (1.0 - share)) * float(step.uniform(0.5, 1.3))
            if film == 3 and step.random() < 0.4:  # a flash
                light = light + 160.0
            part = shown[y : y + tall, x : x + wide]
            part[:] = light[: part.shape[0], : part.shape[1]]
            under = shown[y + tall : y + 2 * tall, x : x + wide]
            under += 0.35 * light[::-1][: under.shape[0], : under.shape[1]]
        if bloom:
            shown = shown + bloom * cv2.GaussianBlur(shown, (0, 0), 9.0)
        return seen(shown)

    return draw


def fairground(chance: np.random.Generator, backdrop: Image) -> Draw:
    """Wheels and rows of coloured bulbs that chase and turn, by night."""
    h, w = backdrop.shape[:2]
    night = backdrop.astype(np.float32) * float(chance.uniform(0.04, 0.35))
    middle = chance.uniform((0.2, 0.2), (0.8, 0.8)) * (w, h)
    reach = float(chance.uniform(0.1, 0.45)) * h
    count, rings = int(chance.integers(8, 26)), int(chance.integers(1, 4))
    size = float(chance.uniform(0.006, 0.03)) * h
    turns, chases = float(chance.normal(0.0, 0.25)), float(chance.uniform(1.0, 9.0))
    pick = (*_WARM, *_WARM, *_COLD)
    colours = [np.array(pick[int(n)], np.float32) for n in chance.integers(0, len(pick), 5)]
    row = chance.random() < 0.4
    halo = float(chance.uniform(1.5, 4.0))

    def draw(t_s: float) -> Image:
        shown = night.copy()
        for ring in range(rings):
            for number in range(count):
                lit = 0.5 + 0.5 * math.sin(2.0 * math.pi * (number / 4.0 - chases * t_s))
                if row:
                    at = (w * (number + 0.5) / count, middle[1] + 5.0 * size * ring)
                else:
                    angle = 2.0 * math.pi * (number / count + turns * t_s)
                    far = reach * (1.0 - 0.28 * ring)
                    at = (middle[0] + far * math.cos(angle), middle[1] + far * math.sin(angle))
                glow(shown, at, size, colours[(number + ring) % 5] * lit, halo)
        return seen(shown)

    return draw


def wet_road(chance: np.random.Generator, backdrop: Image) -> Draw:
    """Lamps and their long, torn reflections on a wet road that cars and rain disturb."""
    h, w = backdrop.shape[:2]
    night = backdrop.astype(np.float32) * float(chance.uniform(0.05, 0.4))
    horizon = int(chance.uniform(0.25, 0.6) * h)
    lamps = np.zeros_like(night)
    for _ in range(int(chance.integers(2, 9))):
        at = (float(chance.uniform(0.0, w)), float(chance.uniform(0.3, 1.0)) * horizon)
        colour = np.array(_WARM[int(chance.integers(5))], np.float32)
        glow(lamps, at, float(chance.uniform(0.006, 0.035)) * h, colour, 3.0)
    streaks = cv2.GaussianBlur(lamps[:horizon][::-1], (0, 0), 1.0, sigmaY=0.07 * h)
    deep = np.asarray(cv2.resize(streaks, (w, h - horizon)), np.float32)
    deep *= float(chance.uniform(1.5, 6.0))
    torn = tiled(chance, (9, 21, 43), stretch=4)
    pace, rough = float(chance.uniform(4.0, 60.0)), float(chance.uniform(0.3, 1.0))

    def draw(t_s: float) -> Image:
        shown = night + lamps
        ripples = slide(torn, pace * t_s, 0.4 * pace * t_s, h - horizon, w)[..., None]
        shown[horizon:] += deep * np.clip(0.7 + rough * ripples, 0.0, 2.0)
        return seen(shown)

    return draw


def sun_in_leaves(chance: np.random.Generator, backdrop: Image) -> Draw:
    """A low sun behind branches and leaves in the wind: it glitters orange, and goes out."""
    h, w = backdrop.shape[:2]
    light = chance.uniform((60, 110, 190), (190, 215, 255)) * chance.uniform(0.35, 1.0)
    sky = np.full((h, w, 3), light, np.float32)
    at = (float(chance.uniform(0.2, 0.8)) * w, float(chance.uniform(0.2, 0.8)) * h)
    colour = np.array(chance.uniform((20, 130, 235), (160, 230, 255)), np.float32)
    glow(sky, at, float(chance.uniform(0.03, 0.12)) * h, colour, float(chance.uniform(2.0, 7.0)))
    fine, wide = tiled(chance, (30, 61)), tiled(chance, (5, 11))
    cover, beat = float(chance.uniform(-0.7, 0.5)), float(chance.uniform(0.7, 3.0))
    leaf = np.array(chance.uniform((5, 12, 8), (35, 70, 60)), np.float32)
    trunk, thick = float(chance.uniform(0.0, w)), float(chance.uniform(0.0, 0.05)) * w
    ground = round(float(chance.uniform(0.7, 1.2)) * h)

    def draw(t_s: float) -> Image:
        sway = 6.0 * math.sin(beat * t_s) + 3.0 * math.sin(2.7 * beat * t_s)
        crown = slide(wide, 60.0, 60.0 + 0.5 * sway, h, w) + 0.7 * slide(
            fine, 60.0 + 0.4 * sway, 60.0 + sway, h, w
        )
        hides = np.clip(3.0 * (crown - cover), 0.0, 1.0)[..., None]
        shown = sky * (1.0 - hides) + leaf * hides
        block(shown, trunk, 0.0, thick, float(h), leaf)
        shown[ground:] = 0.35 * backdrop[ground:]
        return seen(shown)

    return draw


FLICKERING: dict[str, Maker] = {
    "flashing screens": screens,
    "fairground": fairground,
    "wet road": wet_road,
    "sun in leaves": sun_in_leaves,
}
