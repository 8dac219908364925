"""A device held against its neighbours: who is alone with his value is broken, who is not is right.

Low-cost sensors fail in ways that no limit sees: they drift, saturate, or sit beside a stove. What
the devices around them say at the same time does see it, as in the anomaly detection of Taiwan's
AirBox network (Chen et al., "ADF: An Anomaly Detection Framework for Large-Scale PM2.5 Sensing
Systems", IEEE Internet of Things Journal, 2018). Two things are told apart:

    disagrees       one device is unlike the median of those around it: a matter of the device
    rising, falling the median of a neighbourhood has changed: a matter of the place

A device has a usual difference from its neighbours (a kerb is dustier than a yard). It is learnt
over a day, only while the device is not suspect, and never beyond what counts as agreement: what
has been broken from the first day on does not become usual.

Time for a reading is that of a device's few neighbours; memory some 10 kB a device.
"""

from __future__ import annotations

import math
import statistics
from bisect import insort
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from heapq import nsmallest

from contract.episode import EpisodePolicy
from contract.geometry import Point
from contract.messages import Reading
from contract.sustained import Sustained, SustainedRule
from detectors.kit.area_protocol import AreaFinding
from detectors.kit.params import ParameterError, param
from detectors.kit.reading_registry import register_area
from detectors.kit.types import Observation

NEIGHBOURS = 12  # the nearest that a device is held against
USUAL_S = 86400.0  # time constant of a device's usual difference
SPREADS = 3.0  # deviations of the neighbours among themselves that are no disagreement
_DEVIATION = 1.4826  # of a normal distribution, by the median of its amount
_KEPT = 512  # readings of a device over which its change is measured, at most

Key = tuple[str, str, str]  # device, place, label


@dataclass(frozen=True, slots=True)
class ReadingNeighboursParams:
    """Who is a neighbour, and how much they may differ."""

    threshold: float = param(0.5, minimum=0.05, maximum=1.0, unit="1", text="Score to raise at")
    tolerance: float = param(
        0.0, minimum=0.0, text="Difference from the neighbours' median that is still agreement"
    )
    share: float = param(
        0.5, minimum=0.0, maximum=100.0, unit="1", text="The same as a share of that median"
    )
    duration_s: float = param(
        3600.0, minimum=0.0, maximum=604800.0, unit="s", text="How long it must last to raise"
    )
    radius_m: float = param(
        3000.0, minimum=1.0, maximum=1e6, unit="m", text="Devices further away are no neighbours"
    )
    least: int = param(
        3, minimum=2, maximum=NEIGHBOURS, unit="{device}", text="Fewer neighbours judge nobody"
    )
    fresh_s: float = param(
        5400.0, minimum=1.0, maximum=604800.0, unit="s", text="An older value says nothing"
    )
    change: float = param(
        0.0, minimum=0.0, text="Change of a neighbourhood's median that is told; 0: off"
    )
    change_window_s: float = param(
        10800.0, minimum=60.0, maximum=604800.0, unit="s", text="Time the change is measured over"
    )

    def __post_init__(self) -> None:
        if self.tolerance == 0.0 and self.share == 0.0:
            raise ParameterError(
                "tolerance and share are both 0: every device would disagree; give one of them"
            )


@dataclass(slots=True)
class _Device:
    """One device of the area."""

    position: Point | None
    value: float = 0.0
    at: datetime | None = None  # by its own clock
    heard_at: datetime | None = None
    usual: float = 0.0  # difference from its neighbours
    recent: deque[tuple[datetime, float]] = field(default_factory=lambda: deque(maxlen=_KEPT))
    near: list[tuple[float, Key]] = field(default_factory=list)  # (metres, whose), nearest first


@register_area
class ReadingNeighbours:
    """Holds each device against those around it."""

    kind = "reading_neighbours"
    version = "1"
    summary = "A device unlike its neighbours, or a whole neighbourhood that rises or falls."
    Params = ReadingNeighboursParams

    def __init__(self, params: ReadingNeighboursParams) -> None:
        self.params = params
        self.reset()

    def reset(self) -> None:
        """Forget everything; the next reading is the first."""
        self._devices: dict[Key, _Device] = {}
        self._changes = {"rising": _Greatest(), "falling": _Greatest()}

    def use(self, params: ReadingNeighboursParams) -> None:
        """Go on with other parameters; what was learnt is kept."""
        moved = params.radius_m != self.params.radius_m
        self.params = params
        if moved:
            for key, device in self._devices.items():
                device.near = self._nearest(key)

    def rule(self) -> SustainedRule:
        """Raise after `duration_s` at or beyond the threshold."""
        p = self.params
        gap_s = max(7200.0, 2 * p.fresh_s, 2 * p.duration_s)
        return Sustained(p.duration_s, p.threshold, max_gap_s=gap_s).build()

    def policy(self) -> EpisodePolicy:
        """Cleared by the first value that agrees; told again every quarter of an hour."""
        return EpisodePolicy(off_delay_s=0.0, update_every_s=900.0)

    def observe(
        self, reading: Reading, heard_at: datetime, position: Point | None
    ) -> Iterator[AreaFinding]:
        """How far the device is from its neighbours, and how far they have come together.

        A reading older than the device's last one is left out. Nothing where fewer than `least`
        neighbours are fresh.
        """
        key = reading.device, reading.place, reading.label
        device = self._devices.get(key)
        if device is None or device.position != position:
            device = self._add(key, position)
        if device.at is not None and reading.captured_at < device.at:
            return
        before, device.heard_at = device.heard_at, heard_at
        device.at, device.value = reading.captured_at, reading.value
        device.recent.append((heard_at, reading.value))
        fresh = [n for _, k in device.near if self._is_fresh(n := self._devices[k], heard_at)]
        if len(fresh) < self.params.least:
            return
        metric = reading.metric[:48]
        yield self._disagreement(metric, reading, device, fresh, before)
        if self.params.change > 0.0:
            yield from self._change(metric, key, device, fresh, heard_at)

    def _disagreement(
        self,
        metric: str,
        reading: Reading,
        device: _Device,
        fresh: list[_Device],
        before: datetime | None,
    ) -> AreaFinding:
        p = self.params
        values = [n.value for n in fresh]
        median = statistics.median(values)
        spread = _DEVIATION * statistics.median(abs(v - median) for v in values)
        agreed = max(p.tolerance, p.share * abs(median))
        off = device.value - median - device.usual
        allowed = max(agreed, SPREADS * spread)
        score = _share(abs(off), allowed)
        if score < p.threshold and before is not None and device.heard_at is not None:
            gap_s = max(0.0, (device.heard_at - before).total_seconds())
            device.usual += (1.0 - math.exp(-gap_s / USUAL_S)) * off
            device.usual = min(max(device.usual, -agreed), agreed)
        features = {"value": device.value, "neighbours": median, "allowed": allowed}
        return AreaFinding(
            Observation(f"{metric}.disagrees", score, place=reading.place, features=features),
            reading.device,
        )

    def _change(
        self, metric: str, key: Key, device: _Device, fresh: list[_Device], now: datetime
    ) -> Iterator[AreaFinding]:
        """The greatest change of all neighbourhoods, told as one thing of the area."""
        moved = [self._moved(one, now) for one in (device, *fresh)]
        for way, (label, greatest) in enumerate(self._changes.items()):
            mine = statistics.median(m[way] for m in moved)
            centre, change = greatest.of(key, mine, now, self.params.fresh_s)
            score = _share(change, self.params.change)
            seen = Observation(f"{metric}.{label}", score, features={"value": change})
            yield AreaFinding(seen, around=self._around(centre) if score > 0.0 else ())

    def _moved(self, device: _Device, now: datetime) -> tuple[float, float]:
        """(risen by, fallen by) within the window: against its lowest and its highest value."""
        recent, window_s = device.recent, self.params.change_window_s
        while len(recent) > 1 and (now - recent[0][0]).total_seconds() > window_s:
            recent.popleft()
        values = [v for _, v in recent]
        return device.value - min(values), max(values) - device.value

    def _around(self, key: Key) -> tuple[Point, ...]:
        near = [self._devices[k] for _, k in self._devices[key].near]
        return tuple(d.position for d in (self._devices[key], *near) if d.position is not None)

    def _is_fresh(self, device: _Device, now: datetime) -> bool:
        if device.heard_at is None:
            return False
        return (now - device.heard_at).total_seconds() <= self.params.fresh_s

    def _add(self, key: Key, position: Point | None) -> _Device:
        """A device that is new, or was moved: it finds its neighbours, and they find it."""
        known = self._devices.get(key)
        device = self._devices[key] = known or _Device(position)
        device.position = position
        device.near = self._nearest(key)
        for other, there in self._devices.items():
            if known is not None and any(k == key for _, k in there.near):
                there.near = self._nearest(other)
            elif (away_m := self._away_m(key, other)) is not None:
                insort(there.near, (away_m, key))
                del there.near[NEIGHBOURS:]
        return device

    def _nearest(self, key: Key) -> list[tuple[float, Key]]:
        away = ((self._away_m(key, other), other) for other in self._devices)
        return nsmallest(NEIGHBOURS, ((m, other) for m, other in away if m is not None))

    def _away_m(self, one: Key, other: Key) -> float | None:
        """Metres between two devices that measure the same thing; None for no neighbours.

        Where either's place is not known they count as being a radius apart.
        """
        if one[0] == other[0] or one[2] != other[2]:
            return None
        here, there = self._devices[one].position, self._devices[other].position
        radius_m = self.params.radius_m
        away_m = radius_m if here is None or there is None else here.distance_m(there)
        return away_m if away_m <= radius_m else None


class _Greatest:
    """The greatest of the latest numbers of many, in a time that hardly grows with them."""

    def __init__(self) -> None:
        self._latest: dict[Key, tuple[datetime, float]] = {}
        self._top: Key | None = None

    def of(self, key: Key, value: float, at: datetime, fresh_s: float) -> tuple[Key, float]:
        """Whose number is the greatest of those no older than `fresh_s`, after this one."""
        self._latest[key] = at, value
        top = self._latest[self._top] if self._top is not None else None
        if top is None or value >= top[1]:
            self._top = key
        elif self._top == key or (at - top[0]).total_seconds() > fresh_s:
            self._latest = {
                k: v for k, v in self._latest.items() if (at - v[0]).total_seconds() <= fresh_s
            }
            self._top = max(self._latest, key=lambda k: self._latest[k][1])
        assert self._top is not None
        return self._top, self._latest[self._top][1]


def _share(amount: float, limit: float) -> float:
    """0.5 at the limit, 1 at twice of it."""
    if limit <= 0.0:
        return 1.0 if amount > 0.0 else 0.0
    return min(max(0.5 * amount / limit, 0.0), 1.0)
