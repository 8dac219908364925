"""Water that hides the road: the lasting edges of a region wash out and none take their place.

Without weights this is a change alarm: it tells that the lasting edges of the region (kerbs,
markings, the grain of the road) have gone smooth while those around it are as they were, which
water does, and so do snow, mud and a wet tarpaulin. Where somebody has calibrated points of a staff
or a wall, the height that the change has reached is a level in metres.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.episode import EpisodePolicy
from contract.geometry import Box
from contract.rules import ConfirmationRule
from contract.sustained import Sustained
from detectors.kit.background import Mask
from detectors.kit.confirmation import confirmation, lasting_rule
from detectors.kit.departures import Departures
from detectors.kit.edges import edge_strength
from detectors.kit.gauge import read_gauge
from detectors.kit.params import param
from detectors.kit.registry import register
from detectors.kit.thumbnail import thumbnail
from detectors.kit.types import Finding, Frame, Image, Measurement, Observation, Plane
from detectors.kit.zones import ZoneParams, share_of_picture

CALM_S = 2.0  # s the picture is averaged over: ripples, rain and what drives by wash out
LEARN_S = 10.0  # s in which the lasting edges are learnt before anything is told
RISE_S, FALL_S = 8.0, 2.0  # s; lasting edges come in slowly while learning and go fast
FORGET_S = 6 * 3600.0  # s, time constant at which they follow the scene afterwards
EDGE = 20.0  # in hundredths of light, about: a step of an eighth between neighbours
LEAST_EDGES = 0.03  # share of the region; one with less says nothing
FULL = 0.40  # net share of the edges washed out that is a score of 1
LEVEL_S = 10.0  # s between two measurements of the level
FOLLOW = 0.02  # of the difference, each time it is measured dry
MAX_GAP_S = 60.0  # s without a picture after which the picture is averaged anew


@dataclass(frozen=True, slots=True)
class PondingParams(ZoneParams):
    """Which part of the picture is watched, and when it is told."""

    threshold: float = param(
        0.5, minimum=0.05, maximum=1.0, unit="1", text="Score at which a frame speaks for water"
    )
    confirm_s: float = param(
        5.0, minimum=0.0, maximum=3600.0, unit="s", text="How long it must last before it is told"
    )
    off_delay_s: float = param(
        30.0, minimum=0.0, maximum=3600.0, unit="s", text="Dry this long ends the alarm"
    )
    zone_y: float = share_of_picture(0.5, "Top of the watched part, share of the height")
    zone_h: float = share_of_picture(0.5, "Height of the watched part")
    gauge: str = param(
        "",
        check=read_gauge,
        text="Points x,y=metres of a staff or a wall, from the bottom up, to measure the level at",
    )
    confirmation: str = confirmation()


@register
class Ponding:
    """Scores each frame by the share of lasting edges that washed out of the zone."""

    kind: ClassVar[str] = "ponding"
    version: ClassVar[str] = "3"
    summary: ClassVar[str] = "Road markings and kerbs that vanish as they do under water."
    Params: ClassVar[type[PondingParams]] = PondingParams
    budget_ms: ClassVar[float] = 4.0
    sample_fps: ClassVar[float] = 2.0

    def __init__(self, params: PondingParams) -> None:
        self.params = params
        self.reset()

    def use(self, params: PondingParams) -> None:
        """Judge by other parameters from the next frame on; what was learnt stays."""
        self.params = params

    def rule(self) -> ConfirmationRule:
        """Every sample of `confirm_s` at or above the threshold."""
        p = self.params
        own = Sustained(p.confirm_s, p.threshold, max_gap_s=MAX_GAP_S)
        return lasting_rule(p.confirmation, own, self.sample_fps)

    def policy(self) -> EpisodePolicy:
        """Told again every minute while it lasts."""
        return EpisodePolicy(off_delay_s=self.params.off_delay_s, update_every_s=60.0)

    def reset(self) -> None:
        """Forget the scene."""
        self._scene: _Scene | None = None
        self._staff: _Staff | None = None
        self._at: datetime | None = None

    def observe(self, frame: Frame) -> Iterable[Finding]:
        """One observation of the zone; with a gauge, `water_level` every ten seconds."""
        light = _log_light(frame.once(thumbnail))
        gap_s = (frame.captured_at - self._at).total_seconds() if self._at is not None else 0.0
        self._at = frame.captured_at
        if self._scene is None or self._scene.calm.shape != light.shape:
            self._scene, gap_s = _Scene(light), 0.0
        scene = self._scene
        scene.see(light, gap_s if 0.0 <= gap_s <= MAX_GAP_S else math.inf)
        p = self.params
        rows, columns = p.zone.pixels(light.shape[1], light.shape[0])
        here, around = scene.change(p.inside(light.shape[1], light.shape[0]))
        net = here.washed_out - max(0.0, around.washed_out)
        known = scene.known_s >= LEARN_S and here.edges >= LEAST_EDGES
        score = min(1.0, max(0.0, net / FULL)) if known else 0.0
        scene.learn(gap_s if 0.0 <= gap_s <= MAX_GAP_S else 0.0, hold=score >= 0.5 * p.threshold)
        box = Box.from_pixels(
            columns.start,
            rows.start,
            columns.stop - columns.start,
            rows.stop - rows.start,
            light.shape[1],
            light.shape[0],
        )
        features = {
            "lost": here.lost,
            "gained": here.gained,
            "around": around.washed_out,
            "edges": here.edges,
        }
        found: list[Finding] = [Observation("ponding", score, box, features=features)]
        found += self._level(frame, gap_s, scene.known_s >= LEARN_S)
        return found

    def _level(self, frame: Frame, gap_s: float, known: bool) -> Iterable[Finding]:
        """The level at the gauge, once its dry look is known."""
        gauge = read_gauge(self.params.gauge)
        if gauge is None:
            return []
        strip, at = gauge.strip(frame.image), frame.captured_at
        if self._staff is None or self._staff.gauge != self.params.gauge:
            self._staff = _Staff(self.params.gauge, strip.copy(), strip, at)
        staff = self._staff
        rate = 1.0 - math.exp(-(gap_s if 0.0 <= gap_s <= MAX_GAP_S else math.inf) / CALM_S)
        staff.calm += np.float32(rate) * (strip - staff.calm)
        if not known:
            staff.dry[:] = staff.calm
        if not known or (at - staff.told_at).total_seconds() < LEVEL_S:
            return []
        staff.told_at = at
        metres, wet = gauge.level(staff.dry, staff.calm)
        if wet == 0.0:  # dry: its look follows the light of the day
            staff.dry += np.float32(FOLLOW) * (staff.calm - staff.dry)
        return [Measurement("water_level", metres, "m", place="gauge")]


@dataclass(slots=True)
class _Staff:
    """The gauge as it looked dry, and when its level was told."""

    gauge: str  # as it is written in the parameters
    dry: Plane
    calm: Plane  # its look averaged, as the scene's is
    told_at: datetime


@dataclass(frozen=True, slots=True)
class _Change:
    """What became of the lasting edges of a part of the picture."""

    edges: float  # share of the part that they cover
    lost: float  # share of their strength that is gone
    gained: float  # new edges, in the same measure

    @property
    def washed_out(self) -> float:
        """Edges that went and left nothing: a vehicle in their place brings edges of its own."""
        return self.lost - self.gained


class _Scene:
    """The lasting edges of a scene, and those of the last seconds."""

    def __init__(self, light: Plane) -> None:
        self.calm = light.copy()
        self.seen = edge_strength(light)
        self.now = self.seen  # where something moves, as it was before
        self.lasting = self.seen.copy()
        self.known_s = 0.0
        self._departures = Departures(light)

    def see(self, light: Plane, gap_s: float) -> None:
        """Take in a picture; an infinite gap begins the average anew."""
        cv2.accumulateWeighted(light, self.calm, 1.0 - math.exp(-gap_s / CALM_S))
        self.seen = edge_strength(self.calm)
        self.now = self._departures.step(light, gap_s, self.lasting, self.now, self.seen)

    def learn(self, gap_s: float, hold: bool) -> None:
        """Follow the scene. hold: it is flooded now; only the dry road is learnt."""
        self.known_s += gap_s
        if hold:
            return
        more = self.seen > self.lasting
        if self.known_s < LEARN_S:
            up, down = RISE_S, FALL_S
        else:
            up = down = FORGET_S
        rate = np.where(more, 1.0 - math.exp(-gap_s / up), 1.0 - math.exp(-gap_s / down))
        self.lasting += rate.astype(np.float32) * (self.seen - self.lasting)

    def change(self, part: Mask) -> tuple[_Change, _Change]:
        """What became of the lasting edges of that part of the picture, and of the rest."""
        lasting, now = self.lasting, self.now
        edge = cv2.threshold(lasting, EDGE, 1.0, cv2.THRESH_BINARY)[1]
        left = cv2.multiply(cv2.min(now, lasting), edge)
        new = np.maximum(now - np.maximum(lasting, np.float32(EDGE)), np.float32(0.0))
        planes = cv2.merge((edge, cv2.multiply(lasting, edge), left, new))
        pixels = cv2.countNonZero(part)
        inside = np.array(cv2.mean(planes, part)) * pixels
        return _changed(inside, pixels), _changed(
            np.array(cv2.sumElems(planes)) - inside, part.size - pixels
        )


def _changed(sums: NDArray[np.float64], pixels: int) -> _Change:
    """sums: of edges, their lasting strength, what is left of it, and what is new."""
    edges, strength, left, new = (float(n) for n in sums)
    if edges < 0.5:
        return _Change(0.0, 0.0, 0.0)
    return _Change(edges / pixels, 1.0 - left / strength, new / strength)


def _log_light(image: Image) -> Plane:
    """Forty times the logarithm of luma: a change of exposure adds the same everywhere."""
    return np.asarray(cv2.LUT(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), _LOGARITHM), np.float32)


_LOGARITHM = (40.0 * np.log(np.arange(256, dtype=np.float32) + 16.0)).astype(np.float32)
