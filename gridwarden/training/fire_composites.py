"""Flames and smoke cut out of the stills and shown elsewhere, and other things shown the same way.

The stills hold few fires, each before one background: a net that sees a fire there only learns the
background. Cut out by how brightly and warmly each pixel shines, laid as light over other pictures,
and lit by another exposure, one flame is many; a part of a smoke, behind a soft edge, is another
smoke. Warm and grey parts of pictures without fire go the same way, so that the seam tells nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.kit.region import crop
from detectors.kit.types import Image, Plane
from edge.scenes.drawing import turbulence
from gridwarden.training.fire_samples import FLAME, SMOKE, Still
from gridwarden.training.samples import UNKNOWN, Heap, Samples, anywhere, filmed, in_parallel
from gridwarden.training.sources import ELSEWHERE, FOLDS, fold_of

SMALLEST = 16  # pixels of a still: less has no shape
MOST_OF_A_SOURCE = 60  # cut-outs: the still with the most pictures must not be all that counts
WIDE, TALL = 640, 360  # pixels of the picture that is made
T = TypeVar("T")
Light = NDArray[np.float32]  # (h, w, 3), 0..1
Pair = tuple[Light, Light]  # now, and a moment before


@dataclass(frozen=True, slots=True)
class Material:
    """What composites are made of: backdrops of each fold; flames and smokes of each source."""

    backdrops: list[list[Image]]
    flames: dict[str, list[Pair]]
    smokes: dict[str, list[Image]]


def material(
    stills: list[Still], backdrops: list[list[Image]], chance: np.random.Generator
) -> Material:
    """All flames of the stills as light, and parts of all smokes; so many of one source."""
    flames: dict[str, list[Pair]] = {}
    smokes: dict[str, list[Image]] = {}
    for still in stills:
        for kind, left, top, wide, tall in still.boxes:
            if min(wide, tall) < SMALLEST:
                continue
            if kind == FLAME:
                pair = _flame(still, left, top, wide, tall, chance)
                if pair is not None:
                    flames.setdefault(still.name.source, []).append(pair)
            elif kind == SMOKE:
                x, y = int(left + 0.15 * wide), int(top + 0.15 * tall)
                inner = still.picture[y : int(top + 0.85 * tall), x : int(left + 0.85 * wide)]
                if min(inner.shape[:2]) >= SMALLEST and 4.0 < float(inner.mean(axis=2).std()) < 50:
                    smokes.setdefault(still.name.source, []).append(inner)
    return Material(backdrops, _some(flames, chance), _some(smokes, chance))


def _some(found: dict[str, list[T]], chance: np.random.Generator) -> dict[str, list[T]]:
    return {
        source: [found[source][int(n)] for n in chance.permutation(len(found[source]))][
            :MOST_OF_A_SOURCE
        ]
        for source in sorted(found)
    }


def _flame(
    still: Still, left: float, top: float, wide: float, tall: float, chance: np.random.Generator
) -> Pair | None:
    x, y = max(0, int(left - 0.1 * wide)), max(0, int(top - 0.15 * tall))
    part = np.s_[y : int(top + 1.05 * tall), x : int(left + 1.1 * wide)]
    now = shining(still.picture[part])
    if now.max(axis=2).mean() < 0.08:
        return None  # a dark box: smoke, or a flame nobody can see
    return now, shining(still.near[part]) if still.near is not None else boiled(now, chance, 1.0)


def shining(picture: Image) -> Light:
    """What of a picture shines warmly, or so brightly that its colour is lost; the edge fades."""
    light = picture.astype(np.float32) / 255.0
    blue, green, red = cv2.split(light)
    warm = np.clip((red - 0.45) / 0.25, 0.0, 1.0) * np.clip((red - blue - 0.08) / 0.15, 0.0, 1.0)
    white = np.clip((np.minimum(red, green) - 0.85) / 0.10, 0.0, 1.0)
    h, w = red.shape
    across = np.minimum(np.arange(w), np.arange(w)[::-1]) / max(1.0, 0.12 * w)
    down = np.minimum(np.arange(h), np.arange(h)[::-1]) / max(1.0, 0.12 * h)
    fade = np.minimum(1.0, np.minimum(down[:, None], across[None, :])).astype(np.float32)
    shown = cv2.GaussianBlur(np.maximum(warm, white), (0, 0), 0.8) * fade
    return np.asarray(light * shown[..., None], np.float32)


def boiled(light: Light, chance: np.random.Generator, strength: float) -> Light:
    """The same a moment before: every part of it has moved, grown or sunk by itself."""
    h, w = light.shape[:2]
    coarse = chance.normal(0.0, 0.09 * strength * max(h, w), (2, 6, 5)).astype(np.float32)
    move = [cv2.resize(c, (w, h), interpolation=cv2.INTER_CUBIC) for c in coarse]
    rows, columns = np.mgrid[0:h, 0:w].astype(np.float32)
    moved = cv2.remap(light, columns + move[0], rows + move[1], cv2.INTER_LINEAR)
    gain = cv2.resize(chance.uniform(0.6, 1.4, (4, 4)).astype(np.float32), (w, h))
    return np.asarray(np.clip(moved * gain[..., None], 0.0, 1.0), np.float32)


def ragged(size: tuple[int, ...], chance: np.random.Generator) -> tuple[Plane, Plane]:
    """Two masks 0..1 of a torn outline that changes from the one to the other, as a flame's does.

    size: height, width, and what is not asked.
    """
    h, w = size[:2]
    field = turbulence(chance, 128, (3, 6, 12, 24))
    down, across = np.mgrid[-1.0 : 1.0 : h * 1j, -1.0 : 1.0 : w * 1j].astype(np.float32)
    wide, tall = chance.uniform(0.7, 1.3, 2)
    lean, torn = float(chance.normal(0.0, 0.25)), float(chance.uniform(0.15, 0.45))
    pointed = float(chance.uniform(0.0, 0.7))  # narrower to the top
    half = wide * (1.0 + pointed * (down - 1.0) * 0.5)
    far = np.hypot((across - lean * down) / np.maximum(half, 0.1), down / tall)
    masks = []
    for rise in (0, int(chance.integers(10, 60))):
        edge = cv2.resize(np.roll(field, -rise, 0), (w, h), interpolation=cv2.INTER_CUBIC)
        masks.append(np.asarray(np.clip(5.0 * (1.0 - far + torn * edge), 0.0, 1.0), np.float32))
    return masks[0], masks[1]


def from_composites(made_of: Material, flames: int, smokes: int, seed: int) -> Samples:
    """Flames and smokes of each source over pictures without fire of its fold; and as many others.

    Source: "garage elsewhere" for what was cut out of the source garage; for what is neither,
    "pasted N" for warm light and "veil N" for grey.
    """
    tasks: list[tuple[str, str, int, int]] = []
    for kind, sources, each in (
        ("flame", made_of.flames, flames),
        ("smoke", made_of.smokes, smokes),
    ):
        tasks += [(kind, source, number, seed) for source in sources for number in range(each)]
        other = "pasted" if kind == "flame" else "veil"
        tasks += [(other, "", number, seed) for number in range(each * len(sources) * 2 // 3)]
    return in_parallel(_composed, made_of, tasks)


def _composed(made_of: Material, task: tuple[str, str, int, int]) -> Samples:
    kind, source, number, seed = task
    chance = np.random.default_rng((seed, number, sum((kind + source).encode())))
    heap = Heap()
    fold = fold_of(source) if source else number % FOLDS
    own = made_of.backdrops[fold]
    name = source + ELSEWHERE if source else f"{kind} {number}"
    if kind in ("flame", "pasted"):
        if source:
            now, before = _any(made_of.flames[source], chance)
            if chance.random() < 0.5:
                before = boiled(now, chance, float(chance.uniform(0.4, 1.2)))
        else:
            now = shining(_part(own, chance, 2))
            before = now if chance.random() < 0.7 else np.roll(now, chance.integers(-6, 7), 1)
            if now.max(axis=2).mean() < 0.05:
                return heap.whole()
        shape, other = ragged(now.shape, chance)
        now, before = now * shape[..., None], before * (other if source else shape)[..., None]
        lit(heap, _any(own, chance), (now, before), 1.0 if source else 0.0, name, chance)
    else:
        grey = _any(made_of.smokes[source], chance) if source else _part(own, chance, 1)
        _veiled(heap, _any(own, chance), grey, 1.0 if source else 0.0, name, chance)
    return heap.whole()


def _any(of: list[T], chance: np.random.Generator) -> T:
    return of[int(chance.integers(len(of)))]


def _part(backdrops: list[Image], chance: np.random.Generator, how: int) -> Image:
    """A part of a picture without fire. how: 1 anywhere, 2 around what is warm and bright."""
    other = _any(backdrops, chance)
    middle, side = anywhere(other, None, chance, 2)[how - 1]
    return np.asarray(crop(other, None, middle, side)[..., :3], np.uint8)


def base_of(backdrop: Image, chance: np.random.Generator) -> Light:
    """(TALL, WIDE, 3) of 0..1: a picture to lay something over, by day or by night."""
    sized = cv2.resize(backdrop, (WIDE, TALL), interpolation=cv2.INTER_LINEAR)
    return sized.astype(np.float32) / 255.0 * float(chance.uniform(0.15, 1.1))


def lit(
    heap: Heap,
    backdrop: Image,
    pair: Pair,
    flame: float,
    source: str,
    chance: np.random.Generator,
) -> None:
    """One crop of a light over a backdrop, as a camera at rest or in motion sees it."""
    size = float(np.exp(chance.uniform(np.log(10.0), np.log(0.8 * TALL))))
    h, w = pair[0].shape[:2]
    scale = size / max(h, w)
    wide, tall = max(4, round(scale * w)), max(4, round(scale * h))
    x, y = int(chance.uniform(0, max(1, WIDE - wide))), int(chance.uniform(0, max(1, TALL - tall)))
    gain = float(np.exp(chance.uniform(np.log(0.7), np.log(2.2))))
    tint = np.array([chance.uniform(0.5, 1.1), chance.uniform(0.75, 1.1), 1.0], np.float32)
    base, mirrored = base_of(backdrop, chance), chance.random() < 0.5
    shake = chance.normal(0.0, 0.04 * WIDE, 2) if chance.random() < 0.4 else np.zeros(2)
    bloom = float(chance.uniform(0.1, 0.5)) if chance.random() < 0.4 else 0.0
    looks: list[Image] = []
    for light, move in zip(pair, (np.zeros(2), shake), strict=True):
        sized = cv2.resize(light, (wide, tall), interpolation=cv2.INTER_AREA)
        if mirrored:
            sized = cv2.flip(sized, 1)
        over: cv2.typing.MatLike = np.zeros((TALL, WIDE, 3), np.float32)
        over[y : y + tall, x : x + wide] = np.clip(
            sized[: TALL - y, : WIDE - x] * gain * tint, 0.0, 1.0
        )
        if bloom:  # the glare around a flame at night, or on a dirty lens
            over = np.clip(over + bloom * _glare(over, 0.25 * size), 0.0, 1.0)
        shown = 1.0 - (1.0 - over) * (1.0 - base * (1.0 - over.max(axis=2, keepdims=True)))
        if move.any():
            shift = np.array([[1.0, 0.0, move[0]], [0.0, 1.0, move[1]]])
            shown = cv2.warpAffine(shown, shift, (WIDE, TALL), borderMode=cv2.BORDER_REPLICATE)
        looks.append(np.asarray(np.clip(shown * 255.0, 0, 255), np.uint8))
    now, before, by = filmed(looks[0], looks[1], chance)
    large = max(wide, tall)
    at = chance.normal(((x + wide / 2.0) * by, (y + tall / 2.0) * by), 0.1 * large * by)
    side = large * by * float(chance.uniform(0.8, 1.9))
    heap.add(crop(now, before, (float(at[0]), float(at[1])), side), flame, 0.0, source)


def _glare(light: cv2.typing.MatLike, reach: float) -> cv2.typing.MatLike:
    """The light spread over so many pixels; blurred small, for a wide one is slow."""
    step = max(1, int(reach / 4.0))
    small = cv2.resize(light, (WIDE // step, TALL // step), interpolation=cv2.INTER_AREA)
    spread = cv2.GaussianBlur(small, (0, 0), reach / step)
    return cv2.resize(spread, (WIDE, TALL), interpolation=cv2.INTER_LINEAR)


def _veiled(
    heap: Heap, backdrop: Image, grey: Image, smoke: float, source: str, chance: np.random.Generator
) -> None:
    """At most one crop of a part of another picture over a backdrop.

    A smoke has a soft edge, and has grown and rolled since a moment before; a thing has an edge.
    """
    base = base_of(backdrop, chance)
    size = float(np.exp(chance.uniform(np.log(30.0), np.log(0.9 * TALL))))
    wide, tall = round(size * float(chance.uniform(0.6, 1.6))), round(size)
    x = int(chance.uniform(0.1, 0.9) * WIDE - wide / 2.0)
    y = int(chance.uniform(0.1, 0.9) * TALL - tall / 2.0)
    dense = float(chance.uniform(0.4, 1.0))
    outline = turbulence(chance, 256, (3, 7, 15, 31))
    torn = float(chance.uniform(0.2, 0.6) if smoke else chance.uniform(0.0, 0.2))
    steep = float(chance.uniform(1.0, 3.0) if smoke else chance.uniform(4.0, 20.0))
    texture = cv2.resize(grey, (WIDE, TALL), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    texture = np.asarray(texture / 255.0 * float(chance.uniform(0.7, 1.3)), np.float32)
    down, across = np.mgrid[0:TALL, 0:WIDE].astype(np.float32)
    looks: list[Image] = []
    for past in (0.0, 1.0):
        grown = 1.0 - past * float(chance.uniform(0.0, 0.35))
        roll = past * chance.normal(0.0, 12.0, 2)
        field = cv2.resize(np.roll(outline, [int(v) for v in roll], (0, 1)), (WIDE, TALL))
        far = np.hypot(
            (across - x - wide / 2.0 + 0.3 * roll[1]) / (0.55 * wide * grown),
            (down - y - tall / 2.0 + 0.3 * roll[0]) / (0.55 * tall * grown),
        )
        hides = np.clip(steep * (1.0 - far + torn * field), 0.0, 1.0) * dense
        moved = np.roll(texture, [int(v) for v in roll], (0, 1))
        shown = base * (1.0 - hides[..., None]) + moved * hides[..., None]
        there = hides > 0.2 * dense
        if not looks and (there.mean() < 0.001 or np.abs(shown - base)[there].mean() < 0.06):
            return  # nobody can see it before this backdrop
        looks.append(np.asarray(np.clip(shown * 255.0, 0, 255), np.uint8))
    now, before, by = filmed(looks[0], looks[1], chance)
    large = max(wide, tall)
    at = chance.normal(((x + wide / 2.0) * by, (y + tall / 2.0) * by), 0.08 * large * by)
    made = crop(now, before, (float(at[0]), float(at[1])), large * by * chance.uniform(0.5, 1.3))
    if smoke and float(made[..., :3].mean(axis=2).std()) < 5.0:
        return  # a plain grey field
    burns = UNKNOWN if smoke and float(shining(grey).max(axis=2).mean()) > 0.1 else 0.0
    heap.add(made, burns, smoke, source)
