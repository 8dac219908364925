"""Smoke: something grey and soft came into the scene, grows, and the verifier takes it for smoke.

What stands out of the learnt scene and is grey is gathered into regions that are followed. Each
must keep its place while it grows, hide what is behind it without edges of its own, and look like
smoke to the verifier (`kit/verifier.py`). While the picture as a whole changes (camera, exposure,
fog that comes everywhere at once) nothing is told.
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
from contract.rule_text import chosen_rule
from contract.rules import ConfirmationRule, KOfN
from detectors.kit.background import Background, BackgroundSettings, Mask, as_mask
from detectors.kit.components import components
from detectors.kit.confirmation import confirmation
from detectors.kit.edges import edge_strength
from detectors.kit.eye import Eye
from detectors.kit.params import param
from detectors.kit.ramp import Ramp
from detectors.kit.region_track import RegionTrack, RegionTracks, Spot, State
from detectors.kit.registry import register
from detectors.kit.thumbnail import thumbnail
from detectors.kit.types import Finding, Frame, Image, Observation, Plane

CONFIRM_SHARE = 0.75  # of the samples within confirm_s that must speak for smoke
REGIONS = 4  # the largest ones are followed
COLOURED = 46  # 0..255, spread between the channels above which nothing is grey
CLOSING, OPENING = np.ones((17, 17), np.uint8), np.ones((3, 3), np.uint8)
CONFIRMED_FROM, REJECTED_BELOW = 0.5, 0.10  # sureness
SHOWN_AT_ONCE = 2  # regions of one picture that are shown to the verifier: 2 ms each
MAX_GAP_S = 5.0  # s without a frame after which the scene is learnt anew
MOST = 0.7  # share of the picture: what covers more is the camera, or fog
SCENE = BackgroundSettings(scene_s=12.0, standing_s=90.0, upset_share=0.75)

JUDGEMENT: dict[str, Ramp] = {
    "sureness": Ramp(0.50, 0.70),  # of the verifier
    "lasting": Ramp(0.6, 2.0),  # s it has been there: what passes has left by then
    "softness": Ramp(260.0, 120.0),  # mean edge strength within: not a lorry, not a wall
    "growth": Ramp(0.8, 1.1),  # of its box since it was found: smoke spreads
    "pace": Ramp(12.0, 6.0),  # the same a second: what leaps is a cut, or a stream in pieces
    "rise": Ramp(-0.10, 0.05),  # of its top, in its first heights: it does not sink
    "in_place": Ramp(0.25, 0.6),  # share of its first place it still covers: traffic moves on
}


@dataclass(frozen=True, slots=True)
class SmokeParams:
    """When smoke is told."""

    threshold: float = param(
        0.5, minimum=0.05, maximum=1.0, unit="1", text="Score at which a frame speaks for smoke"
    )
    confirm_s: float = param(
        3.0,
        minimum=1.0,
        maximum=120.0,
        unit="s",
        text="How long smoke must be seen, in three frames of four, before it is told",
    )
    min_area: float = param(
        0.01,
        minimum=0.002,
        maximum=0.5,
        unit="1",
        text="Smallest smoke that counts fully, as a share of the picture's area",
    )
    off_delay_s: float = param(
        20.0, minimum=1.0, maximum=600.0, unit="s", text="Clear this long ends the alarm"
    )
    confirmation: str = confirmation()


@register
class Smoke:
    """Scores each frame for smoke."""

    kind: ClassVar[str] = "smoke"
    version: ClassVar[str] = "2"
    summary: ClassVar[str] = "Smoke that comes and grows, by its softness and our own verifier."
    Params: ClassVar[type[SmokeParams]] = SmokeParams
    budget_ms: ClassVar[float] = 8.0
    sample_fps: ClassVar[float] = 5.0

    def __init__(self, params: SmokeParams) -> None:
        self.params = params
        self._background = Background(SCENE)
        self._tracks = RegionTracks(CONFIRMED_FROM, REJECTED_BELOW)
        self._eye = Eye()
        self._at: datetime | None = None
        self._shape: tuple[int, ...] = ()

    def use(self, params: SmokeParams) -> None:
        """Judge by other parameters from the next frame on; the scene stays learnt."""
        self.params = params

    def rule(self) -> ConfirmationRule:
        """Three of four samples within `confirm_s` at or above the threshold."""
        n = max(1, round(self.params.confirm_s * self.sample_fps))
        k = max(1, round(n * CONFIRM_SHARE))
        own = KOfN(k, n, self.params.threshold, max_gap_s=MAX_GAP_S)
        return chosen_rule(self.params.confirmation, own)

    def policy(self) -> EpisodePolicy:
        """Smoke thins and thickens: it ends after `off_delay_s` of clear air."""
        return EpisodePolicy(off_delay_s=self.params.off_delay_s)

    def reset(self) -> None:
        """Forget the scene."""
        self._background.reset()
        self._tracks.reset()
        self._eye.reset()
        self._at = None

    def backgrounds(self) -> tuple[Background, ...]:
        """The scene it learns, for a warm start."""
        return (self._background,)

    def observe(self, frame: Frame) -> Iterable[Finding]:
        """One observation: the surest smoke, score 0 where there is none."""
        small, at = frame.once(thumbnail), frame.captured_at
        gap_s = (at - self._at).total_seconds() if self._at is not None else 0.0
        if not 0.0 <= gap_s <= MAX_GAP_S or small.shape != self._shape:
            self.reset()
        self._at, self._shape = at, small.shape
        found = self._background.apply(small, at)
        if found.upset:
            self._tracks.reset()
            self._eye.reset()
            return [Observation("smoke", 0.0)]
        mask: Mask = np.bitwise_and(_grey(small), np.bitwise_or(found.moving, found.shadow))
        mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, OPENING), np.uint8)
        mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, CLOSING), np.uint8)
        return [self._judge(frame, small, mask)]

    def _judge(self, frame: Frame, small: Image, mask: Mask) -> Observation:
        at, (height, width) = frame.captured_at, mask.shape
        labels, stats = components(mask)
        numbers = [
            int(n)
            for n in 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:REGIONS]
            if self.params.min_area / 3.0 <= stats[n, cv2.CC_STAT_AREA] / mask.size <= MOST
        ]
        spots = [Spot(*(int(v) for v in stats[n][:4])) for n in numbers]
        tracks = self._tracks.step(spots, at)
        if not numbers:
            self._eye.reset()
            return Observation("smoke", 0.0)
        self._eye.see(frame)
        for due in self._tracks.due(at, SHOWN_AT_ONCE):
            self._tracks.looked(due, self._eye.judge(due.spot, width).smoke, at)
        edges = edge_strength(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY))
        best = Observation("smoke", 0.0)
        for number, track in zip(numbers, tracks, strict=True):
            if track is None or track.state is State.REJECTED:
                continue
            features = _features(track, labels == number, edges, at)
            smallest = self.params.min_area
            product = Ramp(smallest / 3.0, smallest)(features["area"])
            for name, ramp in JUDGEMENT.items():
                product *= ramp(features[name])
            if product > best.score:
                s = track.spot
                box = Box.from_pixels(s.x, s.y, s.w, s.h, width, height)
                best = Observation("smoke", product, box, features=features)
        return best


def _features(
    track: RegionTrack, inside: NDArray[np.bool_], edges: Plane, at: datetime
) -> dict[str, float]:
    lasting_s = (at - track.first_at).total_seconds()
    growth = track.spot.area / max(1, track.first.area)
    return {
        "sureness": track.sureness,
        "lasting": lasting_s,
        "softness": float(edges[inside].mean()),
        "growth": growth,
        "pace": growth / max(1.0, lasting_s),
        "in_place": track.first.shared(track.spot),
        "area": float(inside.mean()),
        "rise": (track.first.y - track.spot.y) / max(1, track.first.h),
    }


def _grey(small: Image) -> Mask:
    """255 where the channels are close to each other, as in white, grey and black smoke."""
    blue, green, red = cv2.split(small)
    spread = cv2.subtract(cv2.max(cv2.max(blue, green), red), cv2.min(cv2.min(blue, green), red))
    return as_mask(np.asarray(spread) < COLOURED)
