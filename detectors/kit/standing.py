"""What came and now stands: foreground of a slow background that a fast average agrees with.

Two memories of each pixel (Porikli et al., 2008): the slow one (`kit/background.py`) is the empty
scene, the fast one what was there the last second. A pixel that differs from the first and
equals the second is covered by something that stands, and for how long is its age.

The place where a thing stood when the scene was learnt, and left, looks the same to that test: a
ghost. It is told apart by its outline: a thing has edges where the scene has none, a ghost is
an outline that only the memory of the scene has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import cv2
import numpy as np

from detectors.kit.background import (
    Background,
    BackgroundSettings,
    Foreground,
    Mask,
    as_mask,
    colours,
)
from detectors.kit.components import components
from detectors.kit.edges import edge_strength
from detectors.kit.steadying import Steadying
from detectors.kit.types import Frame, Plane

FAST_S = 1.0  # s, time constant of the fast memory
STILL_LUMA = 9.0  # 0..255 from the fast memory: three deviations of a compressed camera's noise
HIDDEN_S = 3.0  # s a thing may be hidden by what passes before it and keep its age
SEED_S = 1.5  # s; what stands this long is worth a look
EDGE = 24.0  # Sobel sum, 0..255 scale: a step of 6 between neighbours
KNOWN_S = 3.0  # s a pixel must have been seen empty before what covers it can count
LED_IN_S = 4.0  # s before it stood within which something must have moved beside it
STIR_S = 2.0  # s; what moved within it is about the thing now
RIM = 2  # pixels: what moves this near to a thing is at it
MAX_GAP_S = 5.0  # s without a picture after which all is forgotten
PARKED_S = 3600.0  # s after which it is taken for a part of the scene


@dataclass(frozen=True, slots=True)
class Standing:
    """One thing that stands."""

    left: int
    top: int
    width: int  # pixels of the thumbnail
    height: int
    area: int
    stood_s: float
    outline: float  # -1..1: share of its outline that is new, less that which only the scene has
    led_in: float  # 0..1: share of its surroundings where something moved just before it stood
    stir: float  # pixels in its box and at its rim that moved just now, in its own area


class StandingThings:
    """Finds what stands in the pictures of one camera. Feed it pictures in order."""

    def __init__(self, smallest: float, hidden_s: float = HIDDEN_S, settles_s: float = 0.0) -> None:
        """smallest: share of the picture's area below which a thing is not told.

        hidden_s: how long a thing may be hidden by what passes before it and keep its age.
        settles_s: how long a thing may have stood, at the most, before the fast memory shows it;
        where a pixel changed at once no longer ago, the time since then counts as well.
        """
        self.smallest = smallest
        self._hidden_s = hidden_s
        self._settles_s = settles_s
        self.background = Background(BackgroundSettings(upset_share=0.5))
        self._steadying = Steadying()
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._steadying.reset()
        self._view: int | None = None
        self._forget()

    def _forget(self) -> None:
        self.background.reset()
        self._pixels: _Pixels | None = None
        self._at: datetime | None = None
        self._second = 0.0
        self._keep: Mask | None = None

    def step(self, frame: Frame) -> list[Standing]:
        """The things that stand in this picture, those that left their outline behind included.

        In pixels of its thumbnail.
        """
        steadied, at = self._steadying.of(frame), frame.captured_at
        if steadied.turning:
            return []
        if self._view != steadied.view:
            self._view = steadied.view
            self._forget()
        image, known = steadied.image, steadied.once(colours)
        luma = known[0].astype(np.float32)
        gap_s = (at - self._at).total_seconds() if self._at is not None else 0.0
        pixels = self._pixels
        if pixels is None or pixels.fast.shape != luma.shape or not 0.0 <= gap_s <= MAX_GAP_S:
            self._forget()
            gap_s = 0.0
            pixels = self._pixels = _Pixels.begin(luma)
        self._at = at
        self._second += gap_s
        found = self.background.apply(image, at, self._keep, known)
        if found.upset:
            return []
        pixels.learn(luma, found, gap_s, self._second, (self._hidden_s, self._settles_s))
        things, keep = self._things(pixels, known[1:], image.shape[0] * image.shape[1])
        self._keep = keep
        return things

    def _things(
        self, pixels: _Pixels, chroma: Sequence[cv2.typing.MatLike], picture: int
    ) -> tuple[list[Standing], Mask]:
        seeds = as_mask((pixels.age_s >= SEED_S) & (pixels.age_s < PARKED_S))
        seeds = np.asarray(cv2.morphologyEx(seeds, cv2.MORPH_CLOSE, _BLOCK), np.uint8)
        seeds = np.asarray(cv2.morphologyEx(seeds, cv2.MORPH_OPEN, _CROSS), np.uint8)
        keep = np.zeros_like(seeds)
        labels, stats = components(seeds)
        new_edges = old_edges = None
        things = []
        for number in range(1, len(stats)):
            left, top, width, height, area = (int(v) for v in stats[number])
            if area < self.smallest * picture:
                continue
            if new_edges is None or old_edges is None:
                new_edges = _edges((pixels.fast, *chroma))
                old_edges = _edges(self.background.planes())
            rows, columns = _around(left, top, width, height, labels.shape)
            there = as_mask(labels[rows, columns] == number)
            thing = _judge(
                pixels,
                self._second,
                there,
                (rows, columns),
                new_edges[rows, columns],
                old_edges[rows, columns],
                (left, top, width, height, area),
            )
            things.append(thing)
            if thing.outline > 0.0:
                grown = np.asarray(cv2.dilate(there, _BLOCK), np.uint8)
                keep[rows, columns] = np.maximum(keep[rows, columns], grown)
        return things, keep


_CROSS = np.asarray(cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)), np.uint8)
_BLOCK = np.ones((5, 5), np.uint8)


@dataclass(slots=True)
class _Pixels:
    """What is known of each pixel."""

    fast: Plane  # luma of the last second
    age_s: Plane  # how long something stands there
    moved_at: Plane  # s: when something last moved there
    known_s: Plane  # how long it was seen empty
    last: Plane  # luma of the picture before
    changed_at: Plane  # s: when it last was another from one picture to the next

    @classmethod
    def begin(cls, luma: Plane) -> _Pixels:
        nothing = np.zeros_like(luma)
        never = np.full_like(luma, -math.inf)
        return cls(luma.copy(), nothing, never, nothing.copy(), luma.copy(), nothing.copy())

    def learn(
        self,
        luma: Plane,
        found: Foreground,
        gap_s: float,
        second: float,
        spans_s: tuple[float, float],
    ) -> None:
        hidden_s, settles_s = spans_s
        there = found.moving > 0
        still = np.asarray(cv2.absdiff(luma, self.fast)) < STILL_LUMA
        cv2.accumulateWeighted(luma, self.fast, 1.0 - math.exp(-gap_s / FAST_S))
        # where the scene was never seen empty, what is left of the first pictures may stand out
        empty = (found.moving == 0) & (found.shadow == 0)
        self.known_s += np.multiply(empty, np.float32(gap_s), dtype=np.float32)
        stands = there & still & (self.known_s >= KNOWN_S)
        if settles_s > 0.0:
            changed = np.asarray(cv2.absdiff(luma, self.last)) >= STILL_LUMA
            np.copyto(self.changed_at, np.float32(second), where=changed)
            self.last = luma
            came = stands & (self.age_s == 0.0)
            since = second - self.changed_at[came]
            # what crept in with the light or the sensor never came, and has no such moment
            self.age_s[came] = np.where(since <= settles_s, since, 0.0)
        # a thing hidden for a moment ages on, one that left is gone after hidden_s at most
        loss_s = np.maximum(np.float32(gap_s), self.age_s * np.float32(gap_s / hidden_s))
        older = self.age_s + np.float32(gap_s)
        np.maximum(self.age_s - loss_s, np.float32(0.0), out=self.age_s)
        np.copyto(self.age_s, older, where=stands)
        np.copyto(self.moved_at, np.float32(second), where=there & ~still)


def _edges(planes: Sequence[cv2.typing.MatLike]) -> Plane:
    """In light or in colour: a red car on grey asphalt may be just as bright."""
    strongest = edge_strength(planes[0])
    for plane in planes[1:]:
        np.maximum(strongest, edge_strength(plane), out=strongest)
    return np.asarray(cv2.dilate(strongest, _CROSS), np.float32)


def _around(
    left: int, top: int, width: int, height: int, shape: tuple[int, ...]
) -> tuple[slice, slice]:
    """The box with half of its size on each side."""
    aside, above = max(4, width // 2), max(4, height // 2)
    return (
        slice(max(0, top - above), min(shape[0], top + height + above)),
        slice(max(0, left - aside), min(shape[1], left + width + aside)),
    )


def _judge(
    pixels: _Pixels,
    second: float,
    there: Mask,
    part: tuple[slice, slice],
    new_edges: Plane,
    old_edges: Plane,
    box: tuple[int, int, int, int, int],
) -> Standing:
    inside = there > 0
    stood_s = float(np.median(pixels.age_s[part][inside]))
    contour = cv2.morphologyEx(there, cv2.MORPH_GRADIENT, _CROSS) > 0
    more = new_edges[contour] - old_edges[contour]
    outline = float((more > EDGE).mean() - (more < -EDGE).mean())
    moved = pixels.moved_at[part][~inside] >= second - stood_s - LED_IN_S
    led_in = float(moved.mean()) if moved.size else 0.0
    left, top, width, height, area = box
    near = (
        slice(max(0, top - RIM), top + height + RIM),
        slice(max(0, left - RIM), left + width + RIM),
    )
    stir = np.count_nonzero(pixels.moved_at[near] >= second - STIR_S) / area
    return Standing(*box, stood_s=stood_s, outline=outline, led_in=led_in, stir=stir)
