"""Congestion: a lane that is full of vehicles which hardly move.

Full: what stands out of the long-term background (`kit/long_term.py`) covers a large share of the
lane. Hardly: points on what covers it, followed from picture to picture, would take longer than
`slow_s` to drive through the lane. Both are averaged, and the state has a hysteresis. Where no lane
is drawn, those that are driven in are found (`kit/found_lanes.py`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.episode import EpisodePolicy
from contract.geometry import Box
from contract.rules import ConfirmationRule
from contract.sustained import Sustained
from detectors.kit.background import Mask
from detectors.kit.confirmation import confirmation, lasting_rule
from detectors.kit.found_lanes import FoundLanes
from detectors.kit.lanes import Lane, read_lanes
from detectors.kit.long_term import LongTermBackground
from detectors.kit.params import param
from detectors.kit.ramp import Ramp
from detectors.kit.registry import register
from detectors.kit.steadying import Steadying
from detectors.kit.types import Finding, Frame, Image, Observation

AVERAGE_S = 3.0  # s, time constant of occupancy and speed
FAST = 4.0  # times a jam's speed; there, the score is 0 twice over
MAX_GAP_S = 5.0  # s without a picture: nothing is known of the time between
POINTS = 80  # followed in each lane
FOUND_POINTS = 200  # followed in the picture where no lane is drawn
LEAST_POINTS = 4  # fewer say nothing of the speed
HOLD_MOST_S = 7200.0  # s a road may be congested before what stands there is learnt after all


@dataclass(frozen=True, slots=True)
class CongestionParams:
    """Which lanes, and what full and slow mean."""

    lanes: str = param(
        "",
        check=read_lanes,
        text="Lanes, name:direction=x,y x,y x,y; none: those that are driven in are found",
    )
    threshold: float = param(
        0.5, minimum=0.05, maximum=1.0, unit="1", text="Score at which a frame speaks for it"
    )
    occupancy: float = param(
        0.3,
        minimum=0.02,
        maximum=0.9,
        unit="1",
        text="Share of the lane that vehicles cover in a jam",
    )
    slow_s: float = param(
        25.0,
        minimum=2.0,
        maximum=600.0,
        unit="s",
        text="Time to drive through the drawn lane that is a jam's; through the picture where none "
        "is drawn",
    )
    confirm_s: float = param(
        10.0,
        minimum=0.0,
        maximum=3600.0,
        unit="s",
        text="How long it must last before it is told; at a signal, longer than its red",
    )
    off_delay_s: float = param(
        30.0, minimum=0.0, maximum=3600.0, unit="s", text="Flowing this long ends the alarm"
    )
    confirmation: str = confirmation()


@register
class Congestion:
    """Scores each lane for a jam."""

    kind: ClassVar[str] = "congestion"
    version: ClassVar[str] = "4"
    summary: ClassVar[str] = "A lane full of vehicles that hardly move."
    Params: ClassVar[type[CongestionParams]] = CongestionParams
    budget_ms: ClassVar[float] = 8.0
    sample_fps: ClassVar[float] = 4.0
    stands_on_view: ClassVar[Literal[True]] = True

    def __init__(self, params: CongestionParams) -> None:
        self.params = params
        self._road = LongTermBackground()
        self._steadying = Steadying()
        self._found = FoundLanes()
        self.reset()

    def use(self, params: CongestionParams) -> None:
        """Judge by other parameters from the next frame on; the road stays learnt."""
        if params.lanes != self.params.lanes:
            self._states.clear()
        self.params = params

    def rule(self) -> ConfirmationRule:
        """Every sample of `confirm_s` at or above the threshold; held down to 0.6 of it."""
        p = self.params
        own = Sustained(p.confirm_s, p.threshold, hold_ratio=0.6, max_gap_s=MAX_GAP_S)
        return lasting_rule(p.confirmation, own, self.sample_fps)

    def policy(self) -> EpisodePolicy:
        """Told again every minute while it lasts."""
        return EpisodePolicy(off_delay_s=self.params.off_delay_s, update_every_s=60.0)

    def reset(self) -> None:
        """Forget the road."""
        self._road.reset()
        self._steadying.reset()
        self._found.reset()
        self._states: dict[str, _State] = {}
        self._seen: tuple[int, tuple[int, ...]] | None = None  # view, size
        self._before: NDArray[np.uint8] | None = None
        self._at: datetime | None = None
        self._held_s = 0.0

    def observe(self, frame: Frame) -> Iterable[Finding]:
        """One observation for each lane, its name the place; one without a place where none is
        drawn: of the found lane that is most congested.
        """
        lanes = read_lanes(self.params.lanes)
        gap_s = (frame.captured_at - self._at).total_seconds() if self._at is not None else 0.0
        self._at = frame.captured_at
        if not 0.0 <= gap_s <= MAX_GAP_S:
            gap_s = 0.0
            self._before = None
        steadied = self._steadying.of(frame)
        luma = steadied.once(_luma)
        if self._seen != (steadied.view, luma.shape):
            self._seen = steadied.view, luma.shape
            self._before = None
            self._road.reset()
            self._found.reset()
            self._states.clear()
        there = None
        if not steadied.turning:
            hold = self._hold(gap_s)
            there = self._road.apply(luma, frame.captured_at, hold)
        if lanes:
            found = [self._judge(lane, luma, there, gap_s) for lane in lanes]
        else:
            found = [self._judge_found(luma, there, gap_s)]
        self._before = None if steadied.turning else luma
        return found

    def _hold(self, gap_s: float) -> bool:
        """Whether the road is not to be learnt now: something may stand on it."""
        standing = any(
            s.score(self.params) >= 0.5 * self.params.threshold for s in self._states.values()
        )
        self._held_s = self._held_s + gap_s if standing else 0.0
        return standing and self._held_s < HOLD_MOST_S

    def _judge(
        self, lane: Lane, luma: NDArray[np.uint8], there: Mask | None, gap_s: float
    ) -> Observation:
        height, width = luma.shape
        state = self._states.setdefault(lane.name, _State(self.params))
        area = lane.mask(width, height)
        if there is not None:
            covered = np.asarray(cv2.bitwise_and(there, area), np.uint8)
            share = np.count_nonzero(covered) / max(1, np.count_nonzero(area))
            speed = None
            if self._before is not None and gap_s > 0.0 and share > 0.02:
                flow = self._flow(luma, covered, POINTS)
                speed = _speed(flow[1], gap_s * lane.length(width, height)) if flow else None
            state.see(share, speed, gap_s, self.params)
        x, y = np.asarray(lane.corners).T
        box = Box(float(x.min()), float(y.min()), float(np.ptp(x)), float(np.ptp(y)))
        return self._observation(state, box, lane.name)

    def _judge_found(
        self, luma: NDArray[np.uint8], there: Mask | None, gap_s: float
    ) -> Observation:
        size = luma.shape[0], luma.shape[1]
        flow = None
        if there is not None and self._before is not None and gap_s > 0.0:
            flow = self._flow(luma, there, FOUND_POINTS)
        if flow is not None:
            self._found.see(*flow, gap_s, size)
        best, where = _State(self.params), None
        for name, lane in zip(("along", "against"), self._found.lanes(), strict=True):
            state = self._states.setdefault(name, _State(self.params))
            if there is not None:
                share = lane.occupancy(there) if lane is not None else 0.0
                speed = None
                if lane is not None and flow is not None:
                    inside = lane.holds(flow[0], size)
                    speed = _speed(flow[1][inside], gap_s * max(size))
                state.see(share, speed, gap_s, self.params)
            if lane is not None and state.score(self.params) >= best.score(self.params):
                best, where = state, lane.box()
        return self._observation(best, where, "")

    def _flow(
        self, luma: NDArray[np.uint8], covered: Mask, most: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """Points of things on the road and how far each came since the picture before."""
        assert self._before is not None
        flow = _flow(self._before, luma, covered, most)
        if flow is None:
            return None
        things = ~self._road.grain(flow[0])
        return flow[0][things], flow[1][things]

    def _observation(self, state: _State, box: Box | None, place: str) -> Observation:
        features = {"occupancy": state.occupancy, "speed": state.speed}
        return Observation("congestion", state.score(self.params), box, place, features=features)


@dataclass(slots=True, init=False)
class _State:
    """What a lane is like, averaged."""

    occupancy: float  # share of the lane
    speed: float  # lane lengths a second

    def __init__(self, p: CongestionParams) -> None:
        """A lane nobody was seen in flows."""
        self.occupancy, self.speed = 0.0, FAST / p.slow_s

    def see(self, share: float, speed: float | None, gap_s: float, p: CongestionParams) -> None:
        """Take in one picture; speed None: nothing there to be followed.

        How fast what is fast drives does not count: the flow before a jam would hide it long.
        """
        weight = 1.0 - math.exp(-gap_s / AVERAGE_S)
        self.occupancy += weight * (share - self.occupancy)
        if speed is not None:
            self.speed += weight * (min(speed, FAST / p.slow_s) - self.speed)

    def score(self, p: CongestionParams) -> float:
        """0.5 where the lane is just as full and as slow as the parameters say, 1 at twice that."""
        full = Ramp(0.0, 2.0 * p.occupancy)(self.occupancy)
        slow = Ramp(2.0 / p.slow_s, 0.0)(self.speed)
        return math.sqrt(full * slow) if full >= 0.25 else 0.0


def _luma(image: Image) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def _flow(
    before: NDArray[np.uint8], now: NDArray[np.uint8], covered: Mask, most: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Points on what covers the road and how far each came since `before`, (n, 2) pixels each;
    None where too few are found.
    """
    if min(now.shape) < 16:
        return None
    points = cv2.goodFeaturesToTrack(now, most, 0.02, 4, mask=covered)
    if points is None or len(points) < LEAST_POINTS:
        return None
    there = np.zeros_like(points)
    reached, status, _ = cv2.calcOpticalFlowPyrLK(
        now, before, points, there, winSize=(13, 13), maxLevel=3
    )
    good = status.ravel() > 0
    came = (points - reached).reshape(-1, 2)[good]
    return np.asarray(points.reshape(-1, 2)[good], np.float32), np.asarray(came, np.float32)


def _speed(ways: NDArray[np.float32], length: float) -> float | None:
    """The median of ways in lengths; None where too few are known."""
    if len(ways) < LEAST_POINTS:
        return None
    return float(np.median(np.linalg.norm(ways, axis=1))) / length
