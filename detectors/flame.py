"""Open flame, without weights: what burns is orange, brighter than its surroundings, restless at
one place, and graded from a pale core to a deep red rim.

Pixels that are flame-coloured and keep turning between brighter and darker are gathered into
regions. Each region is judged by eleven features; every one of them alone is also found in traffic,
sunsets or advertising, together they seldom are. The score is high only where all of them hold.
Nothing is concluded while the picture as a whole moves (camera, exposure, cut).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.episode import EpisodePolicy
from contract.geometry import Box
from contract.rules import ConfirmationRule, KOfN
from detectors.kit.background import as_mask
from detectors.kit.edges import edge_strength
from detectors.kit.flicker import Average, Flicker
from detectors.kit.params import param
from detectors.kit.ramp import Ramp
from detectors.kit.registry import register
from detectors.kit.thumbnail import thumbnail
from detectors.kit.types import Finding, Frame, Image, Observation, Plane

Hit = NDArray[np.bool_]
Labels = cv2.typing.MatLike  # int32

RESTLESS = 1.2  # turning points per second; a passing car gives one or two, then none
COLOURED = 0.35  # of the last half second; flames are flame-coloured about 0.7 of the time
CONFIRM_SHARE = 0.8  # of the samples within confirm_s that must speak for flame
REGIONS = 5  # the largest ones are judged
CLOSING = np.ones((5, 5), np.uint8)  # joins the tongues of one flame at thumbnail size
MIN_GAP_S = 0.05  # s; frames closer than this are not scored
MAX_GAP_S = 5.0  # s without a frame after which the scene is learnt anew


@dataclass(frozen=True, slots=True)
class FlameParams:
    """When flame is told."""

    threshold: float = param(
        0.5, minimum=0.05, maximum=1.0, unit="1", text="Score at which a frame speaks for flame"
    )
    confirm_s: float = param(
        2.5,
        minimum=0.5,
        maximum=60.0,
        unit="s",
        text="How long flame must be seen, in four frames of five, before it is told",
    )
    min_area: float = param(
        0.0012,
        minimum=0.0002,
        maximum=0.5,
        unit="1",
        text="Smallest flame that counts fully, as a share of the picture's area",
    )
    off_delay_s: float = param(
        10.0, minimum=1.0, maximum=600.0, unit="s", text="Quiet this long ends the alarm"
    )


# Tuned on the clips of docs/detectors.md; the physics is beside each.
JUDGEMENT: dict[str, Ramp] = {
    "restlessness": Ramp(1.2, 2.2),  # turning points/s: flames 2 to 5, occluded paint 1 to 1.5
    "activity": Ramp(0.15, 0.40),  # share of time in which a pixel changes: flames do not rest
    "persistence": Ramp(0.30, 0.55),  # share of the last 2 s at this place: vehicles move on
    "structure": Ramp(15.0, 30.0),  # deviation of luma within: core and rim, not a painted face
    "grading": Ramp(0.04, 0.10),  # deviation of green / red within: yellow core, red rim
    "orange": Ramp(0.85, 0.70),  # lower quartile of green / red: soot glows at 1,300 to 1,700 K
    "glow": Ramp(205.0, 240.0),  # 90th percentile of red: a source of light nearly saturates
    "contrast": Ramp(10.0, 40.0),  # red - blue above the surroundings': not a sodium-lit road
    "compactness": Ramp(0.10, 0.25),  # share of its box: not lines of yellow paint
    "coldness": Ramp(0.30, 0.10),  # share of time it was blue or white: advertising screens
}
SCENE_MOTION = Ramp(0.50, 0.25)  # share of edges elsewhere that flicker: 1 while the camera moves
EDGE = 60.0  # Sobel sum of luma, 0..255 scale; a step of about 15 between neighbours
FEWEST_EDGES = 50  # pixels; with fewer nothing is known of the camera's motion


@register
class Flame:
    """Scores each frame for open flame."""

    kind: ClassVar[str] = "flame"
    version: ClassVar[str] = "1"
    summary: ClassVar[str] = "Open flame by colour, flicker, persistence and grading; no weights."
    Params: ClassVar[type[FlameParams]] = FlameParams
    budget_ms: ClassVar[float] = 4.0
    sample_fps: ClassVar[float] = 10.0

    def __init__(self, params: FlameParams) -> None:
        self.params = params
        self._flicker = Flicker(memory_s=1.0)
        self._colour = Average(memory_s=0.5)
        self._cold = Average(memory_s=1.0)
        self._activity = Average(memory_s=1.0)
        self._presence = Average(memory_s=2.0)
        self._scene = Average(memory_s=2.0)
        self._last: Plane | None = None
        self._at: datetime | None = None

    def use(self, params: FlameParams) -> None:
        """Judge by other parameters from the next frame on."""
        self.params = params

    def rule(self) -> ConfirmationRule:
        """Four of five samples within `confirm_s` at or above the threshold."""
        n = max(1, round(self.params.confirm_s * self.sample_fps))
        k = max(1, round(n * CONFIRM_SHARE))
        return KOfN(k, n, self.params.threshold, max_gap_s=MAX_GAP_S).build()

    def policy(self) -> EpisodePolicy:
        """Flame flares and dies down: it ends after `off_delay_s` of quiet."""
        return EpisodePolicy(off_delay_s=self.params.off_delay_s)

    def reset(self) -> None:
        """Forget the scene."""
        self._flicker.reset()
        for average in (self._colour, self._cold, self._activity, self._presence, self._scene):
            average.reset()
        self._last = None
        self._at = None

    def observe(self, frame: Frame) -> Iterable[Finding]:
        """One observation, or none where the last scored frame is less than 0.05 s ago."""
        gap_s = (frame.captured_at - self._at).total_seconds() if self._at is not None else 0.0
        if self._at is not None and 0.0 <= gap_s < MIN_GAP_S:
            return []
        small = thumbnail(frame.image)
        if not 0.0 <= gap_s <= MAX_GAP_S or (
            self._last is not None and self._last.shape != small.shape[:2]
        ):
            self.reset()
            gap_s = 0.0
        self._at = frame.captured_at
        return [self._score(small, gap_s)]

    def _score(self, small: Image, gap_s: float) -> Observation:
        blue, green, red = (plane.astype(np.float32) for plane in cv2.split(small))
        luma: Plane = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)
        rate = self._flicker.step(luma, gap_s)
        coloured = _flame_coloured(blue, green, red)
        often = self._colour.step(coloured, gap_s, begin=0.0)
        cold = self._cold.step(_cold(blue, red), gap_s, begin=0.0)
        scene = self._scene.step(luma, gap_s)
        last = luma if self._last is None else self._last
        changed = (cv2.absdiff(luma, last) > self._flicker.hysteresis / 2.0).astype(np.float32)
        activity = self._activity.step(changed, gap_s, begin=0.0)
        self._last = luma
        sparse = as_mask((often > COLOURED) & (rate > RESTLESS))
        candidate = np.asarray(cv2.morphologyEx(sparse, cv2.MORPH_CLOSE, CLOSING)) > 0
        presence = self._presence.step(candidate.astype(np.float32), gap_s, begin=0.0)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(as_mask(candidate))
        if count < 2:
            return Observation("flame", 0.0)
        motion = _scene_motion(scene, rate, candidate)
        planes = _Planes(blue, green, red, luma, rate, activity, presence, cold)
        best = Observation("flame", 0.0, features={"scene_motion": motion})
        for number in 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:REGIONS]:
            seen = self._judge(planes, candidate, labels, int(number), stats[number], motion)
            if seen.score > best.score:
                best = seen
        return best

    def _judge(
        self,
        planes: _Planes,
        candidate: Hit,
        labels: Labels,
        number: int,
        stats: Labels,
        motion: float,
    ) -> Observation:
        x, y, w, h, area = (int(v) for v in stats)
        height, width = labels.shape
        features = planes.features(labels, candidate, number, x, y, w, h, area)
        share = area / labels.size
        smallest = self.params.min_area
        product = Ramp(smallest / 3.0, smallest)(share) * SCENE_MOTION(motion)
        for name, ramp in JUDGEMENT.items():
            product *= ramp(features[name])
        # the cube root: three features half fulfilled and the others fully make 0.5
        score = product ** (1.0 / 3.0)
        features |= {"area": share, "scene_motion": motion}
        return Observation(
            "flame", score, Box.from_pixels(x, y, w, h, width, height), features=features
        )


@dataclass(frozen=True, slots=True)
class _Planes:
    """All that is known of each pixel of one picture."""

    blue: Plane
    green: Plane
    red: Plane
    luma: Plane
    rate: Plane
    activity: Plane
    presence: Plane
    cold: Plane

    def features(
        self,
        labels: Labels,
        candidate: Hit,
        number: int,
        x: int,
        y: int,
        w: int,
        h: int,
        area: int,
    ) -> dict[str, float]:
        """The features of one region, named as in JUDGEMENT."""
        box = np.s_[y : y + h, x : x + w]
        inside = labels[box] == number
        margin = 8  # thumbnail pixels of surroundings
        around = np.s_[max(0, y - margin) : y + h + margin, max(0, x - margin) : x + w + margin]
        ring = ~candidate[around]
        red, green, blue = self.red[box][inside], self.green[box][inside], self.blue[box][inside]
        ratio = green / (red + 1.0)
        warmth = float((red - blue).mean())
        if ring.any():
            warmth -= float((self.red[around][ring] - self.blue[around][ring]).mean())
        return {
            "restlessness": float(self.rate[box][inside].mean()),
            "activity": float(self.activity[box][inside].mean()),
            "persistence": float(self.presence[box][inside].mean()),
            "structure": float(self.luma[box][inside].std()),
            "grading": float(ratio.std()),
            "orange": float(np.percentile(ratio, 25)),
            "glow": float(np.percentile(red, 90)),
            "contrast": warmth,
            "compactness": area / (w * h),
            "coldness": float(self.cold[box][inside].mean()),
        }


def _flame_coloured(blue: Plane, green: Plane, red: Plane) -> Plane:
    """1 where red >= green >= blue, red is bright and blue clearly less (Chen et al., 2004)."""
    hit = (red > 150.0) & (red >= green) & (green >= blue) & (red - blue > 0.25 * red)
    return hit.astype(np.float32)


def _cold(blue: Plane, red: Plane) -> Plane:
    """1 where a pixel shines blue or bluish white, which burning soot never does."""
    return ((blue > red + 15.0) & (blue > 120.0)).astype(np.float32)


def _scene_motion(scene: Plane, rate: Plane, candidate: Hit) -> float:
    """Share of the scene's edges, away from any candidate, that flicker: 0 for a still camera."""
    away = cv2.dilate(as_mask(candidate), CLOSING, iterations=3) == 0
    edges = (edge_strength(scene) > EDGE) & away
    if np.count_nonzero(edges) < FEWEST_EDGES:
        return 0.0
    return float((rate[edges] > RESTLESS).mean())
