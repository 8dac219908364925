"""Simulated sensors: the same readings for the same seed, with faults and the truth about them.

For trying a site's limits without a sensor, for tests, and for measuring detectors: every fault is
known to the second.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from contract.messages import Reading
from contract.taxonomy import SensorState
from edge.readings.adapter import Record
from edge.readings.source import SourceStatus

DAY_S = 86400.0


class FaultKind(StrEnum):
    """What goes wrong, with the sensor or with what it measures."""

    GAP = "gap"  # no readings
    STUCK = "stuck"  # the last value again and again
    SPIKE = "spike"  # `size` added
    STEP = "step"  # `size` added, the same as a spike but meant to last
    DRIFT = "drift"  # from 0 up to `size` over the fault's time
    NOISE = "noise"  # noise times `size`


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault from `start_s` to `end_s` after the beginning; size in the metric's unit."""

    kind: FaultKind
    start_s: float
    end_s: float
    size: float = 0.0


@dataclass(frozen=True, slots=True)
class SimulatedSensor:
    """One series: a level, a daily wave, a weekday share, noise, and faults."""

    device: str
    metric: str
    unit: str = "1"
    level: float = 0.0
    daily: float = 0.0  # amplitude of the daily wave, highest at 15:00 UTC
    weekend: float = 0.0  # added on Saturday and Sunday
    noise: float = 0.0  # standard deviation
    step_s: float = 60.0
    seed: int = 0
    faults: tuple[Fault, ...] = ()
    repeat_s: float = 0.0  # the faults begin anew after it; 0: never


@dataclass(frozen=True, slots=True)
class Simulated:
    """A reading with the fault that was at work, None where all was well."""

    reading: Reading
    fault: Fault | None


def simulate(sensor: SimulatedSensor, start: datetime, duration_s: float) -> Iterator[Simulated]:
    """The readings of a sensor from `start` on, those in a gap left out.

    duration_s: may be infinite.
    """
    noise = random.Random(sensor.seed)
    last = sensor.level
    for k in itertools.count():
        passed_s = k * sensor.step_s
        if passed_s + sensor.step_s > duration_s:
            return
        at = start + timedelta(seconds=passed_s)
        after_s = passed_s % sensor.repeat_s if sensor.repeat_s else passed_s
        fault = next((f for f in sensor.faults if f.start_s <= after_s < f.end_s), None)
        deviation = noise.gauss(0.0, sensor.noise)
        value = _value(sensor, at, deviation, fault, after_s, last)
        last = value
        if fault is None or fault.kind is not FaultKind.GAP:
            reading = Reading(
                device=sensor.device,
                metric=sensor.metric,
                value=value,
                unit=sensor.unit,
                captured_at=at,
            )
            yield Simulated(reading, fault)


def _value(
    sensor: SimulatedSensor,
    at: datetime,
    deviation: float,
    fault: Fault | None,
    after_s: float,
    last: float,
) -> float:
    day_s = (at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() % DAY_S
    wave = math.cos(2 * math.pi * (day_s - 15 * 3600) / DAY_S)
    usual = sensor.level + sensor.daily * wave + sensor.weekend * (at.weekday() >= 5)
    if fault is None or fault.kind is FaultKind.GAP:
        return usual + deviation
    if fault.kind is FaultKind.STUCK:
        return last
    if fault.kind is FaultKind.NOISE:
        return usual + deviation * fault.size
    if fault.kind is FaultKind.DRIFT:
        return (
            usual
            + deviation
            + fault.size * (after_s - fault.start_s) / (fault.end_s - fault.start_s)
        )
    return usual + deviation + fault.size


class SimulatedSource:
    """Simulated sensors as a `ReadingSource`.

    paced: readings come when their time comes by `now`; else as fast as they are taken.
    """

    def __init__(
        self,
        name: str,
        sensors: Sequence[SimulatedSensor],
        start: datetime,
        duration_s: float,
        now: Callable[[], datetime],
        paced: bool = True,
    ) -> None:
        self.name = name
        self.sensors = tuple(sensors)
        self._start = start
        self._duration_s = duration_s
        self._now = now
        self._paced = paced
        self._closed = threading.Event()
        self._status = SourceStatus(SensorState.CONNECTING, now())
        self._devices = len({s.device for s in sensors})

    def readings(self) -> Iterator[Record]:
        """Every reading of every sensor in order of time."""
        self._status = SourceStatus(SensorState.ONLINE, self._now())
        series = [simulate(s, self._start, self._duration_s) for s in self.sensors]
        count = 0
        for reading in _in_order(series):
            if self._paced:
                wait_s = (reading.captured_at - self._now()).total_seconds()
                self._closed.wait(max(wait_s, 0.0))
            if self._closed.is_set():
                break
            count += 1
            self._status = SourceStatus(
                SensorState.ONLINE,
                self._status.since,
                messages=count,
                records=count,
                devices=self._devices,
            )
            yield reading
        self._status = SourceStatus(SensorState.ENDED, self._now(), messages=count, records=count)

    def status(self) -> SourceStatus:
        """How it fares. Any thread."""
        return self._status

    def close(self) -> None:
        """End `readings`. Any thread."""
        self._closed.set()


def _in_order(series: Sequence[Iterator[Simulated]]) -> Iterator[Reading]:
    yield from heapq.merge(
        *((item.reading for item in one) for one in series), key=lambda r: r.captured_at
    )
