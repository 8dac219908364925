"""What fire detectors take for fire: sunset, lamps, brake lights, screens, vests, fog, clouds.

Each is drawn over any backdrop, moves as such things move, and holds neither flame nor smoke. They
teach the verifier of `detectors/kit/verifier.py` and test it, with other seeds.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from detectors.kit.types import Image
from edge.scenes.flickering import FLICKERING
from edge.scenes.lights import Draw, Maker, block, glow, seen, slide, tiled


def sunset(chance: np.random.Generator, backdrop: Image) -> Draw:
    """An orange sky with the sun in it, over a dark land or over water that glitters."""
    h, w = backdrop.shape[:2]
    horizon = float(chance.uniform(0.45, 0.8))
    y = np.linspace(0.0, 1.0, h, dtype=np.float32)[:, None, None]
    top, low = (
        chance.uniform((40, 30, 60), (150, 110, 210)),
        chance.uniform((10, 70, 215), (110, 190, 255)),
    )
    share = np.clip(y / horizon, 0.0, 1.0) ** float(chance.uniform(0.6, 2.0))
    sky = (top + (low - top) * share) * np.ones((1, w, 1), np.float32)
    sun = (float(chance.uniform(0.1, 0.9)) * w, float(chance.uniform(0.5, 1.02)) * horizon * h)
    glow(sky, sun, float(chance.uniform(0.04, 0.13)) * h, (120.0, 225.0, 255.0), 2.6)
    streaks = tiled(chance, (4, 12), stretch=4)
    clouds = tiled(chance, (5, 11, 23), stretch=3)
    pace = float(chance.uniform(0.5, 9.0))
    below = y[:, 0, 0] > horizon
    water = bool(chance.random() < 0.6)
    land = cv2.GaussianBlur(backdrop, (0, 0), 1.0).astype(np.float32) * chance.uniform(
        (0.1, 0.1, 0.15), (0.25, 0.35, 0.55)
    )

    def draw(t_s: float) -> Image:
        veil = slide(clouds, t_s * 0.4, t_s * pace, h, w)[..., None]
        shown = sky * (1.0 - 0.12 * np.clip(veil, -1.5, 2.0))
        if water:
            glitter = slide(streaks, t_s * 31.0, t_s * 7.0, h, w)[..., None]
            mirrored = shown[::-1] * (0.55 + 0.28 * glitter)
            shown[below] = mirrored[below]
        else:
            shown[below] = land[below]
        return seen(shown)

    return draw


def sodium_lamps(chance: np.random.Generator, backdrop: Image) -> Draw:
    """Street lamps by night with halos on the road, now and then in snow or rain; one may blink."""
    h, w = backdrop.shape[:2]
    night = backdrop.astype(np.float32) * chance.uniform((0.08, 0.12, 0.15), (0.3, 0.4, 0.5))
    lamps = np.zeros_like(night)
    colour = np.array(chance.uniform((20, 120, 225), (140, 215, 255)), np.float32)
    for _ in range(int(chance.integers(1, 7))):
        at = (float(chance.uniform(0.0, 1.0)) * w, float(chance.uniform(0.05, 0.7)) * h)
        size = float(chance.uniform(0.008, 0.06)) * h
        glow(lamps, at, size, colour, float(chance.uniform(2.0, 7.0)))
    blinks = float(chance.uniform(0.5, 9.0)) if chance.random() < 0.3 else 0.0
    fall = float(chance.uniform(0.3, 0.9)) if chance.random() < 0.5 else 0.0
    flakes = chance.uniform(0.0, 1.0, (160, 3))

    def draw(t_s: float) -> Image:
        on = 1.0 if not blinks or math.sin(t_s * blinks * 6.0) > -0.6 else 0.25
        shown = night + lamps * np.float32(on)
        if fall:
            for x, y, pace in flakes:
                row = int((y + t_s * fall * (0.5 + pace)) % 1.0 * h)
                column = int((x + 0.02 * math.sin(t_s * 3.0 + pace * 9.0)) % 1.0 * w)
                shown[row : row + 2, column : column + 2] += 20.0 + 0.35 * shown[row, column]
        return seen(shown)

    return draw


def brake_lights(chance: np.random.Generator, backdrop: Image) -> Draw:
    """Cars from behind or ahead at dusk: pairs of red, amber or white lamps that move and blink."""
    h, w = backdrop.shape[:2]
    dusk = backdrop.astype(np.float32) * float(chance.uniform(0.15, 0.8))
    cars = []
    for _ in range(int(chance.integers(1, 6))):
        wide = float(chance.uniform(0.05, 0.3)) * w
        start = chance.uniform((0.0, 0.3), (0.9, 0.9)) * (w, h)
        pace = chance.normal(0.0, 0.10, 2) * (w, h) * (chance.random() < 0.8)
        paint = chance.uniform(10, 200) * np.ones(3) + chance.normal(0, 25, 3)
        lamps = ((10, 20, 255), (30, 140, 255), (215, 240, 255), (40, 60, 235))
        lamp = np.array(lamps[int(chance.integers(4))], np.float32)
        cars.append((start, pace, wide, paint, lamp, float(chance.choice((0.0, 0.0, 1.5, 2.0)))))

    def draw(t_s: float) -> Image:
        shown = dusk.copy()
        for start, pace, wide, paint, lamp, blinks in cars:
            x, y = (start + pace * t_s) % (w * 1.2, h * 1.1)
            block(shown, x, y, wide, 0.7 * wide, paint)
            block(shown, x + 0.1 * wide, y + 0.05 * wide, 0.8 * wide, 0.25 * wide, 40.0)
            if blinks and (t_s * blinks) % 1.0 < 0.5:
                continue
            for side in (0.1, 0.9):
                glow(shown, (x + side * wide, y + 0.48 * wide), 0.05 * wide + 1.0, lamp, 3.0)
        return seen(shown)

    return draw


def led_board(chance: np.random.Generator, backdrop: Image) -> Draw:
    """A screen or sign by night or day: warm fields, pictures and letters that change or scroll."""
    h, w = backdrop.shape[:2]
    shown_at = backdrop.astype(np.float32) * float(chance.uniform(0.15, 0.9))
    left, top = int(chance.uniform(0.0, 0.5) * w), int(chance.uniform(0.0, 0.5) * h)
    wide, tall = int(chance.uniform(0.2, 0.5) * w), int(chance.uniform(0.15, 0.5) * h)
    palette = chance.uniform((0, 0, 120), (120, 210, 255), (6, 3)).astype(np.float32)
    palette[0] = chance.uniform(0.0, 40.0)
    every_s = float(chance.choice((0.15, 0.4, 1.0, 3.0)))
    cells = int(chance.integers(2, 15))
    scroll = float(chance.choice((0.0, 0.2, 0.6)))
    words = "".join(chr(65 + int(c)) for c in chance.integers(0, 26, 14))
    seed = int(chance.integers(1 << 30))
    mode = int(chance.integers(4))
    tint = chance.uniform((0.2, 0.4, 0.9), (0.9, 1.1, 1.6)).astype(np.float32)
    scenes = [cv2.flip(backdrop, way).astype(np.float32) * tint for way in (-1, 0, 1)]
    warm = tiled(chance, (4, 9, 19))

    def draw(t_s: float) -> Image:
        screen = np.empty((tall, wide, 3), np.float32)
        step = np.random.default_rng((seed, int(t_s / every_s)))
        if mode == 0:
            grid = palette[step.integers(0, 6, (cells, cells))]
            screen[:] = cv2.resize(grid, (wide, tall), interpolation=cv2.INTER_NEAREST)
        elif mode == 1:
            screen[:] = palette[int(step.integers(6))]
            x = round(wide * (0.1 - (t_s * scroll) % 1.0))
            letters = np.zeros((tall, wide), np.uint8)
            cv2.putText(letters, words, (x, round(tall * 0.7)), 0, tall / 40.0, 255, 2)
            screen[letters > 127] = (60.0, 200.0, 255.0)
        elif mode == 2:  # a film, cut every few moments
            pick = scenes[int(step.integers(3))]
            zoom = 0.4 + 0.6 * ((0.07 * t_s) % 1.0)
            part = pick[: max(2, int(h * zoom)), : max(2, int(w * zoom))]
            screen[:] = cv2.resize(part, (wide, tall), interpolation=cv2.INTER_AREA)
        else:
            field = slide(warm, t_s * 9.0, t_s * 40.0 * scroll, tall, wide)[..., None]
            screen[:] = palette[1] + field * 0.3 * palette[2]
        shown = shown_at.copy()
        shown[top : top + tall, left : left + wide] = screen[: h - top, : w - left]
        mirrored = screen[::-1] * 0.3  # on a wet road
        below = shown[top + tall : top + 2 * tall, left : left + wide]
        below += mirrored[: below.shape[0], : below.shape[1]]
        return seen(shown)

    return draw


def vests(chance: np.random.Generator, backdrop: Image) -> Draw:
    """Hi-vis people, orange cones and machines that move through the picture by day."""
    h, w = backdrop.shape[:2]
    people = []
    for _ in range(int(chance.integers(1, 7))):
        tall = float(chance.uniform(0.1, 0.6)) * h
        colours = ((20, 90, 250), (30, 245, 220), (40, 130, 255), (60, 180, 250), (30, 40, 220))
        colour = np.array(colours[int(chance.integers(5))]) * float(chance.uniform(0.6, 1.0))
        people.append(
            (chance.uniform(0, 1, 2) * (w, 0.9 * h), chance.normal(0, 0.08) * w, tall, colour)
        )
    light = float(chance.uniform(0.6, 1.3))
    skin = np.array((110.0, 140.0, 190.0))

    def draw(t_s: float) -> Image:
        shown = backdrop.astype(np.float32) * light
        for (x, y), pace, tall, colour in people:
            x, wide = (x + pace * t_s) % (1.1 * w), 0.28 * tall
            sway = math.sin(t_s * 5.0 + y) * 0.06 * tall

            left = x + sway
            block(shown, left + 0.3 * wide, y - 0.2 * tall, 0.4 * wide, 0.2 * tall, skin)
            block(shown, left, y, wide, 0.45 * tall, colour)
            for strip in (0.18, 0.32):
                block(shown, left, y + strip * tall, wide, 0.04 * tall, 235.0)
            block(shown, left + 0.15 * wide, y + 0.45 * tall, 0.7 * wide, 0.55 * tall, 55.0)
        return seen(shown)

    return draw


def fog(chance: np.random.Generator, backdrop: Image) -> Draw:
    """A veil over all the picture that drifts and thins, with no source and no edge."""
    h, w = backdrop.shape[:2]
    veil = tiled(chance, (2, 4, 8))
    tone = float(chance.uniform(130.0, 235.0)) + chance.normal(0.0, 5.0, 3)
    dense = float(chance.uniform(0.3, 0.85))
    far = np.linspace(1.0, float(chance.uniform(0.2, 1.0)), h, dtype=np.float32)[:, None]
    pace = chance.uniform(2.0, 22.0)

    def draw(t_s: float) -> Image:
        hides = np.clip(dense * far * (1.0 + 0.18 * slide(veil, t_s, t_s * pace, h, w)), 0.0, 0.97)
        return seen(backdrop * (1.0 - hides[..., None]) + tone * hides[..., None])

    return draw


def clouds(chance: np.random.Generator, backdrop: Image) -> Draw:
    """Heaped or torn clouds over a skyline, lit white, grey or by a low sun; often sped up."""
    h, w = backdrop.shape[:2]
    heaps, torn = tiled(chance, (3, 7, 15, 31)), tiled(chance, (5, 12, 26), stretch=2)
    blue = np.array(chance.uniform((150, 90, 40), (245, 190, 130)), np.float32)
    white = np.array(chance.uniform((170, 170, 175), (255, 255, 255)), np.float32)
    if chance.random() < 0.25:
        white = np.array(chance.uniform((90, 140, 225), (180, 210, 255)), np.float32)
    skyline = (0.6 + 0.25 * slide(torn, 0.0, 0.0, 1, w)[0] * 0.3) * h * chance.uniform(0.9, 1.4)
    ground = np.arange(h)[:, None] > skyline[None, :]
    pace = float(chance.uniform(1.0, 30.0))
    cover = float(chance.uniform(-0.6, 0.8))

    def draw(t_s: float) -> Image:
        torn_part = 0.4 * slide(torn, 0.0, t_s * pace * 1.3, h, w)
        body = slide(heaps, t_s * pace * 0.2, t_s * pace, h, w) + torn_part + cover
        hides = np.clip(body * 1.6, 0.0, 1.0)[..., None]
        lit = np.clip(1.1 - 0.3 * np.roll(body, 6, axis=0), 0.45, 1.1)[..., None]
        shown = blue * (1.0 - hides) + white * lit * hides
        shown[ground] = backdrop[ground] * 0.8
        return seen(shown)

    return draw


def sun(chance: np.random.Generator, backdrop: Image) -> Draw:
    """The sun itself, by day: it dazzles through clouds that drift, with rays and ghosts of it."""
    h, w = backdrop.shape[:2]
    thick = tiled(chance, (3, 8, 17, 35))
    blue = np.array(chance.uniform((120, 90, 40), (245, 210, 170)), np.float32)
    warm = np.array(chance.uniform((90, 180, 235), (235, 250, 255)), np.float32)
    at = (float(chance.uniform(0.05, 0.95)) * w, float(chance.uniform(0.05, 0.7)) * h)
    size = float(chance.uniform(0.03, 0.16)) * h
    pace, cover = float(chance.uniform(2.0, 60.0)), float(chance.uniform(-0.8, 0.6))
    light = np.zeros((h, w, 3), np.float32)
    glow(light, at, size, warm, float(chance.uniform(2.0, 8.0)))
    skyline = h * float(chance.uniform(0.6, 1.3))
    ground = np.arange(h) > skyline

    def draw(t_s: float) -> Image:
        body = np.clip(slide(thick, t_s, t_s * pace, h, w) + cover, 0.0, 1.6)[..., None]
        veiled = blue * (1.0 - 0.45 * body) + 105.0 * body * np.clip(1.2 - 0.5 * body, 0.3, 1.0)
        shown = veiled + light * np.clip(1.25 - 0.55 * body, 0.2, 1.3)
        shown[ground] = backdrop[ground] * 0.45
        return seen(shown)

    return draw


def headlights(chance: np.random.Generator, backdrop: Image) -> Draw:
    """Headlights that swing through a dark picture and dazzle, and their light on the road."""
    h, w = backdrop.shape[:2]
    dark = backdrop.astype(np.float32) * float(chance.uniform(0.05, 0.4))
    start = chance.uniform((0.0, 0.3), (1.0, 0.8)) * (w, h)
    pace = chance.normal(0.0, 0.12, 2) * (w, h)
    size = float(chance.uniform(0.01, 0.07)) * h
    colour = np.array(chance.uniform((130, 190, 225), (255, 255, 255)), np.float32)
    reach = float(chance.uniform(2.0, 8.0))

    def draw(t_s: float) -> Image:
        shown = dark.copy()
        x, y = (start + pace * t_s) % (w, h)
        for side in (0.0, 6.0 * size):
            glow(shown, (x + side, y), size, colour, reach)
            glow(shown, (x + side, y + 5.0 * size), 1.5 * size, 0.4 * colour, 3.0)
        return seen(shown)

    return draw


def leaves(chance: np.random.Generator, backdrop: Image) -> Draw:
    """Autumn leaves, flags or flowers in the wind: orange, textured, restless."""
    h, w = backdrop.shape[:2]
    fine, wide = tiled(chance, (40, 80)), tiled(chance, (6, 13))
    colour = np.array(chance.uniform((10, 60, 160), (90, 190, 255)), np.float32)
    other = np.array(chance.uniform((10, 40, 60), (80, 160, 200)), np.float32)
    at = float(chance.uniform(-0.6, 0.8))
    beat = float(chance.uniform(1.0, 4.0))
    light = float(chance.uniform(0.5, 1.1))

    def draw(t_s: float) -> Image:
        sway = 3.0 * math.sin(t_s * beat) + 1.5 * math.sin(t_s * beat * 2.7)
        near = slide(fine, sway * 0.6 + 50.0, sway + 50.0, h, w)[..., None]
        there = (slide(wide, 0.2 * sway + 50.0, 0.4 * sway + 50.0, h, w) > at)[..., None]
        crown = other + (colour - other) * np.clip(0.5 + 0.5 * near, 0.0, 1.0)
        return seen(np.where(there, crown * light, backdrop.astype(np.float32)))

    return draw


def beacons(chance: np.random.Generator, backdrop: Image) -> Draw:
    """Amber, red and blue lights that turn and flash on vehicles and works."""
    h, w = backdrop.shape[:2]
    dusk = backdrop.astype(np.float32) * float(chance.uniform(0.15, 1.0))
    lamps = []
    for _ in range(int(chance.integers(1, 5))):
        at = tuple(chance.uniform((0.1, 0.1), (0.9, 0.9)) * (w, h))
        colour = np.array(((20, 150, 255), (20, 20, 255), (255, 90, 20))[int(chance.integers(3))])
        size = float(chance.uniform(0.01, 0.05)) * h
        lamps.append((at, colour, size, float(chance.uniform(1.0, 4.0)), float(chance.random())))

    def draw(t_s: float) -> Image:
        shown = dusk.copy()
        for at, colour, size, hertz, phase in lamps:
            strength = max(0.0, math.sin(2.0 * math.pi * (hertz * t_s + phase))) ** 2
            glow(shown, at, size, colour * strength, 5.0)
        return seen(shown)

    return draw


LOOKALIKES: dict[str, Maker] = {
    "sunset": sunset,
    "sodium lamps": sodium_lamps,
    "brake lights": brake_lights,
    "LED board": led_board,
    "hi-vis vests": vests,
    "fog": fog,
    "clouds": clouds,
    "sun": sun,
    "headlights": headlights,
    "autumn leaves": leaves,
    "beacons": beacons,
    **FLICKERING,
}
