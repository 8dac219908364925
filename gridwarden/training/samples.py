"""Samples for a verifier of regions: how they are gathered, cut and doubted."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.kit.region import CHANNELS, SIDE
from detectors.kit.types import Image

LAG_S = 0.8  # s between a picture and the one its change is measured from, as at run time
UNKNOWN = -1.0
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


def doubted(made: Image, flame: float, smoke: float) -> tuple[float, float]:
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
