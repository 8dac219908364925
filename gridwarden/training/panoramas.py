"""Views of panoramas with their whole range of light, as cameras of any exposure show them.

A lamp or a low sun in such a picture is as much brighter than its street as in truth, so the same
place can be shown by day settings and by night ones. None of them burns.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from contract.errors import GridwardenError
from detectors.kit.region import crop
from detectors.kit.types import Image
from gridwarden.training.samples import (
    Heap,
    Samples,
    anywhere,
    filmed,
    in_parallel,
    proposed,
)
from gridwarden.training.sources import FOLDS, PANORAMAS, fold_of

WIDE, TALL = 384, 216  # pixels of a view: a panorama of 1,024 holds no more
VIEWS = 45  # of one panorama
BACKDROPS = 5  # of one panorama


def from_panoramas(data: Path, seed: int) -> Samples:
    """Crops of views at rest, shaken or of changing exposure. Source: the path."""
    return in_parallel(_seen, data, [(number, seed) for number in range(len(PANORAMAS))])


def _seen(data: Path, task: tuple[int, int]) -> Samples:
    path, chance, heap = PANORAMAS[task[0]], np.random.default_rng((*task, 7)), Heap()
    light = _light(data / path)
    for _ in range(VIEWS):
        turn, gain, wide = _aim(chance)
        now = view(light, turn, wide, gain)
        kind = chance.random()
        if kind < 0.35:
            before = now.copy()
        elif kind < 0.8:  # a camera that sways
            shaken = (
                turn[0] + float(chance.normal(0, 0.006)),
                turn[1] + float(chance.normal(0, 0.006)),
            )
            before = view(light, shaken, wide, gain)
        else:
            before = view(light, turn, wide, gain * float(np.exp(chance.normal(0, 0.25))))
        look, earlier, _ = filmed(now, before, chance)
        for middle, side in proposed(look, earlier, chance) + anywhere(look, earlier, chance, 4):
            heap.add(crop(look, earlier, middle, side), 0.0, 0.0, path)
    return heap.whole()


def backdrops(data: Path, chance: np.random.Generator) -> list[list[Image]]:
    """Views to lay flames and smokes over, of each fold."""
    found: list[list[Image]] = [[] for _ in range(FOLDS)]
    for path in PANORAMAS:
        light = _light(data / path)
        for _ in range(BACKDROPS):
            turn, gain, wide = _aim(chance)
            shown = cv2.resize(view(light, turn, wide, gain), (512, 288))
            found[fold_of(path)].append(np.asarray(shown, np.uint8))
    return found


def _aim(chance: np.random.Generator) -> tuple[tuple[float, float], float, float]:
    """(yaw, pitch) and width of a view in rad, and how much of the light is let in."""
    turn = float(chance.uniform(-np.pi, np.pi)), float(chance.uniform(-0.45, 0.25))
    return (
        turn,
        float(np.exp(chance.uniform(np.log(0.25), np.log(3.0)))),
        float(chance.uniform(1.2, 1.75)),
    )


def _light(path: Path) -> cv2.typing.MatLike:
    """(h, w, 3) float32, linear, its median luma at 0.18."""
    light = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if light is None:
        raise GridwardenError(f"{path} cannot be read: it is one of the panoramas to learn from")
    luma = light.mean(axis=2)
    return np.asarray(light * (0.18 / max(1e-4, float(np.median(luma)))), np.float32)


def view(light: cv2.typing.MatLike, turn: tuple[float, float], wide: float, gain: float) -> Image:
    """(TALL, WIDE, 3) as a camera shows it. turn: yaw and pitch; wide: its angle of view; rad."""
    focal = 0.5 * WIDE / np.tan(0.5 * wide)
    down, across = np.mgrid[0:TALL, 0:WIDE].astype(np.float32)
    x, y = (across - WIDE / 2.0) / focal, (TALL / 2.0 - down) / focal
    yaw, pitch = turn
    up = y * np.cos(pitch) + np.sin(pitch)
    ahead = np.cos(pitch) - y * np.sin(pitch)
    longitude = np.arctan2(x, ahead) + yaw
    latitude = np.arctan2(up, np.hypot(x, ahead))
    h, w = light.shape[:2]
    columns = (longitude / (2.0 * np.pi) + 0.5) * w % w
    rows = (0.5 - latitude / np.pi) * h
    seen = cv2.remap(
        light,
        columns.astype(np.float32),
        rows.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    shown = np.clip(seen * gain, 0.0, 1.0) ** (1.0 / 2.2)
    return np.asarray(shown * 255.0, np.uint8)
