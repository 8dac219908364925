"""Whether a camera still shows anything: frozen, dark or covered.

One observation per fault for every frame scored, so each fault has its own episode.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import cv2
import numpy as np

from contract.episode import EpisodePolicy
from contract.rules import ConfirmationRule, KOfN
from detectors.kit.edges import edge_strength
from detectors.kit.params import param
from detectors.kit.ramp import Ramp
from detectors.kit.registry import register
from detectors.kit.thumbnail import thumbnail
from detectors.kit.types import Finding, Frame, Image, Observation

LABELS = ("frozen", "dark", "covered")
CONFIRM_SHARE = 0.9  # of the samples within confirm_s
EDGE = 40.0  # Sobel sum of luma, 0..255 scale: a step of about 10 between neighbours
LEAST_EDGES = 0.02  # share of the picture; a scene with less cannot be told from a covered lens
KNOWN_S = 20.0  # s a scene must have been seen before `covered` is judged against it
RISE_S, FALL_S = 10.0, 6 * 3600.0  # s; what a scene usually shows is learnt fast, forgotten slowly
MAX_GAP_S = 60.0  # s without a frame: whatever came before says nothing of this one


@dataclass(frozen=True, slots=True)
class CameraHealthParams:
    """When a fault is told."""

    threshold: float = param(
        0.5, minimum=0.05, maximum=1.0, unit="1", text="Score at which a frame speaks for a fault"
    )
    confirm_s: float = param(
        20.0,
        minimum=3.0,
        maximum=3600.0,
        unit="s",
        text="How long a fault must last before it is told; longer than the stream's key frame gap",
    )
    dark_luma: float = param(
        28.0,
        minimum=17.0,
        maximum=128.0,
        unit="1",
        text="Luma (0..255) the brightest twentieth of a dark picture stays below; black is 16",
    )
    covered_share: float = param(
        0.15,
        minimum=0.01,
        maximum=0.9,
        unit="1",
        text="Share of its usual edges that a covered picture still has, at most",
    )


@register
class CameraHealth:
    """Scores each frame for the faults of a camera."""

    kind: ClassVar[str] = "camera_health"
    version: ClassVar[str] = "1"
    summary: ClassVar[str] = "Frozen, dark or covered cameras."
    Params: ClassVar[type[CameraHealthParams]] = CameraHealthParams
    budget_ms: ClassVar[float] = 4.0
    sample_fps: ClassVar[float] = 1.0

    def __init__(self, params: CameraHealthParams) -> None:
        self.params = params
        self.reset()

    def use(self, params: CameraHealthParams) -> None:
        """Judge by other parameters from the next frame on."""
        self.params = params

    def rule(self) -> ConfirmationRule:
        """Nine of ten samples within `confirm_s` at or above the threshold."""
        n = max(2, round(self.params.confirm_s * self.sample_fps))
        k = max(2, math.ceil(n * CONFIRM_SHARE))
        return KOfN(k, n, self.params.threshold, max_gap_s=MAX_GAP_S).build()

    def policy(self) -> EpisodePolicy:
        """A fault ends when it has been away for as long as it took to tell it."""
        return EpisodePolicy(off_delay_s=self.params.confirm_s, update_every_s=60.0)

    def reset(self) -> None:
        """Forget the scene."""
        self._at: datetime | None = None
        self._digest: tuple[int, tuple[int, ...]] | None = None
        self._usual_edges = 0.0
        self._known_s = 0.0

    def observe(self, frame: Frame) -> Iterable[Finding]:
        """One observation each for frozen, dark and covered."""
        gap_s = (frame.captured_at - self._at).total_seconds() if self._at is not None else 0.0
        if not 0.0 <= gap_s <= MAX_GAP_S:
            self._digest = None
            gap_s = 0.0
        self._at = frame.captured_at
        small = cv2.cvtColor(thumbnail(frame.image), cv2.COLOR_BGR2GRAY)
        frozen = self._frozen(frame.image, gap_s)
        luma = float(np.percentile(np.asarray(small), 95))
        # 16 is black in video; from there up to twice the distance the score falls to 0
        dark = Ramp(self.params.dark_luma * 2.0 - 16.0, 16.0)(luma)
        edges = _edge_share(small)
        covered = self._covered(edges, dark, frozen, gap_s)
        return [
            Observation("frozen", frozen),
            Observation("dark", dark, features={"luma_p95": luma}),
            Observation(
                "covered", covered, features={"edges": edges, "usual_edges": self._usual_edges}
            ),
        ]

    def _frozen(self, image: Image, gap_s: float) -> float:
        """1 where the picture is the last one bit by bit, though time went on.

        A real sensor's noise changes some pixel in every picture.
        """
        digest = zlib.crc32(np.ascontiguousarray(image).data), image.shape
        same = digest == self._digest and gap_s > 0.0
        self._digest = digest
        return 1.0 if same else 0.0

    def _covered(self, edges: float, dark: float, frozen: float, gap_s: float) -> float:
        usual = self._usual_edges
        known = self._known_s >= KNOWN_S and usual >= LEAST_EDGES
        if frozen == 0.0:  # a frozen picture teaches nothing
            constant_s = RISE_S if edges > usual else FALL_S
            self._usual_edges += (1.0 - math.exp(-gap_s / constant_s)) * (edges - usual)
            self._known_s += gap_s
        if not known or dark >= self.params.threshold:  # a dark picture has no edges either
            return 0.0
        return Ramp(2.0 * self.params.covered_share, 0.0)(edges / usual)


def _edge_share(luma: cv2.typing.MatLike) -> float:
    """Share of pixels on an edge, 0..1."""
    return float((edge_strength(luma) > EDGE).mean())
