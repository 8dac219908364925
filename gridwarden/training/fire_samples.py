"""Crops with and without fire, from stills, clips and renderings; the same seed gives the same.

A sample is what `detectors/kit/region.py` cuts at run time. Stills with a neighbour in their series
have a real change in time; others get one that is made up, the same way for every label, so that
it teaches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.errors import GridwardenError
from detectors.kit.region import CHANNELS, SIDE, crop, look_of
from detectors.kit.types import Image
from edge.scenes import open_scene
from edge.scenes.drawing import HEIGHT, WIDTH
from edge.scenes.flames import Flames, Smoke
from edge.scenes.lookalikes import LOOKALIKES
from gridwarden.training.sources import (
    CLIPS,
    FURG,
    FURG_BOXES,
    HELD_OUT_CLIPS,
    STILLS,
    StillName,
    read_still,
)

LAG_S = 0.8  # s between a picture and the one its change is measured from, as at run time
NEAR = 3  # numbers apart at which two stills of a series are taken for neighbours
FLAME, NOTHING, SMOKE = 0, 1, 2  # classes of the stills
UNKNOWN = -1.0
MOST_OF_A_SOURCE = 800  # samples with the same label: one long film must not be all that counts


class DataError(GridwardenError, ValueError):
    """The data folder lacks something that training needs."""


@dataclass(frozen=True, slots=True)
class Samples:
    """crops: (n, 64, 64, 4) uint8. labels: (n, 2) flame and smoke: 1, 0, or -1 for unknown."""

    crops: NDArray[np.uint8]
    labels: NDArray[np.float32]
    sources: list[str]

    def where(self, wanted: NDArray[np.bool_]) -> Samples:
        """Those that are wanted."""
        kept = [s for s, w in zip(self.sources, wanted, strict=True) if w]
        return Samples(self.crops[wanted], self.labels[wanted], kept)


@dataclass(frozen=True, slots=True)
class _Still:
    name: StillName
    look: Image
    boxes: NDArray[np.float64]  # (n, 5): class, left, top, width, height in pixels of the look


class _Heap:
    """Samples as they are made."""

    def __init__(self) -> None:
        self.crops: list[Image] = []
        self.labels: list[tuple[float, float]] = []
        self.sources: list[str] = []

    def add(self, made: Image, flame: float, smoke: float, source: str) -> None:
        self.crops.append(made)
        self.labels.append((flame, smoke))
        self.sources.append(source)

    def whole(self) -> Samples:
        crops = (
            np.stack(self.crops) if self.crops else np.zeros((0, SIDE, SIDE, CHANNELS), np.uint8)
        )
        labels = np.array(self.labels, np.float32).reshape(-1, 2)
        return Samples(crops, labels, self.sources)


def from_stills(data: Path, chance: np.random.Generator) -> Samples:
    """Crops inside and outside the boxes of the stills. Source: that of the still."""
    stills = sorted(_stills(data), key=lambda s: (s.name.series, s.name.number))
    heap = _Heap()
    for index, still in enumerate(stills):
        before = next(
            (
                s.look
                for s in (*stills[max(0, index - 2) : index], *stills[index + 1 : index + 3])
                if s.name.series == still.name.series
                and s.name.number != still.name.number
                and abs(s.name.number - still.name.number) <= NEAR
                and s.look.shape == still.look.shape
                and float(cv2.absdiff(s.look, still.look).mean()) < 40.0  # of the same camera
            ),
            None,
        )
        for middle, side in _places(still, chance):
            flame, smoke = _label(still, middle, side)
            if flame == smoke == UNKNOWN:
                continue
            made = crop(still.look, before, middle, side)
            flame, smoke = _doubted(made, flame, smoke)
            if flame == smoke == UNKNOWN:
                continue
            if before is None:
                made = _made_up(made, chance)
            heap.add(made, flame, smoke, still.name.source)
    return _thinned(heap.whole(), chance)


def from_clips(data: Path, chance: np.random.Generator, each: int = 500) -> Samples:
    """Crops of openly licensed clips that show no fire. Source: the path of the clip."""
    heap = _Heap()
    for path in CLIPS:
        video = cv2.VideoCapture(str(data / path))
        count = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
        fps = video.get(cv2.CAP_PROP_FPS) or 25.0
        if count < 2:
            raise DataError(f"{data / path} cannot be read: it is one of the clips to learn from")
        looks: dict[int, Image] = {}
        lag = max(1, round(LAG_S * fps))
        steps = set(range(0, count, max(1, count // 40)))
        number = 0
        while True:
            there, image = video.read()
            if not there:
                break
            if number in steps or number + lag in steps:
                looks[number] = look_of(np.asarray(image, np.uint8))
            number += 1
        video.release()
        pairs = [(looks[n], looks.get(n - lag)) for n in sorted(steps) if n in looks]
        for now, before in pairs:
            for middle, side in _anywhere(now, before, chance, max(1, each // len(pairs))):
                heap.add(crop(now, before, middle, side), 0.0, 0.0, path)
    return heap.whole()


def held_out_rendering(number: int) -> bool:
    """Whether a rendering is kept for the scores: every fifth."""
    return number % 5 == 0


def from_renderings(backdrops: list[Image], flames: int, lookalikes: int, seed: int) -> Samples:
    """Rendered flames, smoke and what is taken for them. Source: "flame 12", "sunset 3".

    Each has a seed of its own, so the number of processes changes nothing.
    """
    numbers = max(flames, lookalikes)
    tasks = [(backdrops, n, n < flames, n < lookalikes, seed) for n in range(numbers)]
    with ProcessPoolExecutor(initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        return joined(list(pool.map(_rendered, tasks, chunksize=20)))


def _rendered(task: tuple[list[Image], int, bool, bool, int]) -> Samples:
    backdrops, number, burns, looks_alike, seed = task
    chance = np.random.default_rng((seed, number))
    heap = _Heap()
    if burns:
        _burn(heap, backdrops, chance, number)
    for name, maker in LOOKALIKES.items() if looks_alike else ():
        draw = maker(chance, backdrops[int(chance.integers(len(backdrops)))])
        t_s = float(chance.uniform(1.0, 30.0))
        now, before = draw(t_s), draw(t_s - LAG_S)
        if chance.random() < 0.3:
            now, before = _exposed(now, before, float(chance.uniform(0.6, 1.9)))
        for middle, side in _anywhere(now, before, chance, 4):
            heap.add(crop(now, before, middle, side), 0.0, 0.0, f"{name} {number}")
    return heap.whole()


def from_furg(data: Path, chance: np.random.Generator, frames: int = 90) -> Samples:
    """Flames and what is beside them in the one clip with a box for every frame (FURG, CC0)."""
    boxes = _furg_boxes(data / FURG_BOXES)
    video = cv2.VideoCapture(str(data / FURG))
    fps = video.get(cv2.CAP_PROP_FPS) or 30.0
    count, lag = int(video.get(cv2.CAP_PROP_FRAME_COUNT)), max(1, round(LAG_S * fps))
    wanted = set(range(lag, count, max(1, count // frames)))
    looks: dict[int, Image] = {}
    number = 0
    while True:
        there, image = video.read()
        if not there:
            break
        if number in wanted or number + lag in wanted:
            looks[number] = look_of(np.asarray(image, np.uint8))
        number += 1
    video.release()
    if not looks:
        raise DataError(f"{data / FURG} cannot be read: it is one of the clips to learn from")
    heap = _Heap()
    for number in sorted(wanted & boxes.keys() & looks.keys()):
        rows = boxes[number]
        still = _Still(StillName("furg", "furg", number), looks[number], rows)
        for _, left, top, wide, tall in rows:
            large = max(wide, tall)
            for _ in range(3):
                at = chance.normal((left + wide / 2.0, top + tall / 2.0), 0.12 * large)
                side = large * float(chance.uniform(0.7, 1.9))
                made = crop(still.look, looks.get(number - lag), (at[0], at[1]), side)
                flame, smoke = _doubted(made, 1.0, UNKNOWN)
                if flame == 1.0:
                    heap.add(made, flame, smoke, FURG)
        for middle, side in _anywhere(still.look, None, chance, 6):
            if _label(still, middle, side)[0] == 0.0:
                made = crop(still.look, looks.get(number - lag), middle, side)
                heap.add(made, 0.0, UNKNOWN, FURG)
    return heap.whole()


def _furg_boxes(path: Path) -> dict[int, NDArray[np.float64]]:
    """By frame: rows of FLAME, left, top, width, height in pixels of the clip."""
    found = {}
    for part in path.read_text().split("<frameNumber>")[1:]:
        number, _, rest = part.partition("</frameNumber>")
        rows = re.findall(r"(\d+) (\d+) (\d+) (\d+)\s*</_>", rest)
        if rows:
            found[int(number)] = np.array([[FLAME, *map(float, row)] for row in rows])
    return found


def from_scenes(chance: np.random.Generator, each: int = 240) -> Samples:
    """Crops of the rendered scenes in which nothing burns. Source: the name of the scene."""
    heap = _Heap()
    for name in ("street", "water", "freeze"):
        scene = open_scene(name)
        now, before = (np.empty((*scene.size, 3), np.uint8) for _ in range(2))
        for _ in range(each // 6):
            t_s = float(chance.uniform(LAG_S, scene.duration_s - 0.1))
            scene.draw(t_s, now)
            scene.draw(t_s - LAG_S, before)
            one, other = look_of(now), look_of(before)
            for middle, side in _anywhere(one, other, chance, 6):
                heap.add(crop(one, other, middle, side), 0.0, 0.0, name)
    return heap.whole()


def quiet_backdrops(data: Path, chance: np.random.Generator) -> list[Image]:
    """Pictures without fire to render over, 288 x 512."""
    found = [s.look for s in _stills(data) if set(s.boxes[:, 0]) <= {float(NOTHING)}]
    pictures = [_backdrop(look, chance) for look in found]
    for path in CLIPS:
        video = cv2.VideoCapture(str(data / path))
        for number in (5, 120, 260):
            video.set(cv2.CAP_PROP_POS_FRAMES, number)
            there, image = video.read()
            if there:
                pictures.append(_backdrop(np.asarray(image, np.uint8), chance))
        video.release()
    for _ in range(40):  # plain walls, roads and nights
        tone = chance.uniform(5, 200) + chance.normal(0, 12, 3)
        coarse = np.clip(tone + chance.normal(0, 22, (7, 12, 3)), 0, 255).astype(np.uint8)
        pictures.append(np.asarray(cv2.resize(coarse, (512, 288)), np.uint8))
    return pictures


def joined(parts: list[Samples]) -> Samples:
    """All of them."""
    return Samples(
        np.concatenate([p.crops for p in parts]),
        np.concatenate([p.labels for p in parts]),
        [s for p in parts for s in p.sources],
    )


def _backdrop(look: Image, chance: np.random.Generator) -> Image:
    sized = cv2.resize(look, (512, 288), interpolation=cv2.INTER_AREA)
    if chance.random() < 0.5:
        sized = cv2.flip(sized, 1)
    return np.asarray(sized, np.uint8)


def _stills(data: Path) -> Iterator[_Still]:
    folder = data / STILLS
    paths = sorted((folder / "images").glob("*.jpg"))
    if not paths:
        raise DataError(f"no stills in {folder / 'images'}: DATA is the folder above {STILLS}")
    for path in paths:
        image = cv2.imread(str(path))
        label = folder / "labels" / f"{path.stem}.txt"
        rows = [line.split() for line in label.read_text().splitlines() if line.strip()]
        look = look_of(np.asarray(image, np.uint8))
        h, w = look.shape[:2]
        boxes = np.array([[float(v) for v in row[:5]] for row in rows], np.float64).reshape(-1, 5)
        boxes[:, 1:] *= (w, h, w, h)
        boxes[:, 1:3] -= boxes[:, 3:5] / 2.0
        yield _Still(read_still(path.name), look, boxes)


def _places(
    still: _Still, chance: np.random.Generator
) -> Iterator[tuple[tuple[float, float], float]]:
    """Where to cut: around each box, within it, and elsewhere; (middle, side)."""
    for kind, left, top, wide, tall in still.boxes:
        if kind == NOTHING:
            continue
        large = max(wide, tall)
        for _ in range(8):
            side = large * chance.uniform(0.7, 1.9)
            at = chance.normal((left + wide / 2.0, top + tall / 2.0), 0.12 * large)
            yield (float(at[0]), float(at[1])), float(side)
        for _ in range(8 if large > 60.0 else 2):
            at = chance.uniform((left, top), (left + wide, top + tall))
            yield (float(at[0]), float(at[1])), float(large * chance.uniform(0.25, 0.7))
    yield from _anywhere(still.look, None, chance, 10)


def _anywhere(
    look: Image, before: Image | None, chance: np.random.Generator, count: int
) -> list[tuple[tuple[float, float], float]]:
    """Half of them at random, half around what is warm, bright or changing."""
    h, w = look.shape[:2]
    places = []
    warm = cv2.subtract(look[..., 2], look[..., 0]).astype(np.float32)
    bright = look[..., 2].astype(np.float32)
    weight = warm * bright / 255.0 + np.where(bright > 225.0, 40.0, 0.0)
    if before is not None:
        weight = weight + 0.5 * cv2.absdiff(look, before).max(axis=2)
    weight = cv2.resize(weight, (max(1, w // 8), max(1, h // 8)), interpolation=cv2.INTER_AREA)
    flat = weight.ravel() ** 2 + 1e-6
    flat = flat / flat.sum()
    for number in range(count):
        side = float(np.exp(chance.uniform(np.log(28.0), np.log(0.9 * max(h, w)))))
        if number % 2:
            place = int(chance.choice(flat.size, p=flat))
            y, x = divmod(place, weight.shape[1])
            places.append(((8.0 * x + 4.0, 8.0 * y + 4.0), side))
        else:
            places.append(((float(chance.uniform(0, w)), float(chance.uniform(0, h))), side))
    return places


def _label(still: _Still, middle: tuple[float, float], side: float) -> tuple[float, float]:
    """(flame, smoke) of a crop; -1 where the boxes leave it open."""
    found = {FLAME: 0.0, SMOKE: 0.0}
    left, top = middle[0] - side / 2.0, middle[1] - side / 2.0
    for kind, x, y, wide, tall in still.boxes:
        if kind == NOTHING:
            continue
        across = max(0.0, min(left + side, x + wide) - max(left, x))
        down = max(0.0, min(top + side, y + tall) - max(top, y))
        shared = across * down
        much = shared / (side * side) > 0.3 or shared / max(1.0, wide * tall) > 0.6
        few = shared / (side * side) < 0.02 and shared / max(1.0, wide * tall) < 0.05
        said = 1.0 if much else (0.0 if few else UNKNOWN)
        known = found[int(kind)]
        found[int(kind)] = (
            max(known, said)
            if UNKNOWN not in (known, said) or said == 1.0
            else (1.0 if known == 1.0 else UNKNOWN)
        )
    flame, smoke = found[FLAME], found[SMOKE]
    h, w = still.look.shape[:2]
    part = still.look[
        max(0, int(top)) : max(1, min(h, int(top + side))),
        max(0, int(left)) : max(1, min(w, int(left + side))),
    ]
    shines = part.size > 0 and float(np.percentile(part[..., 2], 90)) > 170.0
    if flame == 1.0 and not shines:
        flame = UNKNOWN  # a dark corner of a box
    if smoke == 0.0 and flame != 0.0:
        smoke = UNKNOWN  # nobody drew every wisp around a flame
    if flame == 0.0 and any(still.boxes[:, 0] == FLAME) and shines:
        flame = UNKNOWN if _warm(part) else 0.0  # its light on a wall, or a tongue not drawn
    return flame, smoke


def _warm(part: Image) -> bool:
    blue, _, red = (float(v) for v in part.reshape(-1, 3).mean(axis=0))
    return red > blue + 25.0


def _doubted(made: Image, flame: float, smoke: float) -> tuple[float, float]:
    """A plain orange or white field shows no flame, a plain grey one no smoke, whatever the box."""
    picture = made[..., :3].astype(np.float32)
    spread = float(picture.mean(axis=2).std())
    blue, red = picture[..., 0], picture[..., 2]
    warm = float(((red > 150.0) & (red - blue > 0.2 * red)).mean())
    if flame == 1.0 and (spread < 18.0 or warm < 0.03):
        flame = UNKNOWN
    if smoke == 1.0 and spread < 5.0:
        smoke = UNKNOWN
    return flame, smoke


def _made_up(made: Image, chance: np.random.Generator) -> Image:
    """A change for a still without a neighbour: none, of noise, or of something that moves."""
    out = made.copy()
    pick = chance.random()
    luma = cv2.cvtColor(made[..., :3], cv2.COLOR_BGR2GRAY)
    if pick < 0.6:
        out[..., 3] = 0
    elif pick < 0.75:
        noise = np.abs(chance.normal(0.0, 4.0, luma.shape))
        out[..., 3] = noise.astype(np.uint8)
    else:
        shift = np.eye(2, 3)
        shift[:, 2] = chance.normal(0.0, 5.0, 2)
        moved = cv2.warpAffine(luma, shift, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT)
        out[..., 3] = cv2.absdiff(luma, np.asarray(moved, np.uint8))
    return out


def _burn(heap: _Heap, backdrops: list[Image], chance: np.random.Generator, number: int) -> None:
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
        looks.append(look_of(np.clip(seen, 0, 255).astype(np.uint8)))
    now, before = looks
    scale = now.shape[1] / WIDTH
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
            fire, fume = _doubted(made, UNKNOWN if near else 0.0, 1.0)
            if fume == 1.0 and float(made[..., :3].mean()) < 243.0:
                heap.add(made, fire, fume, source)


def _exposed(now: Image, before: Image, gain: float) -> tuple[Image, Image]:
    """The same over- or under-exposed."""
    return (
        np.asarray(cv2.convertScaleAbs(now, alpha=gain), np.uint8),
        np.asarray(cv2.convertScaleAbs(before, alpha=gain), np.uint8),
    )


def _thinned(samples: Samples, chance: np.random.Generator) -> Samples:
    """At most so many of one source and label."""
    order = chance.permutation(len(samples.sources))
    taken: dict[tuple[str, float, float], int] = {}
    keep = np.zeros(len(order), np.bool_)
    for index in order:
        flame, smoke = samples.labels[index]
        key = (samples.sources[index], float(flame), float(smoke))
        taken[key] = taken.get(key, 0) + 1
        keep[index] = taken[key] <= MOST_OF_A_SOURCE
    return samples.where(keep)


HELD_OUT_PATHS = frozenset(HELD_OUT_CLIPS)
