"""Crops of rendered fires, of what is taken for fire, and of the rendered scenes."""

from __future__ import annotations

import cv2
import numpy as np

from detectors.kit.region import crop, look_of
from detectors.kit.types import Image
from edge.scenes import open_scene
from edge.scenes.drawing import HEIGHT, WIDTH
from edge.scenes.flames import Flames, Smoke
from edge.scenes.lookalikes import LOOKALIKES
from gridwarden.training.samples import (
    LAG_S,
    UNKNOWN,
    Heap,
    Samples,
    anywhere,
    doubted,
    filmed,
    in_parallel,
    proposed,
)
from gridwarden.training.sources import FOLDS


def from_renderings(
    backdrops: list[list[Image]], flames: int, lookalikes: int, seed: int
) -> Samples:
    """Rendered flames, smoke and what is taken for them. Source: "flame 12", "sunset 3".

    backdrops: of each fold; a rendering is over one of its own. Each has a seed of its own, so
    the number of processes changes nothing.
    """
    numbers = range(max(flames, lookalikes))
    tasks = [(number, number < flames, number < lookalikes, seed) for number in numbers]
    return in_parallel(_rendered, backdrops, tasks)


def _rendered(backdrops: list[list[Image]], task: tuple[int, bool, bool, int]) -> Samples:
    number, burns, looks_alike, seed = task
    chance = np.random.default_rng((seed, number))
    heap, own = Heap(), backdrops[number % FOLDS]
    if burns:
        _burn(heap, own, chance, number)
    for name, maker in LOOKALIKES.items() if looks_alike else ():
        draw = maker(chance, own[int(chance.integers(len(own)))])
        t_s = float(chance.uniform(1.0, 30.0))
        now, before = draw(t_s), draw(t_s - LAG_S)
        if chance.random() < 0.3:
            now, before = _exposed(now, before, float(chance.uniform(0.6, 1.9)))
        look, earlier, _ = filmed(now, before, chance)
        places = proposed(look, earlier, chance, most=2) + anywhere(look, earlier, chance, 3)
        for middle, side in places:
            heap.add(crop(look, earlier, middle, side), 0.0, 0.0, f"{name} {number}")
    return heap.whole()


def from_scenes(chance: np.random.Generator, each: int = 240) -> Samples:
    """Crops of the rendered scenes in which nothing burns. Source: the name of the scene."""
    heap = Heap()
    for name in ("street", "water", "freeze"):
        scene = open_scene(name)
        now, before = (np.empty((*scene.size, 3), np.uint8) for _ in range(2))
        for _ in range(each // 6):
            t_s = float(chance.uniform(LAG_S, scene.duration_s - 0.1))
            scene.draw(t_s, now)
            scene.draw(t_s - LAG_S, before)
            one, other = look_of(now), look_of(before)
            for middle, side in anywhere(one, other, chance, 6):
                heap.add(crop(one, other, middle, side), 0.0, 0.0, name)
    return heap.whole()


def _burn(heap: Heap, backdrops: list[Image], chance: np.random.Generator, number: int) -> None:
    """One rendered fire: crops of its flame, of its smoke and of what is beside them."""
    backdrop = backdrops[int(chance.integers(len(backdrops)))]
    base = cv2.resize(backdrop, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    base = cv2.convertScaleAbs(base, alpha=float(chance.uniform(0.15, 1.1)))
    foot = (int(chance.uniform(0.3, 0.7) * WIDTH), int(chance.uniform(0.6, 0.98) * HEIGHT))
    tall = float(np.exp(chance.uniform(np.log(28.0), np.log(300.0))))
    wide = min(330.0, tall * float(chance.uniform(0.4, 1.5)))
    flames, smoke = Flames(chance, foot), None
    kind = float(chance.random())
    lit = kind < 0.75
    density = 0.0
    if kind > 0.35:
        reach = int(chance.uniform(120, 420))
        smoke = Smoke(chance, (foot[0], max(120, foot[1] - int(tall * 0.6))), reach)
        density = float(chance.uniform(0.25, 0.95))
    grey = int(chance.uniform(25, 225))
    gain = float(chance.choice((0.6, 0.85, 1.0, 1.0, 1.4, 2.0)))
    cast = chance.uniform(0.8, 1.2, 3)
    blur = float(chance.choice((0.0, 0.6, 1.2, 2.5)))
    noise = float(chance.uniform(0.0, 7.0))
    t_s = float(chance.uniform(1.0, 60.0))
    looks = []
    for moment in (t_s, t_s - LAG_S):
        picture = np.asarray(base.copy(), np.uint8)
        if smoke is not None:
            smoke.draw(picture, moment, density, grey, 0.5 if lit else 0.0)
        if lit:
            flames.draw(picture, moment, wide, tall)
        seen = picture.astype(np.float32) * gain * cast + chance.normal(
            0, noise, (HEIGHT, WIDTH, 1)
        )
        if blur:
            seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), blur), np.float64)
        looks.append(np.clip(seen, 0, 255).astype(np.uint8))
    now, before, scale = filmed(looks[0], looks[1], chance)
    x, y, size = foot[0] * scale, (foot[1] - tall / 2.0) * scale, max(wide, tall) * scale
    source = f"flame {number}"
    if lit:
        beside = UNKNOWN if smoke is not None else 0.0
        for _ in range(5):
            at = chance.normal((x, y), 0.12 * size)
            side = size * float(chance.uniform(0.6, 1.9))
            heap.add(crop(now, before, (float(at[0]), float(at[1])), side), 1.0, beside, source)
    if smoke is not None and density > 0.4:
        for _ in range(3):
            up = float(chance.uniform(0.25, 0.9))
            at_y = max(10.0, (foot[1] - tall) * scale * (1.0 - up * 0.8))
            at_x = x + float(chance.normal(0.1, 0.1)) * 200.0 * scale * up * 2.0
            side = float(chance.uniform(60.0, 260.0)) * scale
            near = at_y + side / 2.0 > (foot[1] - tall * 1.4) * scale and lit
            made = crop(now, before, (at_x, at_y), side)
            fire, fume = doubted(made, UNKNOWN if near else 0.0, 1.0)
            if fume == 1.0 and float(made[..., :3].mean()) < 243.0:
                heap.add(made, fire, fume, source)


def _exposed(now: Image, before: Image, gain: float) -> tuple[Image, Image]:
    """The same over- or under-exposed."""
    return (
        np.asarray(cv2.convertScaleAbs(now, alpha=gain), np.uint8),
        np.asarray(cv2.convertScaleAbs(before, alpha=gain), np.uint8),
    )
