"""Traffic flow: vehicles that cross a count line, each once, with direction, lane and speed.

What moves against the learnt scene is cut into blobs, blobs are followed as tracks, and a track
that was firmly on one side of the line and now is firmly on the other is one crossing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from contract.episode import EpisodePolicy
from contract.rules import ConfirmationRule
from detectors.kit.background import Background, Mask
from detectors.kit.calibration import read_calibration
from detectors.kit.lanes import Lane, read_lanes
from detectors.kit.lines import Axis, CountLine, Side
from detectors.kit.params import param
from detectors.kit.registry import register
from detectors.kit.tracking import Move, Track
from detectors.kit.types import Finding, Frame, Measurement
from detectors.kit.vehicles import MovingVehicles, Seen

MARGIN = 0.10  # of a vehicle's own length along the normal: outlines jitter by about half of it
CONFIRM_HITS = 4  # pictures a track must be seen in before it counts
LINE_PLACE = "line-1"  # of a crossing where no lanes are drawn
PATH_S = 1.5  # s of a vehicle's way that its speed is taken from
BAND = 0.02  # of the picture: half of the strip along the line whose cover is the occupancy
EDGE = 1.5  # pixels from the picture's edge: a vehicle cut off there stands on no ground we see
MAX_GAP_S = 5.0  # s without a picture: nothing is known of the time between


@dataclass(frozen=True, slots=True)
class TrafficFlowParams:
    """What is counted, and where."""

    line: float = param(
        0.6,
        minimum=0.05,
        maximum=0.95,
        unit="1",
        text="Where the count line lies: share of the height (horizontal) or width (vertical)",
    )
    axis: str = param(
        "horizontal",
        choices=("horizontal", "vertical"),
        text="How the line lies: horizontal counts up and down, vertical left and right",
    )
    min_size: float = param(
        0.05,
        minimum=0.01,
        maximum=0.5,
        unit="1",
        text="Smallest vehicle at the line: square root of its share of the picture's area",
    )
    min_travel: float = param(
        0.5,
        minimum=0.1,
        maximum=3.0,
        unit="1",
        text="Way a vehicle must have come before it counts, in its own lengths",
    )
    lanes: str = param(
        "",
        check=read_lanes,
        text="Lanes, name:direction=x,y x,y x,y; a crossing then names its lane, and what crosses "
        "outside all of them is not counted",
    )
    calibration: str = param(
        "",
        check=read_calibration,
        text="Four points of the road, x,y>east,north in metres: crossings then have a speed",
    )
    report_s: float = param(
        60.0, minimum=5.0, maximum=3600.0, unit="s", text="Time between two reports of occupancy"
    )


@register
class TrafficFlow:
    """Counts vehicles over one line."""

    kind: ClassVar[str] = "traffic_flow"
    version: ClassVar[str] = "3"
    summary: ClassVar[str] = "Vehicles crossing a line, each counted once: direction, lane, speed."
    Params: ClassVar[type[TrafficFlowParams]] = TrafficFlowParams
    budget_ms: ClassVar[float] = 3.0
    sample_fps: ClassVar[float] = 10.0
    stands_on_view: ClassVar[Literal[True]] = True

    def __init__(self, params: TrafficFlowParams) -> None:
        self.params = params
        self._vehicles = MovingVehicles(params.min_size)
        self._begin()

    def use(self, params: TrafficFlowParams) -> None:
        """Go on with other parameters; the scene stays learnt, tracks begin anew at a new line."""
        if (params.line, params.axis) != (self.params.line, self.params.axis):
            self._vehicles.tracker.reset()
            self._begin()
        self.params = params
        self._vehicles.min_size = params.min_size

    def rule(self) -> ConfirmationRule | None:
        """None: a crossing is a measurement, not an alarm."""
        return None

    def policy(self) -> EpisodePolicy:
        """Unused: there are no episodes."""
        return EpisodePolicy()

    def reset(self) -> None:
        """Forget the scene and every track."""
        self._vehicles.reset()
        self._begin()

    def backgrounds(self) -> tuple[Background, ...]:
        """The scene it learns, for a warm start."""
        return (self._vehicles.background,)

    def _begin(self) -> None:
        self._sides: dict[int, Side] = {}
        self._paths: dict[int, _Path] = {}
        self._cover = _Cover()

    def observe(self, frame: Frame) -> Iterable[Finding]:
        """`vehicle_crossing` for each vehicle that crossed with this frame, with its
        `vehicle_speed` where that is known; `lane_occupancy` every `report_s`.
        """
        seen = self._vehicles.step(frame)
        tracks = self._vehicles.tracker.tracks
        line = CountLine(Axis(self.params.axis), self.params.line)
        self._follow(tracks, seen, line)
        found: list[Finding] = []
        for move in seen.moves:
            found += self._crossed(move, seen, line)
        found += self._occupancy(seen, line, frame.captured_at)
        return found

    def _follow(self, tracks: list[Track], seen: Seen, line: CountLine) -> None:
        """Keep the side and the path of every track that is alive."""
        alive = {t.number for t in tracks}
        self._sides = {n: side for n, side in self._sides.items() if n in alive}
        self._paths = {n: path for n, path in self._paths.items() if n in alive}
        for track in tracks:
            if track.number not in self._sides:
                self._sides[track.number] = line.side(
                    line.distance(track.centre, seen.width, seen.height), 0.0
                )
            if track.misses == 0:
                self._paths.setdefault(track.number, _Path()).add(track, seen)

    def _crossed(self, move: Move, seen: Seen, line: CountLine) -> Iterator[Finding]:
        word = self._crossing(move, seen, line)
        if word is None:
            return
        place = LINE_PLACE
        lanes = read_lanes(self.params.lanes)
        if lanes:
            lane = _lane_of(move.track, lanes, seen)
            if lane is None:
                return
            place = lane.name
        yield Measurement("vehicle_crossing", 1.0, label=word, place=place)
        calibration = read_calibration(self.params.calibration)
        if calibration is None:
            return
        path = self._paths[move.track.number]
        speed = calibration.speed(path.seconds(), path.points(), seen.width, seen.height)
        if speed is not None:
            yield Measurement("vehicle_speed", speed.kmh, "km/h", label=word, place=place)
            deviation = speed.deviation * 3.6
            yield Measurement("vehicle_speed_deviation", deviation, "km/h", label=word, place=place)

    def _crossing(self, move: Move, seen: Seen, line: CountLine) -> str | None:
        track = move.track
        along = 1 if line.axis is Axis.HORIZONTAL else 0
        length = float(track.box[2 + along])
        distance = line.distance(track.centre, seen.width, seen.height)
        side = line.side(distance, MARGIN * length)
        before = self._sides[track.number]
        if before is Side.ON:
            self._sides[track.number] = side
            return None
        travel = abs(float(track.centre[along] - track.start[along]))
        # one that comes near grows as fast as it drives, and counts once it has come far enough
        if (
            side in (before, Side.ON)
            or track.counted
            or track.hits < CONFIRM_HITS
            or travel < self.params.min_travel * length
        ):
            return None
        track.counted = True
        return line.direction(side)

    def _occupancy(self, seen: Seen, line: CountLine, at: datetime) -> Iterator[Finding]:
        """The share of time that the line is covered, lane by lane."""
        cover = self._cover
        cover.begin(at)
        if not seen.blind:
            size = seen.height if line.axis is Axis.HORIZONTAL else seen.width
            first = max(0, round((line.at - BAND) * size))
            last = max(first + 1, round((line.at + BAND) * size))
            part = np.s_[first:last] if line.axis is Axis.HORIZONTAL else np.s_[:, first:last]
            along = 0 if line.axis is Axis.HORIZONTAL else 1
            moving = seen.moving[part] > 0
            for place, area in self._areas(seen):
                inside = area[part] > 0
                covered = np.asarray((moving & inside).any(axis=along))
                wide = np.asarray(inside.any(axis=along))
                if wide.any():
                    cover.add(place, float(covered[wide].mean()))
        yield from cover.report(at, self.params.report_s)

    def _areas(self, seen: Seen) -> Iterator[tuple[str, Mask]]:
        lanes = read_lanes(self.params.lanes)
        for lane in lanes:
            yield lane.name, lane.mask(seen.width, seen.height)
        if not lanes:
            yield LINE_PLACE, np.ones(seen.moving.shape, np.uint8)


def _lane_of(track: Track, lanes: tuple[Lane, ...], seen: Seen) -> Lane | None:
    """The lane that a vehicle stands in: by its lower middle, else by its middle."""
    left, top, width, height = (float(v) for v in track.box)
    for y in (top + 0.9 * height, top + 0.5 * height):
        for lane in lanes:
            if lane.holds(left + width / 2.0, y, seen.width, seen.height):
                return lane
    return None


@dataclass(slots=True)
class _Path:
    """Where a vehicle met the ground in the last seconds."""

    steps: deque[tuple[datetime, NDArray[np.float64]]] = field(default_factory=deque)

    def add(self, track: Track, seen: Seen) -> None:
        """Its lower middle, unless the picture's edge cuts it off."""
        left, top, width, height = (float(v) for v in track.box)
        whole = (
            left > EDGE
            and top > EDGE
            and left + width < seen.width - EDGE
            and top + height < seen.height - EDGE
        )
        if whole:
            self.steps.append((track.seen_at, np.array((left + width / 2.0, top + height))))
        while self.steps and (track.seen_at - self.steps[0][0]).total_seconds() > PATH_S:
            self.steps.popleft()

    def seconds(self) -> list[float]:
        """Since the first of them."""
        return [(at - self.steps[0][0]).total_seconds() for at, _ in self.steps]

    def points(self) -> list[NDArray[np.float64]]:
        """Pixels of the thumbnail."""
        return [point for _, point in self.steps]


class _Cover:
    """How much of the line was covered since the last report."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._last: datetime | None = None
        self._shares: dict[str, list[float]] = {}  # (sum, number) by place

    def begin(self, at: datetime) -> None:
        """A picture of that time is coming."""
        gap_s = (at - self._last).total_seconds() if self._last is not None else 0.0
        self._last = at
        if self._since is None or not 0.0 <= gap_s <= MAX_GAP_S:
            self._since = at
            self._shares.clear()

    def add(self, place: str, share: float) -> None:
        """One picture's cover of a place."""
        total = self._shares.setdefault(place, [0.0, 0.0])
        total[0] += share
        total[1] += 1.0

    def report(self, at: datetime, every_s: float) -> Iterator[Measurement]:
        """The mean cover of each place, once the time is over."""
        if self._since is None or (at - self._since).total_seconds() < every_s:
            return
        for place, (total, number) in self._shares.items():
            yield Measurement("lane_occupancy", total / number, place=place)
        self._since = at
        self._shares.clear()
