"""Open flame: what burns is orange, brighter than its surroundings, restless at one place, and
graded from a pale core to a deep red rim; and a net that was shown flames says so.

Two ways lead to a score, the higher one counts. By its restlessness alone: pixels that are
flame-coloured and keep turning between brighter and darker are gathered into regions, each judged
by eleven features; every one of them alone is also found in traffic, sunsets or advertising,
together they seldom are. By its look: warm regions that change are followed and shown to the
verifier (`kit/verifier.py`); what it is sure of needs less restlessness. Where the picture as a
whole moves (camera, exposure), the first way tells nothing and the second asks for more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.episode import EpisodePolicy
from contract.geometry import Box
from contract.rule_text import chosen_rule
from contract.rules import ConfirmationRule, KOfN
from detectors.kit.background import as_mask
from detectors.kit.confirmation import confirmation
from detectors.kit.edges import edge_strength
from detectors.kit.eye import Eye
from detectors.kit.flicker import Average, Flicker
from detectors.kit.params import param
from detectors.kit.ramp import Ramp
from detectors.kit.region_track import RegionTracks, Spot, State
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
        2.0,
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
    confirmation: str = confirmation()


# Tuned on the clips of docs/detectors.md; the physics is beside each.
JUDGEMENT: dict[str, Ramp] = {
    "restlessness": Ramp(1.2, 2.2),  # turning points/s: flames 2 to 5, occluded paint 1 to 1.5
    "activity": Ramp(0.15, 0.40),  # share of time in which a pixel changes: flames do not rest
    "persistence": Ramp(0.30, 0.55),  # share of the last 2 s at this place: vehicles move on
    "structure": Ramp(15.0, 30.0),  # deviation of luma within: core and rim, not a painted face
    "grading": Ramp(0.04, 0.10),  # deviation of green / red within: yellow core, red rim
    "orange": Ramp(0.82, 0.68),  # lower quartile of green / red: soot glows at 1,300 to 1,700 K
    "glow": Ramp(205.0, 240.0),  # 90th percentile of red: a source of light nearly saturates
    "contrast": Ramp(10.0, 40.0),  # red - blue above the surroundings': not a sodium-lit road
    "compactness": Ramp(0.10, 0.25),  # share of its box: not lines of yellow paint
    "coldness": Ramp(0.30, 0.10),  # share of time it was blue or white: advertising screens
}
# What a region that the verifier is sure of must still show; wider, as the net knows the rest.
VERIFIED: dict[str, Ramp] = {
    "changing": Ramp(0.05, 0.15),  # share of it that changed again and again in the last second
    "structure": Ramp(12.0, 20.0),
    "grading": Ramp(0.03, 0.06),
    "orange": Ramp(0.80, 0.70),
    "contrast": Ramp(8.0, 25.0),
    "glow": Ramp(150.0, 190.0),
    "coldness": Ramp(0.40, 0.20),
}
SURE = Ramp(0.40, 0.80)  # sureness of the verifier before a scene at rest
SURE_MOVING = Ramp(0.90, 1.00)  # and while the scene as a whole moves
CONFIRMED_FROM, REJECTED_BELOW = 0.5, 0.08  # sureness
SHOWN_AT_ONCE = 2  # regions of one picture that are shown to the verifier: 2 ms each
HIDDEN = 0.85  # of its score is left to a confirmed region that is hidden
CHANGING = 0.2  # share of the last second in which a pixel changed
SCENE_MOTION = Ramp(0.50, 0.25)  # share of edges elsewhere that flicker: 1 while the camera moves
EDGE = 60.0  # Sobel sum of luma, 0..255 scale; a step of about 15 between neighbours
FEWEST_EDGES = 50  # pixels; with fewer nothing is known of the camera's motion


@register
class Flame:
    """Scores each frame for open flame."""

    kind: ClassVar[str] = "flame"
    version: ClassVar[str] = "2"
    summary: ClassVar[str] = "Open flame by colour and flicker, and by our own verifier."
    Params: ClassVar[type[FlameParams]] = FlameParams
    budget_ms: ClassVar[float] = 8.0
    sample_fps: ClassVar[float] = 10.0

    def __init__(self, params: FlameParams) -> None:
        self.params = params
        self._flicker = Flicker(memory_s=1.0)
        self._colour = Average(memory_s=0.5)
        self._cold = Average(memory_s=1.0)
        self._activity = Average(memory_s=1.0)
        self._presence = Average(memory_s=2.0)
        self._scene = Average(memory_s=2.0)
        self._tracks = RegionTracks(CONFIRMED_FROM, REJECTED_BELOW)
        self._eye = Eye()
        self._last: Plane | None = None
        self._at: datetime | None = None

    def use(self, params: FlameParams) -> None:
        """Judge by other parameters from the next frame on."""
        self.params = params

    def rule(self) -> ConfirmationRule:
        """Four of five samples within `confirm_s` at or above the threshold."""
        n = max(1, round(self.params.confirm_s * self.sample_fps))
        k = max(1, round(n * CONFIRM_SHARE))
        own = KOfN(k, n, self.params.threshold, max_gap_s=MAX_GAP_S)
        return chosen_rule(self.params.confirmation, own)

    def policy(self) -> EpisodePolicy:
        """Flame flares and dies down: it ends after `off_delay_s` of quiet."""
        return EpisodePolicy(off_delay_s=self.params.off_delay_s)

    def reset(self) -> None:
        """Forget the scene."""
        self._flicker.reset()
        for average in (self._colour, self._cold, self._activity, self._presence, self._scene):
            average.reset()
        self._tracks.reset()
        self._eye.reset()
        self._last = None
        self._at = None

    def observe(self, frame: Frame) -> Iterable[Finding]:
        """One observation, or none where the last scored frame is less than 0.05 s ago."""
        gap_s = (frame.captured_at - self._at).total_seconds() if self._at is not None else 0.0
        if self._at is not None and 0.0 <= gap_s < MIN_GAP_S:
            return []
        small = frame.once(thumbnail)
        if not 0.0 <= gap_s <= MAX_GAP_S or (
            self._last is not None and self._last.shape != small.shape[:2]
        ):
            self.reset()
            gap_s = 0.0
        self._at = frame.captured_at
        planes, candidate = self._learn(small, gap_s)
        best = self._restless(planes, candidate)
        seen = self._verified(planes, frame)
        return [seen if seen.score > best.score else best]

    def _learn(self, small: Image, gap_s: float) -> tuple[_Planes, Hit]:
        """What is known of each pixel after this picture, and which are restless and coloured."""
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
        planes = _Planes(blue, green, red, luma, rate, activity, presence, cold, scene)
        return planes, candidate

    def _restless(self, planes: _Planes, candidate: Hit) -> Observation:
        """The region that is surest by its restlessness."""
        count, labels, stats, _ = cv2.connectedComponentsWithStats(as_mask(candidate))
        if count < 2:
            return Observation("flame", 0.0)
        motion = _scene_motion(planes.scene, planes.rate, candidate)
        best = Observation("flame", 0.0, features={"scene_motion": motion})
        for number in 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:REGIONS]:
            seen = self._judge(planes, candidate, labels, int(number), stats[number], motion)
            if seen.score > best.score:
                best = seen
        return best

    def _verified(self, planes: _Planes, frame: Frame) -> Observation:
        """The region that the verifier is surest of."""
        warm = as_mask(_warm(planes))
        joined = np.asarray(cv2.morphologyEx(warm, cv2.MORPH_CLOSE, CLOSING))
        hit = joined > 0
        height, width = hit.shape
        found: list[_Warm] = []
        if cv2.countNonZero(joined):
            _, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
            for number in 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:REGIONS]:
                x, y, w, h, area = (int(v) for v in stats[number])
                if area < self.params.min_area / 3.0 * hit.size:
                    break
                inside = labels[y : y + h, x : x + w] == number
                changing = float((planes.activity[y : y + h, x : x + w][inside] > CHANGING).mean())
                if changing <= VERIFIED["changing"].nothing:
                    continue  # the motion gate: lamps, paint and sunsets rest
                found.append(_Warm(int(number), Spot(x, y, w, h), area, changing))
        tracks = self._tracks.step([one.spot for one in found], frame.captured_at)
        best = self._hidden(width, height)
        if not found:
            self._eye.reset()
            return best
        self._show(frame, width)
        surest = max(t.sureness for t in self._tracks.tracks)
        if surest <= SURE.nothing:  # the usual case
            return best
        motion = _scene_motion(planes.scene, planes.rate, hit)
        still = SCENE_MOTION(motion)
        for track, one in zip(tracks, found, strict=True):
            if track is None or track.state is State.REJECTED:
                continue
            sure = still * SURE(track.sureness) + (1.0 - still) * SURE_MOVING(track.sureness)
            if sure == 0.0:
                track.score = 0.0
                continue
            s = one.spot
            features = dict(planes.features(labels, hit, one.number, s.x, s.y, s.w, s.h, one.area))
            features["changing"] = one.changing
            product = 1.0
            for name, ramp in VERIFIED.items():
                product *= ramp(features[name])
            track.score = score = product ** (1.0 / 3.0) * sure
            if score > best.score:
                box = Box.from_pixels(s.x, s.y, s.w, s.h, width, height)
                told = features | {"verifier": track.sureness, "scene_motion": motion}
                best = Observation("flame", score, box, features=told)
        return best

    def _hidden(self, width: int, height: int) -> Observation:
        """The surest region that was confirmed and is hidden just now: it counts a little less."""
        hidden = [t for t in self._tracks.tracks if t.state is State.OCCLUDED]
        surest = max(hidden, key=lambda t: t.score, default=None)
        if surest is None:
            return Observation("flame", 0.0)
        s = surest.spot
        box = Box.from_pixels(s.x, s.y, s.w, s.h, width, height)
        return Observation("flame", HIDDEN * surest.score, box, features={"hidden": 1.0})

    def _show(self, frame: Frame, width: int) -> None:
        """Show the verifier the regions that waited longest."""
        at = frame.captured_at
        self._eye.see(frame)
        for track in self._tracks.due(at, SHOWN_AT_ONCE):
            self._tracks.looked(track, self._eye.judge(track.spot, width).flame, at)

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
        share = area / labels.size
        smallest = self.params.min_area
        product = Ramp(smallest / 3.0, smallest)(share) * SCENE_MOTION(motion)
        if product == 0.0:  # most regions are too small
            return Observation("flame", 0.0)
        features: dict[str, float] = {}
        for name, value in planes.features(labels, candidate, number, x, y, w, h, area):
            features[name] = value
            if JUDGEMENT[name](value) == 0.0:
                return Observation("flame", 0.0)
        for name, ramp in JUDGEMENT.items():
            product *= ramp(features[name])
        # the cube root: three features half fulfilled and the others fully make 0.5
        score = product ** (1.0 / 3.0)
        features |= {"area": share, "scene_motion": motion}
        return Observation(
            "flame", score, Box.from_pixels(x, y, w, h, width, height), features=features
        )


@dataclass(frozen=True, slots=True)
class _Warm:
    """A warm region that changes."""

    number: int  # of its label
    spot: Spot
    area: int  # pixels
    changing: float  # share of it that changed again and again in the last second


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
    scene: Plane  # luma of the last two seconds

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
    ) -> Iterator[tuple[str, float]]:
        """The features of one region, named as in JUDGEMENT; those that rule most out first."""
        box = np.s_[y : y + h, x : x + w]
        inside = labels[box] == number
        red = self.red[box][inside]
        yield "glow", float(np.percentile(red, 90))
        yield "persistence", float(self.presence[box][inside].mean())
        yield "restlessness", float(self.rate[box][inside].mean())
        yield "activity", float(self.activity[box][inside].mean())
        yield "coldness", float(self.cold[box][inside].mean())
        yield "compactness", area / (w * h)
        yield "structure", float(self.luma[box][inside].std())
        ratio = self.green[box][inside] / (red + 1.0)
        yield "grading", float(ratio.std())
        yield "orange", float(np.percentile(ratio, 25))
        blue = self.blue[box][inside]
        margin = 8  # thumbnail pixels of surroundings
        around = np.s_[max(0, y - margin) : y + h + margin, max(0, x - margin) : x + w + margin]
        ring = ~candidate[around]
        warmth = float((red - blue).mean())
        if ring.any():
            warmth -= float((self.red[around][ring] - self.blue[around][ring]).mean())
        yield "contrast", warmth


def _flame_coloured(blue: Plane, green: Plane, red: Plane) -> Plane:
    """1 where red >= green >= blue, red is bright and blue clearly less (Chen et al., 2004)."""
    hit = (red > 150.0) & (red >= green) & (green >= blue) & (red - blue > 0.25 * red)
    return hit.astype(np.float32)


def _warm(planes: _Planes) -> Hit:
    """Where flame may be: as above, but darker, paler and more purple flames too."""
    red, green, blue = planes.red, planes.green, planes.blue
    return np.asarray((red > 130.0) & (red >= green - 5.0) & (red - blue > 0.18 * red))


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
