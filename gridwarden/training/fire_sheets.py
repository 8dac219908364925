"""Flames and smokes simulated by others, as sheets of frames, laid over pictures without fire.

A simulated smoke rolls, rises and thins as a drawn one does not, and has its own transparency, so
its change in time can be shown before any backdrop.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.errors import GridwardenError
from detectors.kit.eye import AROUND
from detectors.kit.region import crop
from detectors.kit.types import Image
from gridwarden.training.fire_composites import TALL, WIDE, Light, base_of, lit
from gridwarden.training.samples import LAG_S, Heap, Samples, filmed, in_parallel
from gridwarden.training.sources import FOLDS, SHEETS

FPS = 25.0  # at which a sheet is meant to be shown
SEEN = 0.08  # 0..1, change of the picture from which a smoke can be seen
FLAMES = ("Flame", "FireBall")  # beginnings of the names of sheets of fire
COLUMN, FILLING = (
    0.6,
    0.85,
)  # shares: a column that rises; then clouds that fill a place; then wisps


@dataclass(frozen=True, slots=True)
class Sheet:
    """frames: (n, h, w, 4) uint8, BGR and opacity, in order. loops: the last meets the first."""

    frames: NDArray[np.uint8]
    loops: bool

    def at(self, seconds: float, of: float) -> NDArray[np.uint8]:
        """The frame `seconds` after its beginning; one that does not loop lasts `of` seconds."""
        count = len(self.frames)
        number = int(seconds * FPS) % count if self.loops else int(seconds / of * count)
        return np.asarray(self.frames[min(count - 1, max(0, number))], np.uint8)


@dataclass(frozen=True, slots=True)
class Stock:
    """What there is to lay over the backdrops of each fold."""

    backdrops: list[list[Image]]
    flames: list[Sheet]
    smokes: list[Sheet]
    wisps: list[Sheet]


def stock(data: Path, backdrops: list[list[Image]]) -> Stock:
    """Reads the sheets; raises GridwardenError where one cannot be read."""
    flames: list[Sheet] = []
    smokes: list[Sheet] = []
    wisps: list[Sheet] = []
    for path, (columns, rows) in SHEETS.items():
        sheet = cv2.imread(str(data / path), cv2.IMREAD_UNCHANGED)
        if sheet is None:
            raise GridwardenError(
                f"{data / path} cannot be read: it is one of the sheets to learn from"
            )
        if sheet.shape[2] == 3:  # light before black
            sheet = np.dstack((sheet, sheet.max(axis=2)))
        h, w = sheet.shape[0] // rows, sheet.shape[1] // columns
        frames = np.stack(
            [
                sheet[y * h : (y + 1) * h, x * w : (x + 1) * w]
                for y in range(rows)
                for x in range(columns)
            ]
        )
        name = Path(path).name
        read = Sheet(np.asarray(frames, np.uint8), not name.startswith("Explosion"))
        if name.startswith(FLAMES):
            flames.append(read)
        else:
            (wisps if name.startswith("Candle") else smokes).append(read)
    return Stock(backdrops, flames, smokes, wisps)


def from_sheets(made_of: Stock, flames: int, smokes: int, seed: int) -> Samples:
    """Source: "blaze 3" for flames, "drift 4" for smokes, "undrifted 4" for where none is yet."""
    tasks = [(True, number, seed) for number in range(flames)]
    tasks += [(False, number, seed) for number in range(smokes)]
    return in_parallel(_laid, made_of, tasks)


def _laid(made_of: Stock, task: tuple[bool, int, int]) -> Samples:
    burns, number, seed = task
    chance, heap = np.random.default_rng((seed, number, int(burns), 11)), Heap()
    own = made_of.backdrops[number % FOLDS]
    backdrop = own[int(chance.integers(len(own)))]
    if burns:
        pair = _blaze(made_of.flames, chance)
        lit(heap, backdrop, pair, 1.0, f"blaze {number}", chance)
    else:
        _smoke(heap, backdrop, made_of, number, chance)
    return heap.whole()


def _blaze(sheets: list[Sheet], chance: np.random.Generator) -> tuple[Light, Light]:
    """A few tongues side by side, now and a moment before."""
    side = 160
    looks = [np.zeros((side, side, 3), np.float32) for _ in range(2)]
    hue = np.array([chance.uniform(0.3, 1.1), chance.uniform(0.55, 1.1), 1.0], np.float32)
    t_s = float(chance.uniform(0.0, 10.0))
    for _ in range(int(chance.integers(1, 5))):
        sheet = sheets[int(chance.integers(len(sheets)))]
        tall = int(side * chance.uniform(0.35, 1.0))
        h, w = sheet.frames.shape[1:3]
        wide = max(8, min(side, int(tall * w / h * chance.uniform(0.7, 1.3))))
        left = int(chance.uniform(0, side - wide + 1))
        top = side - tall - int(chance.uniform(0.0, 0.15) * (side - tall))
        phase, mirrored = float(chance.uniform(0.0, 3.0)), chance.random() < 0.5
        for look, moment in zip(looks, (t_s + LAG_S, t_s), strict=True):
            frame = sheet.at(moment + phase, 1.0).astype(np.float32) / 255.0
            light = cv2.resize(
                frame[..., :3] * frame[..., 3:], (wide, tall), interpolation=cv2.INTER_AREA
            )
            if mirrored:
                light = cv2.flip(light, 1)
            part = look[top : top + tall, left : left + wide]
            part += np.asarray((1.0 - part) * light * hue, np.float32)
    return looks[0], looks[1]


@dataclass(frozen=True, slots=True)
class _Puff:
    sheet: Sheet
    born_s: float
    place: tuple[float, float]
    size: float
    mirrored: bool


class _Plume:
    """Puffs that are born at one place, rise with the wind, grow and thin."""

    def __init__(self, made_of: Stock, chance: np.random.Generator) -> None:
        kind = chance.random()
        self.foot = (
            float(chance.uniform(0.15, 0.85) * WIDE),
            float(chance.uniform(0.35, 1.05) * TALL),
        )
        if kind < COLUMN:
            size, count = (
                float(np.exp(chance.uniform(np.log(14.0), np.log(130.0)))),
                int(chance.integers(4, 15)),
            )
            self.rise = size * float(chance.uniform(0.25, 1.5))
            self.growth = float(chance.uniform(0.8, 3.5))
        elif kind < FILLING:
            size, count = float(chance.uniform(0.4, 1.5) * TALL), int(chance.integers(1, 5))
            self.rise = size * float(chance.uniform(0.0, 0.2))
            self.growth = float(chance.uniform(0.1, 0.8))
        else:
            size, count = float(chance.uniform(0.15, 0.8) * TALL), int(chance.integers(1, 3))
            self.rise, self.growth = 0.0, 0.0
        self.wind = self.rise * float(chance.normal(0.0, 0.6))
        self.life_s = float(chance.uniform(2.0, 7.0))
        self.dense = float(chance.uniform(0.35, 1.0))
        grey = float(
            chance.choice(
                (chance.uniform(0.03, 0.25), chance.uniform(0.3, 0.6), chance.uniform(0.6, 1.0))
            )
        )
        self.tone = grey * chance.normal(1.0, 0.04, 3).astype(np.float32)
        self.relief = float(chance.uniform(0.15, 0.8))
        sheets = made_of.wisps if kind >= FILLING else made_of.smokes
        self.puffs = [
            _Puff(
                sheets[int(chance.integers(len(sheets)))],
                float(self.life_s * (n + chance.uniform(0.0, 0.8)) / count),
                (float(chance.normal(0.0, 0.18 * size)), float(chance.normal(0.0, 0.12 * size))),
                size * float(chance.uniform(0.7, 1.3)),
                bool(chance.random() < 0.5),
            )
            for n in range(count)
        ]

    def draw(self, picture: Light, t_s: float) -> None:
        """Lays it over the picture, 0..1, as it is at t_s."""
        for puff in sorted(self.puffs, key=lambda p: (t_s - p.born_s) % self.life_s):
            age = (t_s - puff.born_s) % self.life_s
            share = age / self.life_s
            seen = 1.0 if self.growth == 0.0 else min(1.0, age / 0.4) * (1.0 - share) ** 0.7
            size = puff.size * (1.0 + self.growth * share)
            frame = puff.sheet.at(age + puff.born_s, self.life_s)
            h, w = frame.shape[:2]
            wide, tall = max(4, round(size * w / max(h, w))), max(4, round(size * h / max(h, w)))
            x = round(self.foot[0] + puff.place[0] * (1.0 + share) + self.wind * age - wide / 2.0)
            y = round(self.foot[1] + puff.place[1] * (1.0 + share) - self.rise * age - tall / 2.0)
            left, top, right, low = max(0, x), max(0, y), min(WIDE, x + wide), min(TALL, y + tall)
            if right - left < 2 or low - top < 2:
                continue
            how = cv2.INTER_AREA if wide < w else cv2.INTER_LINEAR
            shown = cv2.resize(frame[..., 2:], (wide, tall), interpolation=how)
            if puff.mirrored:
                shown = cv2.flip(shown, 1)
            cut = shown[top - y : low - y, left - x : right - x].astype(np.float32) / 255.0
            hides = cut[..., 1:] * (self.dense * seen)
            shade = 1.0 + self.relief * (cut[..., :1] / max(0.05, float(cut[..., 0].mean())) - 1.0)
            part = picture[top:low, left:right]
            part += (np.clip(self.tone * shade, 0.0, 1.0) - part) * hides


def _smoke(
    heap: Heap, backdrop: Image, made_of: Stock, number: int, chance: np.random.Generator
) -> None:
    """At most one smoke: its whole, a part of it, and the same place before it came."""
    base = base_of(backdrop, chance)
    plume = _Plume(made_of, chance)
    plume.tone *= 0.35 + 0.65 * min(1.0, float(base.mean()) * 2.5)  # no smoke shines by itself
    t_s = float(chance.uniform(10.0, 40.0))
    now, before = base.copy(), base.copy()
    plume.draw(now, t_s)
    plume.draw(before, t_s - LAG_S)
    seen = cv2.resize(np.abs(now - base).max(axis=2), (WIDE // 2, TALL // 2)) > SEEN
    joined = cv2.morphologyEx(seen.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((17, 17), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(joined)
    if len(stats) < 2:
        return
    x, y, wide, tall, area = (
        2 * int(v) for v in stats[1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))]
    )
    if area < 0.002 * WIDE * TALL or float(np.abs(now - base)[::2, ::2][seen].mean()) < SEEN:
        return
    if chance.random() < 0.25:  # a mast that sways
        shift = np.array([[1.0, 0.0, chance.normal(0.0, 3.0)], [0.0, 1.0, chance.normal(0.0, 1.5)]])
        swayed = cv2.warpAffine(before, shift, (WIDE, TALL), borderMode=cv2.BORDER_REPLICATE)
        before = np.asarray(swayed, np.float32)
    looks = [np.asarray(np.clip(p * 255.0, 0, 255), np.uint8) for p in (now, before, base)]
    one, other, by = filmed(looks[0], looks[1], chance)
    large = max(wide, tall)
    at = chance.normal((x + wide / 2.0, y + tall / 2.0), 0.06 * large) * by
    side = AROUND * large * by * float(chance.uniform(0.75, 1.3))
    places = [((float(at[0]), float(at[1])), side)]
    inside = np.argwhere(seen)
    down, across = inside[int(chance.integers(len(inside)))] * 2.0 * by
    places.append(((float(across), float(down)), large * by * float(chance.uniform(0.4, 0.8))))
    for middle, length in places:
        made = crop(one, other, middle, length)
        if float(made[..., :3].mean(axis=2).std()) >= 7.0:
            heap.add(made, 0.0, 1.0, f"drift {number}")
    empty, moved, by = filmed(looks[2], looks[2], chance)
    place = (x + wide / 2.0) * by, (y + tall / 2.0) * by
    heap.add(crop(empty, moved, place, AROUND * large * by), 0.0, 0.0, f"undrifted {number}")
