"""Wrong-way driving: a vehicle whose track goes against the direction of the lane it is in.

Only in lanes that somebody has drawn, for a picture does not say which way one drives.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from contract.episode import EpisodePolicy
from contract.geometry import Box
from contract.rule_text import chosen_rule
from contract.rules import ConfirmationRule, KOfN
from detectors.kit.background import Background
from detectors.kit.confirmation import confirmation
from detectors.kit.lanes import Lane, read_lanes
from detectors.kit.params import param
from detectors.kit.ramp import Ramp
from detectors.kit.registry import register
from detectors.kit.tracking import Move
from detectors.kit.types import Finding, Frame, Observation
from detectors.kit.vehicles import MovingVehicles, Seen

CONFIRM_K, CONFIRM_N = 4, 6  # samples: half a second, so that one wrong match is nothing
CONFIRM_HITS = 5  # pictures a track must be seen in
AGAINST = Ramp(0.5, 0.85)  # share of its steps in the lane that go against it
STRAIGHT = Ramp(0.3, 0.7)  # cosine between its way and the lane's: one who crosses is no wrong-way
JUMP = 0.6  # of its own size: a longer step is another vehicle, and begins the account anew


@dataclass(frozen=True, slots=True)
class WrongWayParams:
    """In which lanes, and how far."""

    lanes: str = param(
        "", check=read_lanes, text="Lanes, name:direction=x,y x,y x,y; none: nothing is told"
    )
    threshold: float = param(
        0.5, minimum=0.05, maximum=1.0, unit="1", text="Score at which a frame speaks for it"
    )
    min_size: float = param(
        0.03,
        minimum=0.01,
        maximum=0.5,
        unit="1",
        text="Smallest vehicle: square root of its share of the picture's area",
    )
    min_travel: float = param(
        1.0,
        minimum=0.2,
        maximum=10.0,
        unit="1",
        text="Way against the lane for a full score, in the vehicle's own lengths along it",
    )
    off_delay_s: float = param(
        5.0, minimum=0.0, maximum=3600.0, unit="s", text="Nobody for this long ends the alarm"
    )
    confirmation: str = confirmation()


@register
class WrongWay:
    """Scores each frame for the vehicle that drives most surely against its lane."""

    kind: ClassVar[str] = "wrong_way"
    version: ClassVar[str] = "2"
    summary: ClassVar[str] = "A vehicle that drives against the direction of its lane."
    Params: ClassVar[type[WrongWayParams]] = WrongWayParams
    budget_ms: ClassVar[float] = 3.0
    sample_fps: ClassVar[float] = 10.0
    stands_on_view: ClassVar[Literal[True]] = True

    def __init__(self, params: WrongWayParams) -> None:
        self.params = params
        self._vehicles = MovingVehicles(params.min_size)
        self._accounts: dict[int, _Account] = {}

    def use(self, params: WrongWayParams) -> None:
        """Judge by other parameters from the next frame on; the scene stays learnt."""
        if params.lanes != self.params.lanes:
            self._accounts.clear()
        self.params = params
        self._vehicles.min_size = params.min_size

    def rule(self) -> ConfirmationRule:
        """Four of six samples."""
        own = KOfN(CONFIRM_K, CONFIRM_N, self.params.threshold)
        return chosen_rule(self.params.confirmation, own)

    def policy(self) -> EpisodePolicy:
        """Told again every half minute while somebody does."""
        return EpisodePolicy(off_delay_s=self.params.off_delay_s, update_every_s=30.0)

    def reset(self) -> None:
        """Forget the scene and every track."""
        self._vehicles.reset()
        self._accounts.clear()

    def backgrounds(self) -> tuple[Background, ...]:
        """The scene it learns, for a warm start."""
        return (self._vehicles.background,)

    def observe(self, frame: Frame) -> Iterable[Finding]:
        """One observation: the surest wrong-way driver, score 0 where there is none."""
        lanes = read_lanes(self.params.lanes)
        if not lanes:
            return [Observation("wrong_way", 0.0)]
        seen = self._vehicles.step(frame)
        alive = {t.number for t in self._vehicles.tracker.tracks}
        self._accounts = {n: a for n, a in self._accounts.items() if n in alive}
        best, surest, against = 0.0, None, {}
        for move in seen.moves:
            account = self._account(move, lanes, seen)
            score = account.score(move, self.params.min_travel)
            if surest is None or score > best:
                best, surest, against = score, move, account.features(move)
        if surest is None:
            return [Observation("wrong_way", 0.0)]
        left, top, width, height = (float(v) for v in surest.track.box)
        box = Box.from_pixels(left, top, width, height, seen.width, seen.height)
        return [Observation("wrong_way", best, box if best > 0.0 else None, features=against)]

    def _account(self, move: Move, lanes: tuple[Lane, ...], seen: Seen) -> _Account:
        track = move.track
        left, top, width, height = (float(v) for v in track.box)
        lane = next(
            (
                one
                for one in lanes
                if one.holds(left + width / 2.0, top + 0.9 * height, seen.width, seen.height)
            ),
            None,
        )
        account = self._accounts.get(track.number)
        step = track.centre - move.before
        size = float(np.sqrt(width * height))
        if account is None or account.lane != lane or np.linalg.norm(step) > JUMP * size:
            account = self._accounts[track.number] = _Account(lane)
        else:
            account.add(step)
        return account


@dataclass(slots=True)
class _Account:
    """How one track drove in the lane it is in."""

    lane: Lane | None
    along: float = 0.0  # pixels in the lane's direction
    way: float = 0.0  # pixels in any direction
    steps: int = 0
    backward: int = 0  # steps against the lane

    def add(self, step: NDArray[np.float64]) -> None:
        """One more step."""
        if self.lane is None:
            return
        along = float(step @ self.lane.way)
        self.along += along
        self.way += float(np.linalg.norm(step))
        self.steps += 1
        self.backward += along < 0.0

    def features(self, move: Move) -> dict[str, float]:
        """What the score is made of."""
        if self.lane is None or not self.steps:
            return {"lengths": 0.0, "against": 0.0, "straight": 0.0}
        return {
            "lengths": -self.along / self._length(move),
            "against": self.backward / self.steps,
            "straight": -self.along / max(self.way, 1e-6),
        }

    def score(self, move: Move, full: float) -> float:
        """0..1; a track seen in few pictures says nothing."""
        if self.lane is None or self.steps < CONFIRM_HITS - 1:
            return 0.0
        found = self.features(move)
        far = Ramp(0.0, full)(found["lengths"])
        return far * AGAINST(found["against"]) * STRAIGHT(found["straight"])

    def _length(self, move: Move) -> float:
        """Of the vehicle, along its lane."""
        assert self.lane is not None
        across, down = np.abs(self.lane.way)
        return max(1.0, float(across * move.track.box[2] + down * move.track.box[3]))
