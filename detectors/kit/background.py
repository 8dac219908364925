"""What of a picture is not the empty scene: mean and variance per pixel, light and shadow apart.

One Gaussian per pixel over luma and chroma (Wren et al., Pfinder, 1997), with what fixed street
cameras need on top:

- global light: the median ratio of luma to the model is taken out, so auto-exposure moves nothing;
- shadow: darker by a plausible factor at the same chroma (as in Cucchiara et al., 2003);
- freeze: a flash or a cut changes most of the picture; the model then waits, and begins anew
  where the change stays;
- a thing that stands still is taken into the scene, slower than the scene itself drifts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, cast, runtime_checkable

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.kit.median import median
from detectors.kit.steadying import same_view
from detectors.kit.types import Image, Plane

KNOWN_FROM_S = 10.0  # age from which a scene is worth keeping
KNOWN_FOR = timedelta(minutes=30)  # after which the sun has moved its shadows too far

Mask = NDArray[np.uint8]  # 0 or 255
Array = cv2.typing.MatLike
Colours = tuple[Array, ...]  # Y, Cr and Cb of a picture, (h, w) uint8 each


@dataclass(frozen=True, slots=True)
class BackgroundSettings:
    """How the scene is learnt and what stands out of it."""

    scene_s: float = 6.0  # s, time constant of pixels that show the scene
    standing_s: float = 20.0  # s, of pixels that show something which stands still
    moving_s: float = 120.0  # s, of pixels that show something which moves
    warm_up_s: float = 1.0  # s in which the model averages all it sees
    sigmas: float = 3.5  # deviations of luma that stand out
    luma_floor: int = 11  # 0..255, least deviation of luma that stands out: four of its noise
    chroma_floor: int = 10  # 0..255, the same for Cr or Cb
    shadow_from: float = 0.45  # a shadow keeps at least this share of the light
    shadow_chroma: int = 7  # 0..255, and its chroma moves less than this
    upset_share: float = 0.6  # of the picture; more than this is a flash, a cut or the camera
    upset_light: float = 2.0  # a larger factor of light than this, or below its inverse, too
    upset_s: float = 1.5  # s after which a lasting upset is the new scene
    max_gap_s: float = 5.0  # s without a frame after which the scene is learnt anew


@dataclass(frozen=True, slots=True)
class KnownScene:
    """A scene as it was learnt, to begin with after a restart."""

    mean: NDArray[np.uint8]  # (h, w, 3) Y, Cr, Cb
    variance: NDArray[np.float16]  # (h, w) of Y
    at: datetime  # capture time of the last picture it was learnt from


@dataclass(frozen=True, slots=True)
class Foreground:
    """What stands out of the scene in one picture."""

    moving: Mask  # things, without their shadows
    shadow: Mask
    light: float  # luma of the picture against the model, 1 where nothing changed
    upset: bool  # most of the picture changed: `moving` says nothing


class Background:
    """The scene as one camera knows it. Feed it pictures in order."""

    def __init__(self, settings: BackgroundSettings | None = None) -> None:
        self.settings = settings or BackgroundSettings()
        self._resumed: KnownScene | None = None
        self._floors: Mask | None = None
        self.reset()

    def reset(self) -> None:
        """Forget the scene. What was handed to `resume` still waits for the first picture."""
        self._scene: _Scene | None = None
        self._at: datetime | None = None
        self._upset_since: datetime | None = None

    def known(self) -> KnownScene | None:
        """The scene for a later start; None while it is too young, or a flash hides it."""
        scene, at = self._scene, self._at
        if scene is None or at is None or scene.age_s < KNOWN_FROM_S or self._upset_since:
            return None
        mean = np.clip(np.rint(np.dstack(scene.mean)), 0, 255).astype(np.uint8)
        return KnownScene(mean, np.minimum(scene.variance, 6e4).astype(np.float16), at)

    def resume(self, known: KnownScene) -> None:
        """Begin with this scene, if the first picture has its size, view and light, and comes no
        later than `KNOWN_FOR` after it. Else that picture begins a scene of its own.
        """
        self._resumed = known

    def apply(
        self, image: Image, at: datetime, keep: Mask | None = None, known: Colours | None = None
    ) -> Foreground:
        """What stands out of this picture, of its size; learns from it.

        keep: 255 where a thing is known to be no part of the scene however long it stands.
        known: `colours(image)`, if it was made already.
        """
        current = colours(image) if known is None else known
        gap_s = (at - self._at).total_seconds() if self._at is not None else 0.0
        self._at = at
        if self._scene is None:
            self._scene = self._resume(current, at)
        scene, self._resumed = self._scene, None
        if (
            scene is None
            or scene.last_luma.shape != current[0].shape
            or not 0.0 <= gap_s <= self.settings.max_gap_s
        ):
            return self._begin(current)
        scene.age_s += gap_s
        found, off = self._compare(scene, current)
        if found.upset and scene.age_s > self.settings.warm_up_s:
            return self._wait(scene, current, at, found)
        self._upset_since = None
        self._learn(scene, current, off, gap_s, found, keep)
        return found

    def luma(self) -> NDArray[np.float32]:
        """Luma of the scene as it is known, (h, w), not to be written to.

        Raises ValueError before the first picture.
        """
        return self.planes()[0]

    def planes(self) -> tuple[Plane, Plane, Plane]:
        """Luma, Cr and Cb of the scene, the same way."""
        if self._scene is None:
            raise ValueError("no scene is known yet: apply a picture first")
        return self._scene.mean

    def _resume(self, current: Colours, at: datetime) -> _Scene | None:
        """The scene that was handed over, where this first picture shows it."""
        known, luma = self._resumed, current[0]
        if (
            known is None
            or known.mean.shape != (*luma.shape, 3)
            or not timedelta() <= at - known.at <= KNOWN_FOR
            or not same_view(known.mean[..., 0], luma)
        ):
            return None
        scene = _Scene(
            mean=_floats(cv2.split(known.mean)),
            variance=known.variance.astype(np.float32),
            last_luma=luma,
            age_s=KNOWN_FROM_S,
        )
        found, _ = self._compare(scene, current)
        return None if found.upset else scene

    def _begin(self, current: Colours) -> Foreground:
        luma = current[0]
        self._scene = _Scene(
            mean=_floats(current),
            variance=np.full(luma.shape, (self.settings.luma_floor / 2.0) ** 2, np.float32),
            last_luma=luma,
        )
        self._upset_since = None
        none = np.zeros(luma.shape, np.uint8)
        return Foreground(none, none, 1.0, upset=False)

    def _compare(self, scene: _Scene, planes: Sequence[Array]) -> tuple[Foreground, Array]:
        """What stands out, and by how much each pixel's luma does."""
        s = self.settings
        luma, red, blue = planes
        mean_luma, mean_red, mean_blue = scene.mean
        light = _light(luma, mean_luma)
        expected = cv2.convertScaleAbs(mean_luma, alpha=light)
        off = cv2.absdiff(luma, expected)
        chroma = cv2.absdiff(red, cv2.convertScaleAbs(mean_red))
        other = cv2.absdiff(blue, cv2.convertScaleAbs(mean_blue))
        cv2.max(chroma, other, dst=chroma)
        cv2.sqrt(scene.variance, dst=scene.room)
        spread = cv2.convertScaleAbs(scene.room, alpha=s.sigmas)
        cv2.max(spread, self._floor(luma.shape), dst=spread)
        out = cv2.compare(off, spread, cv2.CMP_GT)
        cv2.bitwise_or(out, cv2.threshold(chroma, s.chroma_floor, 255, cv2.THRESH_BINARY)[1], out)
        share = cv2.countNonZero(out) / out.size
        darkest = cv2.convertScaleAbs(mean_luma, alpha=light * s.shadow_from)
        shadow = cv2.bitwise_and(out, cv2.compare(luma, expected, cv2.CMP_LT))
        cv2.bitwise_and(shadow, cv2.compare(luma, darkest, cv2.CMP_GT), shadow)
        same = cv2.threshold(chroma, s.shadow_chroma - 1, 255, cv2.THRESH_BINARY_INV)[1]
        cv2.bitwise_and(shadow, same, shadow)
        found = Foreground(
            moving=cast(Mask, cv2.bitwise_xor(out, shadow)),
            shadow=cast(Mask, shadow),
            light=light,
            upset=share > s.upset_share or not 1.0 / s.upset_light <= light <= s.upset_light,
        )
        return found, off

    def _floor(self, shape: tuple[int, ...]) -> Mask:
        """The least deviation as a plane: OpenCV compares with a number at forty times the cost."""
        if self._floors is None or self._floors.shape != shape:
            self._floors = np.full(shape, self.settings.luma_floor, np.uint8)
        return self._floors

    def _wait(self, scene: _Scene, current: Colours, at: datetime, found: Foreground) -> Foreground:
        if self._upset_since is None:
            self._upset_since = at
        elif (at - self._upset_since).total_seconds() > self.settings.upset_s:
            return self._begin(current)
        scene.last_luma = current[0]
        return found

    def _learn(
        self,
        scene: _Scene,
        planes: Sequence[Array],
        off: Array,
        gap_s: float,
        found: Foreground,
        keep: Mask | None,
    ) -> None:
        s = self.settings
        luma = planes[0]
        out = cv2.bitwise_or(found.moving, found.shadow)
        change, most = cv2.absdiff(luma, scene.last_luma), (s.luma_floor - 1) // 2
        still = cv2.threshold(change, most, 255, cv2.THRESH_BINARY_INV)[1]
        empty = cv2.bitwise_not(out)
        square = np.multiply(off, off, dtype=np.uint16)
        cv2.accumulateWeighted(square, scene.variance, _rate(gap_s, s.scene_s), empty)
        if keep is not None:
            out = cv2.bitwise_and(out, cv2.bitwise_not(keep))
        averaging = _rate(gap_s, s.warm_up_s) if scene.age_s < s.warm_up_s else 0.0
        for mask, constant_s in (
            (empty, s.scene_s),
            (cv2.bitwise_and(out, still), s.standing_s),
            (cv2.bitwise_and(out, cv2.bitwise_not(still)), s.moving_s),
        ):
            if cv2.countNonZero(mask):
                rate = max(averaging, _rate(gap_s, constant_s))
                for plane, mean in zip(planes, scene.mean, strict=True):
                    cv2.accumulateWeighted(plane, mean, rate, mask)
        scene.last_luma = luma


@dataclass(slots=True)
class _Scene:
    """What is known of each pixel."""

    mean: tuple[Plane, Plane, Plane]  # Y, Cr, Cb
    variance: Plane  # of Y
    last_luma: Array  # (h, w) uint8
    age_s: float = 0.0
    room: Plane = field(init=False)  # to compute in

    def __post_init__(self) -> None:
        self.room = np.empty_like(self.variance)


@runtime_checkable
class KnowsScenes(Protocol):
    """A detector that can go on with scenes which were learnt before a restart."""

    def backgrounds(self) -> tuple[Background, ...]:
        """Its backgrounds, always in the same order."""


def colours(image: Image) -> Colours:
    """The picture as Y, Cr and Cb. Nobody writes to them."""
    return tuple(cv2.split(cv2.cvtColor(image, cv2.COLOR_BGR2YCrCb)))


def as_mask(hit: NDArray[np.bool_]) -> Mask:
    """True as 255, False as 0, as OpenCV wants it."""
    return cast(Mask, np.multiply(hit, np.uint8(255), dtype=np.uint8))


def _floats(planes: Sequence[Array]) -> tuple[Plane, Plane, Plane]:
    one, two, three = (np.asarray(plane, np.float32) for plane in planes)
    return one, two, three


def _light(luma: Array, mean_luma: Array) -> float:
    """The median of luma against the scene's, over about 3,600 pixels."""
    step = max(1, min(luma.shape[:2]) // 45)
    now = luma[::step, ::step].astype(np.float32) + 1.0
    return min(4.0, max(0.25, median(now / (mean_luma[::step, ::step] + 1.0))))


def _rate(gap_s: float, constant_s: float) -> float:
    """The weight of one new sample after `gap_s` in an average of that time constant."""
    return 1.0 - math.exp(-gap_s / constant_s)
