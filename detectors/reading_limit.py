"""Limits of a measured value: too high, too low, too fast, stuck, flat, missing, impossible.

Every condition gives a score of its own, 0.5 exactly at its limit, so that the usual threshold of
0.5 is the limit itself and the usual hold ratio of 0.8 (a score of 0.4) is the limit less the
hysteresis. A threshold that is moved by the hub so moves the limit by a known amount.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from contract.episode import EpisodePolicy
from contract.messages import Reading
from contract.sustained import Sustained, SustainedRule
from detectors.kit.params import param
from detectors.kit.reading_registry import register_reading
from detectors.kit.types import Observation

_RATE_WINDOW = 4096  # readings kept for the rate of change, at most


@dataclass(frozen=True, slots=True)
class ReadingLimitParams:
    """What is watched. Units are those of the metric unless said otherwise."""

    threshold: float = param(0.5, minimum=0.05, maximum=1.0, text="Score to raise at; 0.5: limit")
    high_on: bool = param(False, text="Watch the upper limit")
    high: float = param(0.0, text="Upper limit")
    low_on: bool = param(False, text="Watch the lower limit")
    low: float = param(0.0, text="Lower limit")
    hysteresis: float = param(
        0.0, minimum=0.0, text="How far back inside a limit a value must go to clear"
    )
    duration_s: float = param(
        0.0, minimum=0.0, maximum=604800.0, unit="s", text="How long it must last to raise"
    )
    rate: float = param(
        0.0, minimum=0.0, text="Change within rate_window_s that counts, either way; 0: off"
    )
    rate_window_s: float = param(
        600.0, minimum=1.0, maximum=86400.0, unit="s", text="Time the change is measured over"
    )
    stuck_s: float = param(
        0.0, minimum=0.0, unit="s", text="Exactly the same value for this long; 0: off"
    )
    flat_s: float = param(
        0.0, minimum=0.0, unit="s", text="Span of values below flat_span for this long; 0: off"
    )
    flat_span: float = param(0.0, minimum=0.0, text="Span of values that counts as flat")
    gap_s: float = param(0.0, minimum=0.0, unit="s", text="No reading for this long; 0: off")
    range_low: float = param(0.0, text="Least value the sensor can show")
    range_high: float = param(0.0, text="Greatest value the sensor can show; = range_low: off")


@register_reading
class ReadingLimit:
    """Watches one series against fixed limits."""

    kind = "reading_limit"
    version = "1"
    summary = "A value beyond its limits, changing too fast, stuck, flat, missing or impossible."
    Params = ReadingLimitParams

    def __init__(self, params: ReadingLimitParams) -> None:
        self.params = params
        self.reset()

    def reset(self) -> None:
        """Forget everything; the next reading is the first."""
        self._metric = ""
        self._place = ""
        self._last_at: datetime | None = None
        self._heard_at: datetime | None = None
        self._same_since: datetime | None = None
        self._last_value = 0.0
        self._recent: deque[tuple[datetime, float]] = deque(maxlen=_RATE_WINDOW)
        self._flat: _Span = _Span()

    def use(self, params: ReadingLimitParams) -> None:
        """Go on with other limits; times and recent values are kept."""
        self.params = params

    def rule(self) -> SustainedRule:
        """Raise after `duration_s` at or beyond the limit."""
        p = self.params
        return Sustained(
            p.duration_s, p.threshold, max_gap_s=max(7200.0, 4 * p.gap_s, 2 * p.duration_s)
        ).build()

    def policy(self) -> EpisodePolicy:
        """Cleared by the first value inside the hysteresis; told again every five minutes."""
        return EpisodePolicy(off_delay_s=0.0, update_every_s=300.0)

    def observe(self, reading: Reading, heard_at: datetime | None = None) -> Iterator[Observation]:
        """A score for each condition that is on. A reading older than the last one is left out."""
        at, value = reading.captured_at, reading.value
        self._heard_at = heard_at or at
        if self._last_at is not None and at < self._last_at:
            return
        p = self.params
        self._metric, self._place = reading.metric, reading.place
        possible = p.range_low == p.range_high or p.range_low <= value <= p.range_high
        if p.range_low != p.range_high:
            yield self._seen("out_of_range", 0.0 if possible else 1.0, value)
        if p.gap_s:
            yield self._seen("gap", 0.0, 0.0)
        if possible:  # an impossible value says nothing of the thing that is measured
            yield from self._limits(value)
            yield from self._change(at, value)
        yield from self._still(at, value)
        self._last_at = at

    def idle(self, at: datetime) -> Iterator[Observation]:
        """The gap since the last reading, where gaps are watched and a reading ever came."""
        if self.params.gap_s and self._heard_at is not None:
            missing_s = (at - self._heard_at).total_seconds()
            yield self._seen("gap", _share(missing_s, self.params.gap_s), missing_s)

    def expect(self, metric: str, at: datetime) -> None:
        """Silence counts from `at` on, whether a reading ever came or not."""
        self._metric = metric
        self._heard_at = at if self._heard_at is None else max(self._heard_at, at)

    def limits(self) -> tuple[float | None, float | None]:
        """The lower and the upper limit, where they are watched."""
        p = self.params
        return (p.low if p.low_on else None), (p.high if p.high_on else None)

    def _limits(self, value: float) -> Iterator[Observation]:
        p = self.params
        if p.high_on:
            yield self._seen("high", _beyond(value - p.high, p.hysteresis), value)
        if p.low_on:
            yield self._seen("low", _beyond(p.low - value, p.hysteresis), value)

    def _change(self, at: datetime, value: float) -> Iterator[Observation]:
        p = self.params
        if not p.rate:
            return
        recent = self._recent
        recent.append((at, value))
        while (at - recent[0][0]).total_seconds() > p.rate_window_s:
            recent.popleft()
        values = [v for _, v in recent]
        for label, change in (("rising", value - min(values)), ("falling", max(values) - value)):
            yield self._seen(label, _share(change, p.rate), change)

    def _still(self, at: datetime, value: float) -> Iterator[Observation]:
        p = self.params
        if self._same_since is None or value != self._last_value:
            self._same_since, self._last_value = at, value
        if p.stuck_s:
            same_s = (at - self._same_since).total_seconds()
            yield self._seen("stuck", _share(same_s, p.stuck_s), same_s)
        if p.flat_s:
            flat_s = self._flat.add(at, value, p.flat_span)
            yield self._seen("flat", _share(flat_s, p.flat_s), flat_s)

    def _seen(self, condition: str, score: float, value: float) -> Observation:
        return Observation(
            f"{self._metric[:48]}.{condition}", score, place=self._place, features={"value": value}
        )


class _Span:
    """For how long the values have kept within a span: one pass, no history."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._low = self._high = 0.0

    def add(self, at: datetime, value: float, span: float) -> float:
        """Seconds that all values, this one included, lie within `span`."""
        low, high = min(self._low, value), max(self._high, value)
        if self._since is None or high - low > span:
            self._since, low, high = at, value, value
        self._low, self._high = low, high
        return (at - self._since).total_seconds()


def _beyond(excess: float, hysteresis: float) -> float:
    """0.5 at the limit, 0.4 at the limit less the hysteresis, 1 well beyond it."""
    if hysteresis <= 0.0:
        return 1.0 if excess >= 0.0 else 0.0
    return min(max(0.5 + 0.1 * excess / hysteresis, 0.0), 1.0)


def _share(amount: float, limit: float) -> float:
    """0.5 at the limit, 1 at twice of it."""
    return min(max(0.5 * amount / limit, 0.0), 1.0)
