"""Something left behind: it came, stays, nobody is about it any more, and it is no person itself.

i-LIDS asks for an alarm once a bag was left for 60 s; `dwell_s` says how long. Each thing that was
left is an alarm of its own, up to three at a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from contract.episode import EpisodePolicy
from contract.geometry import Box
from contract.rule_text import chosen_rule
from contract.rules import ConfirmationRule, KOfN
from detectors.kit.background import Background
from detectors.kit.confirmation import confirmation
from detectors.kit.params import param
from detectors.kit.ramp import Ramp
from detectors.kit.registry import register
from detectors.kit.standing import Standing, StandingThings
from detectors.kit.thumbnail import thumbnail
from detectors.kit.types import Finding, Frame, Observation
from detectors.kit.zones import ZoneParams
from detectors.models.wanted import covered

SPOTS = 3  # things told at a time
CONFIRM_K, CONFIRM_N = 4, 6  # samples: one that somebody hides does not start anew
OUTLINE = Ramp(0.15, 0.40)  # share of the outline that is new, less what is gone
LED_IN = Ramp(0.03, 0.10)  # share of the surroundings where something moved before: who brought it
TALL = 1.5  # height against width: from here on it may be a person who stands
ATTENDED = 0.5  # pixels at it that move, in its own area: somebody is with it
ALIVE = 0.15  # the same for something tall: nobody stands as still as a thing
PASSES_S = 4.0  # s within which somebody has passed by; who is at it longer is with it
HIDDEN_S = 30.0  # s it may be hidden by those who pass and keep its age
MAX_GAP_S = 5.0  # s without a picture: nothing is known of the time between
HEARD_S = 2.0  # s for which the word of another detector holds
COVERED = 0.5  # share of it that a person covers
SAME = 0.7  # distance of two middles, in sizes: the same thing


@dataclass(frozen=True, slots=True)
class DumpingParams(ZoneParams):
    """How long it must lie, where, and how large it is."""

    threshold: float = param(
        0.8, minimum=0.05, maximum=1.0, unit="1", text="Score at which a frame speaks for it"
    )
    dwell_s: float = param(
        20.0, minimum=2.0, maximum=3000.0, unit="s", text="How long it must lie for a full score"
    )
    min_size: float = param(
        0.02,
        minimum=0.01,
        maximum=0.5,
        unit="1",
        text="Smallest thing: square root of its share of the picture's area",
    )
    max_size: float = param(
        0.2,
        minimum=0.02,
        maximum=1.0,
        unit="1",
        text="Largest thing, the same way: what is larger is a vehicle",
    )
    off_delay_s: float = param(
        15.0, minimum=0.0, maximum=3600.0, unit="s", text="Gone this long ends the alarm"
    )
    confirmation: str = confirmation()


@register
class Dumping:
    """Scores each frame for the things that were left in its zone."""

    kind: ClassVar[str] = "dumping"
    version: ClassVar[str] = "3"
    summary: ClassVar[str] = "Something that was left behind, and lies there alone."
    Params: ClassVar[type[DumpingParams]] = DumpingParams
    budget_ms: ClassVar[float] = 6.0
    sample_fps: ClassVar[float] = 3.0
    stands_on_view: ClassVar[Literal[True]] = True

    def __init__(self, params: DumpingParams) -> None:
        self.params = params
        self._standing = StandingThings(params.min_size**2, HIDDEN_S)
        self._spots: list[_Left | None] = [None] * SPOTS
        self._at: datetime | None = None
        self._persons: Sequence[Box] = ()
        self._heard_at: datetime | None = None

    def use(self, params: DumpingParams) -> None:
        """Judge by other parameters from the next frame on; the scene stays learnt."""
        self.params = params
        self._standing.smallest = params.min_size**2

    def rule(self) -> ConfirmationRule:
        """Four of six samples: the detector itself waits for `dwell_s`."""
        own = KOfN(CONFIRM_K, CONFIRM_N, self.params.threshold)
        return chosen_rule(self.params.confirmation, own)

    def policy(self) -> EpisodePolicy:
        """Told again every minute while it lies there."""
        return EpisodePolicy(off_delay_s=self.params.off_delay_s, update_every_s=60.0)

    def reset(self) -> None:
        """Forget the scene."""
        self._standing.reset()
        self._spots = [None] * SPOTS
        self._at = None
        self._persons, self._heard_at = (), None

    def backgrounds(self) -> tuple[Background, ...]:
        """The scene it learns, for a warm start."""
        return (self._standing.background,)

    def hear(self, persons: Sequence[Box], at: datetime) -> None:
        """Where a model sees persons: what they cover is a person, or a person's."""
        self._persons, self._heard_at = persons, at

    def observe(self, frame: Frame) -> Iterable[Finding]:
        """One observation for each of three places of things, score 0 where there is none."""
        small = frame.once(thumbnail)
        height, width = small.shape[:2]
        gap_s = (frame.captured_at - self._at).total_seconds() if self._at is not None else 0.0
        self._at = frame.captured_at
        things = self._standing.step(frame)
        self._place(self._candidates(things, width, height), gap_s)
        self._veto(frame.captured_at, width, height)
        return [
            self._observation(f"thing-{n}", left, width, height)
            for n, left in enumerate(self._spots, 1)
        ]

    def _candidates(self, things: list[Standing], width: int, height: int) -> list[Standing]:
        """Those in the zone that are no larger than may be, the oldest first."""
        inside = self.params.inside(width, height)
        largest = self.params.max_size**2 * width * height
        found = [
            t
            for t in things
            if t.area <= largest and inside[t.top + t.height // 2, t.left + t.width // 2]
        ]
        return sorted(found, key=lambda t: -t.stood_s)

    def _place(self, found: list[Standing], gap_s: float) -> None:
        """Each thing keeps its place while it lies there; a new one takes a free place."""
        new = list(found)
        for n, known in enumerate(self._spots):
            same = [t for t in new if known is not None and _is_same(known.thing, t)]
            if known is not None and same:
                known.see(same[0], gap_s if 0.0 <= gap_s <= MAX_GAP_S else 0.0)
                new.remove(same[0])
            else:
                self._spots[n] = None
        for n, known in enumerate(self._spots):
            if known is None and new:
                self._spots[n] = _Left(new.pop(0))

    def _veto(self, at: datetime, width: int, height: int) -> None:
        """What a person covers for half or more does not lie alone: its clock begins anew."""
        heard_at = self._heard_at
        if heard_at is None or not 0.0 <= (at - heard_at).total_seconds() <= HEARD_S:
            return
        for left in self._spots:
            if left is not None and covered(left.box(width, height), self._persons) >= COVERED:
                left.alone_s = 0.0

    def _observation(self, place: str, left: _Left | None, width: int, height: int) -> Observation:
        if left is None:
            return Observation("dumping", 0.0, place=place)
        score, thing = self._score(left), left.thing
        box = left.box(width, height)
        features = {
            "stood_s": thing.stood_s,
            "alone_s": left.alone_s,
            "outline": thing.outline,
            "led_in": thing.led_in,
            "stir": thing.stir,
            "tall": thing.height / thing.width,
        }
        return Observation("dumping", score, box if score > 0.0 else None, place, features)

    def _score(self, left: _Left) -> float:
        lay = min(1.0, min(left.thing.stood_s, left.alone_s) / self.params.dwell_s)
        return lay * OUTLINE(left.thing.outline) * LED_IN(left.thing.led_in)


@dataclass(slots=True)
class _Left:
    """A thing in its place, and for how long nobody was with it."""

    thing: Standing
    alone_s: float = 0.0
    busy_s: float = 0.0  # without a break until now

    def box(self, width: int, height: int) -> Box:
        """Where it is, in a picture of that size."""
        t = self.thing
        return Box.from_pixels(t.left, t.top, t.width, t.height, width, height)

    def see(self, thing: Standing, gap_s: float) -> None:
        """It is still there. Whoever passes changes nothing, whoever is with it stops the clock."""
        self.thing = thing
        tall = thing.height / thing.width >= TALL
        busy = thing.stir > (ALIVE if tall else ATTENDED)
        self.busy_s = self.busy_s + gap_s if busy else 0.0
        if self.busy_s <= (0.0 if tall else PASSES_S):
            self.alone_s += gap_s


def _is_same(one: Standing, other: Standing) -> bool:
    x = one.left + one.width / 2.0 - other.left - other.width / 2.0
    y = one.top + one.height / 2.0 - other.top - other.height / 2.0
    size = max(one.width, one.height, other.width, other.height)
    return math.hypot(x, y) <= SAME * size
