"""Crops with and without fire, from stills and clips; the same seed gives the same.

A sample is what `detectors/kit/region.py` cuts at run time. Stills with a neighbour in their series
have a real change in time; others get one that is made up, the same way for every label, so that
it teaches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.errors import GridwardenError
from detectors.kit.background import as_mask
from detectors.kit.eye import AROUND
from detectors.kit.region import SIDE, crop, look_of
from detectors.kit.types import Image
from gridwarden.training.samples import (
    LAG_S,
    UNKNOWN,
    Heap,
    Place,
    Samples,
    anywhere,
    doubted,
    filmed,
    glowing,
    in_parallel,
    proposed,
    thinned,
)
from gridwarden.training.sources import (
    CLIPS,
    FOLDS,
    FURG,
    FURG_BOXES,
    STILLS,
    StillName,
    fold_of,
    read_still,
)

NEAR = 3  # numbers apart at which two stills of a series are taken for neighbours
FLAME, NOTHING, SMOKE = 0, 1, 2  # classes of the stills


class DataError(GridwardenError, ValueError):
    """The data folder lacks something that training needs."""


@dataclass(frozen=True, slots=True)
class Still:
    """A still, what its boxes say, and one of the same camera a moment before or after."""

    name: StillName
    picture: Image
    boxes: NDArray[np.float64]  # (n, 5): class, left, top, width, height in pixels
    near: Image | None = None


def from_stills(stills: list[Still], chance: np.random.Generator, seed: int) -> Samples:
    """Crops inside and outside the boxes of the stills. Source: that of the still."""
    tasks = [(number, seed) for number in range(len(stills))]
    return thinned(in_parallel(_cropped, stills, tasks), chance)


def _cropped(stills: list[Still], task: tuple[int, int]) -> Samples:
    chance, still, heap = np.random.default_rng(task), stills[task[0]], Heap()
    for _ in range(2):
        look, before, scale = filmed(still.picture, still.near, chance)
        sized = still.boxes * (1.0, scale, scale, scale, scale)
        shown = Still(still.name, look, sized)
        glow = glowing(look, sized[sized[:, 0] == FLAME, 1:])
        for middle, side in _places(shown, before, glow, chance):
            flame, smoke = _label(shown, glow, middle, side)
            if flame == smoke == UNKNOWN:
                continue
            made = crop(look, before, middle, side)
            flame, smoke = doubted(made, flame, smoke)
            if flame == smoke == UNKNOWN:
                continue
            if before is None:
                made = _made_up(made, chance)
            heap.add(made, flame, smoke, still.name.source)
    return heap.whole()


def from_clips(data: Path, seed: int) -> Samples:
    """Crops of openly licensed clips that show no fire. Source: the path of the clip."""
    return in_parallel(_watched, data, [(number, seed) for number in range(len(CLIPS))])


def _watched(data: Path, task: tuple[int, int]) -> Samples:
    path, heap, chance = CLIPS[task[0]], Heap(), np.random.default_rng(task)
    video = cv2.VideoCapture(str(data / path))
    count = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    fps = video.get(cv2.CAP_PROP_FPS) or 25.0
    if count < 2:
        raise DataError(f"{data / path} cannot be read: it is one of the clips to learn from")
    lag = max(1, round(LAG_S * fps))
    steps = set(range(0, count, max(1, count // 120)))
    looks = _looks(video, steps, lag)
    for number in sorted(steps & looks.keys()):
        now, before, _ = filmed(looks[number], looks.get(number - lag), chance)
        for middle, side in proposed(now, before, chance) + anywhere(now, before, chance, 6):
            heap.add(crop(now, before, middle, side), 0.0, 0.0, path)
    return heap.whole()


def from_furg(data: Path, chance: np.random.Generator, frames: int = 90) -> Samples:
    """Flames and what is beside them in the one clip with a box for every frame (FURG, CC0)."""
    boxes = _furg_boxes(data / FURG_BOXES)
    video = cv2.VideoCapture(str(data / FURG))
    fps = video.get(cv2.CAP_PROP_FPS) or 30.0
    count, lag = int(video.get(cv2.CAP_PROP_FRAME_COUNT)), max(1, round(LAG_S * fps))
    wanted = set(range(lag, count, max(1, count // frames)))
    looks = _looks(video, wanted, lag)
    if not looks:
        raise DataError(f"{data / FURG} cannot be read: it is one of the clips to learn from")
    heap = Heap()
    for number in sorted(wanted & boxes.keys() & looks.keys()):
        look, before, scale = filmed(looks[number], looks.get(number - lag), chance)
        rows = boxes[number] * (1.0, scale, scale, scale, scale)
        still = Still(StillName("furg", "furg", number), look, rows)
        for _, left, top, wide, tall in rows:
            large = max(wide, tall)
            for _ in range(3):
                at = chance.normal((left + wide / 2.0, top + tall / 2.0), 0.12 * large)
                side = large * float(chance.uniform(0.7, 1.9))
                made = crop(look, before, (at[0], at[1]), side)
                flame, smoke = doubted(made, 1.0, UNKNOWN)
                if flame == 1.0:
                    heap.add(made, flame, smoke, FURG)
        glow = glowing(look, rows[:, 1:])
        for middle, side in proposed(look, before, chance) + anywhere(look, None, chance, 6):
            flame, _ = _label(still, glow, middle, side)
            if flame != UNKNOWN:
                heap.add(crop(look, before, middle, side), flame, UNKNOWN, FURG)
    return heap.whole()


def _looks(video: cv2.VideoCapture, wanted: set[int], lag: int) -> dict[int, Image]:
    """The wanted frames and those `lag` before them, by number; the video is closed."""
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
    return looks


def _furg_boxes(path: Path) -> dict[int, NDArray[np.float64]]:
    """By frame: rows of FLAME, left, top, width, height in pixels of the clip."""
    found = {}
    for part in path.read_text().split("<frameNumber>")[1:]:
        number, _, rest = part.partition("</frameNumber>")
        rows = re.findall(r"(\d+) (\d+) (\d+) (\d+)\s*</_>", rest)
        if rows:
            found[int(number)] = np.array([[FLAME, *map(float, row)] for row in rows])
    return found


def quiet_backdrops(
    data: Path, stills: list[Still], chance: np.random.Generator
) -> list[list[Image]]:
    """Pictures without fire to render over, 288 x 512, of each fold."""
    found: list[list[Image]] = [[] for _ in range(FOLDS)]
    for still in stills:
        if set(still.boxes[:, 0]) <= {float(NOTHING)}:
            found[fold_of(still.name.source)].append(_backdrop(still.picture, chance))
    for path in CLIPS:
        video = cv2.VideoCapture(str(data / path))
        for number in (5, 60, 120, 190, 260):
            video.set(cv2.CAP_PROP_POS_FRAMES, number)
            there, image = video.read()
            if there:
                found[fold_of(path)].append(_backdrop(np.asarray(image, np.uint8), chance))
        video.release()
    for number in range(60):  # plain walls, roads and nights
        tone = chance.uniform(5, 200) + chance.normal(0, 12, 3)
        coarse = np.clip(tone + chance.normal(0, 22, (7, 12, 3)), 0, 255).astype(np.uint8)
        found[number % FOLDS].append(np.asarray(cv2.resize(coarse, (512, 288)), np.uint8))
    return found


def _backdrop(picture: Image, chance: np.random.Generator) -> Image:
    sized = cv2.resize(picture, (512, 288), interpolation=cv2.INTER_AREA)
    if chance.random() < 0.5:
        sized = cv2.flip(sized, 1)
    return np.asarray(sized, np.uint8)


def read_stills(data: Path) -> list[Still]:
    """All stills, those of a series in order."""
    folder = data / STILLS
    paths = sorted((folder / "images").glob("*.jpg"))
    if not paths:
        raise DataError(f"no stills in {folder / 'images'}: DATA is the folder above {STILLS}")
    read = []
    for path in paths:
        picture = np.asarray(cv2.imread(str(path)), np.uint8)
        label = folder / "labels" / f"{path.stem}.txt"
        rows = [line.split() for line in label.read_text().splitlines() if line.strip()]
        h, w = picture.shape[:2]
        boxes = np.array([[float(v) for v in row[:5]] for row in rows], np.float64).reshape(-1, 5)
        boxes[:, 1:] *= (w, h, w, h)
        boxes[:, 1:3] -= boxes[:, 3:5] / 2.0
        read.append(Still(read_still(path.name), picture, boxes))
    read.sort(key=lambda s: (s.name.series, s.name.number))
    return [replace(still, near=_near(read, index)) for index, still in enumerate(read)]


def _near(ordered: list[Still], index: int) -> Image | None:
    still = ordered[index]
    return next(
        (
            s.picture
            for s in (*ordered[max(0, index - 2) : index], *ordered[index + 1 : index + 3])
            if s.name.series == still.name.series
            and s.name.number != still.name.number
            and abs(s.name.number - still.name.number) <= NEAR
            and s.picture.shape == still.picture.shape
            and float(cv2.absdiff(s.picture, still.picture).mean()) < 40.0  # of the same camera
        ),
        None,
    )


def _places(
    still: Still, before: Image | None, glow: NDArray[np.bool_], chance: np.random.Generator
) -> Iterator[Place]:
    """Where to cut: around boxes and in them, what glows, where detectors would, elsewhere."""
    for kind, left, top, wide, tall in still.boxes:
        if kind == NOTHING:
            continue
        large = max(wide, tall)
        for _ in range(4):
            side = large * chance.uniform(0.7, 1.9)
            at = chance.normal((left + wide / 2.0, top + tall / 2.0), 0.12 * large)
            yield (float(at[0]), float(at[1])), float(side)
        for _ in range(2 if large > 60.0 else 1):
            at = chance.uniform((left, top), (left + wide, top + tall))
            yield (float(at[0]), float(at[1])), float(large * chance.uniform(0.25, 0.7))
    joined_up = cv2.morphologyEx(as_mask(glow), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(joined_up)
    for number in 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:3]:
        x, y, wide, tall, area = (int(v) for v in stats[number])
        if area < 12:
            break
        large = max(wide, tall)
        for _ in range(2):
            at = chance.normal((x + wide / 2.0, y + tall / 2.0), 0.08 * large)
            yield (float(at[0]), float(at[1])), AROUND * large * float(chance.uniform(0.85, 1.4))
    yield from proposed(still.picture, before, chance)
    yield from anywhere(still.picture, None, chance, 5)


def _label(
    still: Still, glow: NDArray[np.bool_], middle: tuple[float, float], side: float
) -> tuple[float, float]:
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
    h, w = still.picture.shape[:2]
    window = np.s_[
        max(0, int(top)) : max(1, min(h, int(top + side))),
        max(0, int(left)) : max(1, min(w, int(left + side))),
    ]
    part = still.picture[window]
    shines = part.size > 0 and float(np.percentile(part[..., 2], 90)) > 170.0
    if flame != 0.0:  # a box is no flame: what glows in it is
        flame = 1.0 if float(glow[window].sum()) / (side * side) > 0.04 else UNKNOWN
    if smoke == 0.0 and flame != 0.0:
        smoke = UNKNOWN  # nobody drew every wisp around a flame
    if flame == 0.0 and any(still.boxes[:, 0] == FLAME) and shines:
        flame = UNKNOWN if _warm(part) else 0.0  # its light on a wall, or a tongue not drawn
    return flame, smoke


def _warm(part: Image) -> bool:
    blue, _, red = (float(v) for v in part.reshape(-1, 3).mean(axis=0))
    return red > blue + 25.0


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
