"""Samples for a verifier of regions: how they are gathered, cut and doubted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.kit.background import as_mask
from detectors.kit.eye import AROUND
from detectors.kit.region import CHANNELS, SIDE
from detectors.kit.thumbnail import thumbnail
from detectors.kit.types import Image
from detectors.kit.warm_planes import CLOSING, may_burn

LAG_S = 0.8  # s between a picture and the one its change is measured from, as at run time
UNKNOWN = -1.0
SMALLEST_LOOK, LARGEST_LOOK = 288, 640  # pixels of the longer side, as cameras differ
WORST, BEST = 8, 70  # quality of a compressed picture, 0..100
MOVED = 22  # 0..255, change of any channel that a thing which moves makes
Place = tuple[tuple[float, float], float]  # middle x, y and side of a crop, pixels of the look
COLOURED, PLAIN = 60.0, 7.0  # 0..255: spread of the channels, deviation of the mean
MOST_OF_A_SOURCE = 800  # samples with the same label: one long film must not be all that counts


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


def kind_of(source: str) -> str:
    """A source without the number of its rendering."""
    kind, _, number = source.rpartition(" ")
    return kind if number.isdigit() else source


class Heap:
    """Samples as they are made."""

    def __init__(self) -> None:
        self.crops: list[Image] = []
        self.labels: list[tuple[float, float]] = []
        self.sources: list[str] = []

    def add(self, made: Image, flame: float, smoke: float, source: str) -> None:
        """One more; a label is 1, 0 or UNKNOWN."""
        self.crops.append(made)
        self.labels.append((flame, smoke))
        self.sources.append(source)

    def whole(self) -> Samples:
        """All that were added."""
        crops = (
            np.stack(self.crops) if self.crops else np.zeros((0, SIDE, SIDE, CHANNELS), np.uint8)
        )
        labels = np.array(self.labels, np.float32).reshape(-1, 2)
        return Samples(crops, labels, self.sources)


def joined(parts: list[Samples]) -> Samples:
    """All of them."""
    return Samples(
        np.concatenate([p.crops for p in parts]),
        np.concatenate([p.labels for p in parts]),
        [s for p in parts for s in p.sources],
    )


_task: Callable[[Any], Samples]


def in_parallel(make: Callable[[Any, Any], Samples], shared: Any, tasks: Sequence[Any]) -> Samples:
    """`make(shared, task)` of each task on all cores, in the order of the tasks."""
    with ProcessPoolExecutor(initializer=_begin, initargs=(make, shared)) as pool:
        return joined(list(pool.map(_done, tasks, chunksize=4)))


def _begin(make: Callable[[Any, Any], Samples], shared: Any) -> None:
    global _task
    cv2.setNumThreads(1)
    _task = partial(make, shared)  # so that what is shared is sent once


def _done(task: Any) -> Samples:
    return _task(task)


def filmed(
    now: Image, before: Image | None, chance: np.random.Generator
) -> tuple[Image, Image | None, float]:
    """The same as a camera of another size and compression shows it, and the scale."""
    h, w = now.shape[:2]
    longest = min(LARGEST_LOOK, max(h, w))
    scale = float(chance.uniform(min(SMALLEST_LOOK, longest), longest)) / max(h, w)
    size = max(1, round(w * scale)), max(1, round(h * scale))
    quality = int(chance.integers(WORST, BEST)) if chance.random() < 0.6 else 0

    def one(picture: Image) -> Image:
        shown = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        if quality:
            _, sent = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, quality])
            return np.asarray(cv2.imdecode(sent, cv2.IMREAD_COLOR), np.uint8)
        return np.asarray(shown, np.uint8)

    same = before is not None and before.shape == now.shape
    return one(now), one(before) if before is not None and same else None, scale


def proposed(
    look: Image, before: Image | None, chance: np.random.Generator, most: int = 3
) -> list[Place]:
    """Where the detectors would look: what may burn by its colour, and what moved, the largest."""
    small = thumbnail(look)
    scale = max(look.shape[:2]) / max(small.shape[:2])
    masks = [as_mask(may_burn(*(p.astype(np.float32) for p in cv2.split(small))))]
    if before is not None:
        change = cv2.absdiff(small, thumbnail(before)).max(axis=2)
        masks.append(as_mask(np.asarray(change > MOVED)))
    places: list[Place] = []
    for mask in masks:
        closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, CLOSING)
        _, _, stats, _ = cv2.connectedComponentsWithStats(closed)
        for number in 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:most]:
            x, y, w, h, area = (int(v) for v in stats[number])
            if area < 0.0004 * mask.size:
                break
            large = max(w, h) * scale
            at = chance.normal(((x + w / 2.0) * scale, (y + h / 2.0) * scale), 0.05 * large)
            side = AROUND * large * float(chance.uniform(0.85, 1.2))
            places.append(((float(at[0]), float(at[1])), side))
    return places


def thinned(samples: Samples, chance: np.random.Generator) -> Samples:
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


def anywhere(
    look: Image, before: Image | None, chance: np.random.Generator, count: int
) -> list[Place]:
    """Half of them at random, half around what is warm, bright or changing."""
    h, w = look.shape[:2]
    places: list[Place] = []
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


def doubted(made: Image, flame: float, smoke: float) -> tuple[float, float]:
    """A plain orange or white field shows no flame, whatever the box.

    Nor does a plain or coloured one show smoke: `smoke` follows what is grey.
    """
    picture = made[..., :3].astype(np.float32)
    spread = float(picture.mean(axis=2).std())
    blue, red = picture[..., 0], picture[..., 2]
    warm = float(((red > 150.0) & (red - blue > 0.2 * red)).mean())
    if flame == 1.0 and (spread < 18.0 or warm < 0.03):
        flame = UNKNOWN
    if smoke == 1.0:
        grey = picture.max(axis=2) - picture.min(axis=2) < COLOURED
        burnt_out = picture.min(axis=2) > 245.0
        if spread < PLAIN or float((grey & ~burnt_out).mean()) < 0.35:
            smoke = UNKNOWN
    return flame, smoke


def glowing(look: Image, boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where within boxes of flame it glows: warm and bright, or white beside what is.

    boxes: rows of left, top, width, height. A box holds more road than flame as often as not.
    """
    found = np.zeros(look.shape[:2], np.bool_)
    for left, top, wide, tall in boxes:
        part = np.s_[
            max(0, int(top)) : int(top + tall) + 1, max(0, int(left)) : int(left + wide) + 1
        ]
        if look[part].size == 0:
            continue
        blue, green, red = (p.astype(np.float32) for p in cv2.split(look[part]))
        warm = (red > 165.0) & (red - blue > 45.0) & (red >= green)
        hot = warm | (np.minimum(red, green) > 235.0)
        count, labels = cv2.connectedComponents(hot.astype(np.uint8))
        for number in range(1, count):
            own = labels == number
            if float(warm[own].mean()) > 0.05:
                found[part] |= own
    return found
