"""Whether a camera still shows what it should: one observation per fault for every frame scored.

So each fault has its own episode. Frozen, dark, noisy and corrupted pictures are told from the
pictures alone; covered, defocused and moved ones against what the camera usually shows.
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
from contract.rule_text import chosen_rule
from contract.rules import ConfirmationRule, KOfN
from detectors.kit import view
from detectors.kit.broken import damage
from detectors.kit.confirmation import confirmation
from detectors.kit.params import param
from detectors.kit.ramp import Ramp
from detectors.kit.registry import register
from detectors.kit.types import Finding, Frame, Image, Observation, Plane
from detectors.kit.view import View

LABELS = ("frozen", "dark", "covered", "defocused", "moved", "noisy", "corrupted")
CONFIRM_SHARE = 0.9  # of the samples within confirm_s
LEAST_EDGES = 0.02  # share of the picture; a scene with less cannot be told from a covered lens
KNOWN_S = 20.0  # s a scene must have been seen before it is judged against
RISE_S, FALL_S = 10.0, 6 * 3600.0  # s; what a scene usually shows is learnt fast, forgotten slowly
PLACE_S = 120.0  # s, time constant of where its edges are
ACCEPT_S = 900.0  # s after which a camera that was moved has a new usual view
SOFT = Ramp(0.55, 0.3)  # sharpness against the usual one
SHAPES = Ramp(
    0.35, 0.6
)  # coarse contrast against the usual one: all that a lens out of focus keeps
ELSEWHERE = Ramp(0.45, 0.2)  # correlation of where edges are with where they were
SHIFTED = Ramp(1.5, 3.0)  # pixels of the place plane (96 wide) by which it lies elsewhere
FOUND = 0.3  # response of the phase correlation: the usual view is found, there or elsewhere
HERE = 0.03  # the same where it is found at rest: it is where it was after all
BROKEN = Ramp(0.04, 0.10)  # share of the block grid that is hard steps
SMEARED = Ramp(0.02, 0.10)  # share of the picture that is smeared
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
    noise_luma: float = param(
        14.0,
        minimum=2.0,
        maximum=100.0,
        unit="1",
        text="Deviation (0..255) of a picture's noise that speaks for a fault with half a score",
    )
    confirmation: str = confirmation()


@register
class CameraHealth:
    """Scores each frame for the faults of a camera."""

    kind: ClassVar[str] = "camera_health"
    version: ClassVar[str] = "2"
    summary: ClassVar[str] = (
        "Frozen, dark, covered, defocused, moved, noisy cameras and corrupted streams."
    )
    Params: ClassVar[type[CameraHealthParams]] = CameraHealthParams
    budget_ms: ClassVar[float] = 12.0
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
        own = KOfN(k, n, self.params.threshold, max_gap_s=MAX_GAP_S)
        return chosen_rule(self.params.confirmation, own)

    def policy(self) -> EpisodePolicy:
        """A fault ends when it has been away for as long as it took to tell it."""
        return EpisodePolicy(off_delay_s=self.params.confirm_s, update_every_s=60.0)

    def reset(self) -> None:
        """Forget the scene."""
        self._at: datetime | None = None
        self._digest: tuple[int, tuple[int, ...]] | None = None
        self._patch: Plane | None = None
        self._usual: dict[bool, _Usual] = {}  # in infrared, in colour

    def observe(self, frame: Frame) -> Iterable[Finding]:
        """One observation for each fault."""
        gap_s = (frame.captured_at - self._at).total_seconds() if self._at is not None else 0.0
        if not 0.0 <= gap_s <= MAX_GAP_S:
            self._digest = self._patch = None
            gap_s = 0.0
        self._at = frame.captured_at
        frozen = self._frozen(frame.image, gap_s)
        now = view.look(frame.image)
        # 16 is black in video; from there up to twice the distance the score falls to 0
        dark = Ramp(self.params.dark_luma * 2.0 - 16.0, 16.0)(now.bright)
        noisy = self._noisy(now)
        damaged = damage(frame.image)
        corrupted = max(BROKEN(damaged.broken), SMEARED(damaged.smeared))
        usual = self._usual.get(now.grey)
        if usual is None or usual.place.shape != now.place.shape or usual.settled:
            usual = self._usual[now.grey] = _Usual(now)
        judged = usual.judge(now, self.params.covered_share, gap_s)
        # a dark picture has no edges either, and one in pieces is no view of anything
        if max(dark, corrupted) >= self.params.threshold:
            judged = _NOTHING
        if frozen == 0.0:  # a frozen picture teaches nothing
            sound = max(dark, corrupted, noisy, *judged) < 0.5 * self.params.threshold
            usual.learn(now, gap_s, sound)
        features = {"fine": now.fine, "usual_fine": usual.fine, "coarse": now.coarse}
        return [
            Observation("frozen", frozen),
            Observation("dark", dark, features={"luma_p95": now.bright}),
            Observation(
                "covered", judged[0], features={"edges": now.edges, "usual_edges": usual.edges}
            ),
            Observation("defocused", judged[1], features=features),
            Observation("moved", judged[2], features={"alike": usual.alike}),
            Observation("noisy", noisy, features={"noise_luma": self._noise}),
            Observation(
                "corrupted",
                corrupted,
                features={"broken": damaged.broken, "smeared": damaged.smeared},
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

    def _noisy(self, now: View) -> float:
        self._noise = 0.0 if self._patch is None else view.noise(now.patch, self._patch)
        self._patch = now.patch
        return Ramp(0.6 * self.params.noise_luma, 1.4 * self.params.noise_luma)(self._noise)


_NOTHING = (0.0, 0.0, 0.0)


class _Usual:
    """What a camera usually shows."""

    def __init__(self, first: View) -> None:
        self.edges = self.fine = self.coarse = 0.0
        self.place = first.place.copy()
        self.alike = 1.0  # how much of the view was where it usually is, last time
        self._known_s = 0.0
        self._elsewhere_s = 0.0

    def judge(self, now: View, covered_share: float, gap_s: float) -> tuple[float, float, float]:
        """(covered, defocused, moved) of a picture, 0 each before the view is known."""
        if self._known_s < KNOWN_S or self.edges < LEAST_EDGES:
            return _NOTHING
        left = now.edges / self.edges
        covered = Ramp(2.0 * covered_share, 0.0)(left)
        shapes = SHAPES(now.coarse / max(self.coarse, 1.0))
        defocused = SOFT(now.fine / max(self.fine, 1.0)) * shapes
        moved = self._moved(now) * Ramp(0.3, 0.5)(left)
        self._elsewhere_s = self._elsewhere_s + gap_s if moved > 0.0 else 0.0
        # a lens that lost its focus shows few edges, which is not covered
        return covered * (1.0 - defocused), defocused, moved

    @property
    def settled(self) -> bool:
        """Whether the view lies elsewhere for so long that it is the usual one now."""
        return self._elsewhere_s >= ACCEPT_S

    def learn(self, now: View, gap_s: float, sound: bool) -> None:
        """Follow the scene. sound: no fault is seen; only then more is expected of it."""
        self._known_s += gap_s
        fall = 1.0 - math.exp(-gap_s / FALL_S)
        rise = 1.0 - math.exp(-gap_s / RISE_S) if sound else 0.0
        for name in ("edges", "fine", "coarse"):
            usual, seen = getattr(self, name), getattr(now, name)
            setattr(self, name, usual + (rise if seen > usual else fall) * (seen - usual))
        if sound:
            rate = np.float32(1.0 - math.exp(-gap_s / PLACE_S))
            self.place += rate * (now.place - self.place)

    def _moved(self, now: View) -> float:
        """How surely the edges are elsewhere: by the shift that phase correlation finds, and where
        it finds none, by how little of them is where it was.
        """
        self.alike = view.alike(now.place, self.place)
        if self.alike > 0.8 or min(now.place.shape) < 16:
            return 0.0
        (x, y), response = cv2.phaseCorrelate(self.place, now.place)
        if response >= FOUND:
            return SHIFTED(math.hypot(x, y))
        if response >= HERE and math.hypot(x, y) <= SHIFTED.nothing:
            return 0.0
        return ELSEWHERE(self.alike)
