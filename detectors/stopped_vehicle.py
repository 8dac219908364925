"""A vehicle that stands where none may: it came, stands, and its outline is new to the scene.

Whatever drives in and stands is told once it has stood for `dwell_s`; that it is a vehicle is known
by its size alone. What stood there from the beginning is a part of the scene.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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

CONFIRM_K, CONFIRM_N = 3, 5  # samples: one that hides it or a flash does not start anew
OUTLINE = Ramp(0.15, 0.40)  # share of the outline that is new, less what is gone
LONG = Ramp(6.5, 4.5)  # times as long as high, or as high as long; a lorry with a trailer is 4
SETTLES_S = 3.5  # s after which even white on black stands in the memory of the last second
LED_IN = Ramp(0.05, 0.15)  # share of the surroundings where something moved before


@dataclass(frozen=True, slots=True)
class StoppedVehicleParams(ZoneParams):
    """How long and where a vehicle must stand."""

    threshold: float = param(
        0.8, minimum=0.05, maximum=1.0, unit="1", text="Score at which a frame speaks for it"
    )
    dwell_s: float = param(
        9.0, minimum=2.0, maximum=3000.0, unit="s", text="How long it must stand for a full score"
    )
    min_size: float = param(
        0.03,
        minimum=0.01,
        maximum=0.5,
        unit="1",
        text="Smallest vehicle: square root of its share of the picture's area",
    )
    off_delay_s: float = param(
        10.0, minimum=0.0, maximum=3600.0, unit="s", text="Gone this long ends the alarm"
    )
    confirmation: str = confirmation()


@register
class StoppedVehicle:
    """Scores each frame for the vehicle that stands most surely in its zone."""

    kind: ClassVar[str] = "stopped_vehicle"
    version: ClassVar[str] = "4"
    summary: ClassVar[str] = "A vehicle that came and stands where none may."
    Params: ClassVar[type[StoppedVehicleParams]] = StoppedVehicleParams
    budget_ms: ClassVar[float] = 4.0
    sample_fps: ClassVar[float] = 5.0
    stands_on_view: ClassVar[Literal[True]] = True

    def __init__(self, params: StoppedVehicleParams) -> None:
        self.params = params
        self._standing = StandingThings(params.min_size**2, settles_s=SETTLES_S)

    def use(self, params: StoppedVehicleParams) -> None:
        """Judge by other parameters from the next frame on; the scene stays learnt."""
        self.params = params
        self._standing.smallest = params.min_size**2

    def rule(self) -> ConfirmationRule:
        """Three of five samples: the detector itself waits for `dwell_s`."""
        own = KOfN(CONFIRM_K, CONFIRM_N, self.params.threshold)
        return chosen_rule(self.params.confirmation, own)

    def policy(self) -> EpisodePolicy:
        """Told again every half minute while it stands."""
        return EpisodePolicy(off_delay_s=self.params.off_delay_s, update_every_s=30.0)

    def reset(self) -> None:
        """Forget the scene."""
        self._standing.reset()

    def backgrounds(self) -> tuple[Background, ...]:
        """The scene it learns, for a warm start."""
        return (self._standing.background,)

    def observe(self, frame: Frame) -> Iterable[Finding]:
        """One observation: the surest standing vehicle, score 0 where there is none."""
        small = frame.once(thumbnail)
        height, width = small.shape[:2]
        inside = self.params.inside(width, height)
        best, surest = 0.0, None
        for thing in self._standing.step(frame):
            if not inside[thing.top + thing.height // 2, thing.left + thing.width // 2]:
                continue
            score = self._score(thing)
            if surest is None or score > best:
                best, surest = score, thing
        if surest is None:
            return [Observation("stopped_vehicle", 0.0)]
        box = None
        if best > 0.0:
            box = Box.from_pixels(
                surest.left, surest.top, surest.width, surest.height, width, height
            )
        features = {
            "stood_s": surest.stood_s,
            "outline": surest.outline,
            "led_in": surest.led_in,
            "size": (surest.area / (width * height)) ** 0.5,
        }
        return [Observation("stopped_vehicle", best, box, features=features)]

    def _score(self, thing: Standing) -> float:
        stood = min(1.0, thing.stood_s / self.params.dwell_s)
        long = max(thing.width / thing.height, thing.height / thing.width)
        return stood * OUTLINE(thing.outline) * LED_IN(thing.led_in) * LONG(long)
