"""Anomalies of a measured value, learnt from the series itself: streaming, without look-ahead.

Six views of the series give a number each, and each number is held against its own past
(`kit.surprise`): how rare is it that it is so great? The surprises of the views are added, as
independent evidence would be.

    hour          residual against the level of the time of day
    hour_short    its mean over the last few readings
    week          residual against the level of the hour of week, its mean over some twenty readings
    level         short mean against a long one, in its own usual distance: the residual likelihood
    shift         short mean against one of a hundred readings
    calm          how little the value moves: a stuck or dead sensor

A score is news or it is nothing: it counts only where it exceeds the greatest of the last `rest`
readings by a twentieth. Else one anomaly would be told with every reading it lasts. And enough is
enough: what a sum has beyond 12 counts a twentieth, so that an anomaly which grows is told when it
is certain and not again with each reading that makes it more so.

Time and memory for a reading are constant: some 15 us and 60 kB a series.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contract.episode import EpisodePolicy
from contract.messages import Reading
from contract.sustained import Sustained, SustainedRule
from detectors.kit.params import ParameterError, param
from detectors.kit.reading_registry import register_reading
from detectors.kit.surprise import Surprise
from detectors.kit.types import Observation

VIEWS = ("hour", "hour_short", "week", "level", "shift", "calm")

# rates of the means, a share for each new reading; chosen on the series of tests/bench/nab
_LEVEL_RATE = 0.1  # of a time of day and of an hour of week
_HOUR_RATE = 0.3
_WEEK_RATE = 0.05
_SHORT_RATE = 0.1
_MIDDLE_RATE = 0.01
_LONG_RATE = 0.002
_CALM_RATE = 0.15
_SLOT_MINUTES = 15  # of the day
_NEWS = 1.05
_CERTAIN = 12.0  # sum of surprises
_BEYOND = 0.05


@dataclass(frozen=True, slots=True)
class ReadingAnomalyParams:
    """How sure to be, and whose hours count."""

    threshold: float = param(0.5, minimum=0.05, maximum=1.0, unit="1", text="Score to raise at")
    half: float = param(
        11.0,
        minimum=1.0,
        maximum=100.0,
        unit="1",
        text="Sum of surprises (tens of rarity) that scores 0.5; 11: 1 in 900,000 by chance, "
        "were the six views independent",
    )
    rest: int = param(
        100, minimum=1, maximum=10000, unit="{reading}", text="Readings a score must exceed"
    )
    clear_after_s: float = param(
        3600.0, minimum=0.0, maximum=604800.0, unit="s", text="Quiet this long clears it"
    )
    time_zone: str = param("UTC", text="Whose days and hours the series follows: Asia/Shanghai")

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.time_zone)
        except (ValueError, OSError, ZoneInfoNotFoundError):
            raise ParameterError(
                f"time_zone {self.time_zone!r:.100} is not known here: use a name such as "
                "'Asia/Shanghai' of the IANA database"
            ) from None


@register_reading
class ReadingAnomaly:
    """Learns one series and says what is unlike all it has seen."""

    kind = "reading_anomaly"
    version = "2"
    summary = "A value unlike the past of its own series: level, hour of week, movement."
    Params = ReadingAnomalyParams

    def __init__(self, params: ReadingAnomalyParams) -> None:
        self.use(params)
        self.reset()

    def use(self, params: ReadingAnomalyParams) -> None:
        """Go on with other parameters; what was learnt is kept."""
        self.params = params
        self._zone = ZoneInfo(params.time_zone)

    def reset(self) -> None:
        """Forget everything; the next reading is the first."""
        self._series: _Series | None = None
        self._last_at: datetime | None = None
        self._past = {view: Surprise() for view in VIEWS}
        self._news = _News()

    def rule(self) -> SustainedRule:
        """Raise at the first score at the threshold: the score is news already."""
        return Sustained(0.0, self.params.threshold, max_gap_s=604800.0).build()

    def policy(self) -> EpisodePolicy:
        """Cleared after some quiet; told again every quarter of an hour."""
        return EpisodePolicy(off_delay_s=self.params.clear_after_s, update_every_s=900.0)

    def observe(self, reading: Reading, heard_at: datetime | None = None) -> Iterator[Observation]:
        """One score, and the surprise of each view. An older reading is left out."""
        at, value = reading.captured_at, reading.value
        if self._last_at is not None and at < self._last_at:
            return
        self._last_at = at
        local = at.astimezone(self._zone)
        if self._series is None:
            self._series = _Series(value)
        features = {
            view: self._past[view].of(statistic)
            for view, statistic in self._series.add(local, value).items()
        }
        total = sum(features.values())
        news = self._news.of(_enough(total), self.params.rest)
        yield Observation(
            f"{reading.metric[:48]}.anomaly",
            news / (news + self.params.half),
            place=reading.place,
            features={**features, "total": total},
        )

    def idle(self, at: datetime) -> Iterator[Observation]:
        """Nothing: silence is for reading_limit to tell."""
        yield from ()

    def expect(self, metric: str, at: datetime) -> None:
        """Nothing: silence is for reading_limit to tell."""

    def limits(self) -> tuple[float | None, float | None]:
        """None: what is usual is learnt and moves."""
        return None, None


def _enough(total: float) -> float:
    return total if total <= _CERTAIN else _CERTAIN + _BEYOND * (total - _CERTAIN)


class _Level:
    """Usual levels by slot: a mean that begins as a plain one and then follows slowly."""

    def __init__(self) -> None:
        self._levels: dict[int, float] = {}

    def residual(self, slot: int, value: float) -> float:
        """`value` against the level of its slot so far; 0 for the first. Then learns it."""
        level = self._levels.setdefault(slot, value)
        residual = value - level
        self._levels[slot] = level + _LEVEL_RATE * residual
        return residual


class _Series:
    """The six views of a series, as running means. One pass, no history."""

    def __init__(self, first: float) -> None:
        self._by_slot, self._by_hour = _Level(), _Level()
        self._hour = self._week = 0.0
        self._short = self._middle = self._long = self._last = first
        self._usual = 0.0  # distance of short and long mean
        self._moves = 0.0
        self._count = 0

    def add(self, local: datetime, value: float) -> dict[str, float]:
        """The statistic of each view, none negative, greater where less usual."""
        self._count += 1
        hour = self._by_slot.residual((local.hour * 60 + local.minute) // _SLOT_MINUTES, value)
        week = self._by_hour.residual(local.weekday() * 24 + local.hour, value)
        self._hour += _HOUR_RATE * (hour - self._hour)
        self._week += _WEEK_RATE * (week - self._week)
        self._moves += _CALM_RATE * (abs(value - self._last) - self._moves)
        self._last = value
        long, middle = self._long, self._middle
        self._short += _SHORT_RATE * (value - self._short)
        self._middle += _MIDDLE_RATE * (value - self._middle)
        self._long += _LONG_RATE * (value - self._long)
        tiny = 1e-9 * abs(long) + 1e-30  # rounding noise is no movement
        level = abs(self._short - long) / self._usual if self._usual > tiny else 0.0
        rate = max(_LONG_RATE, 1.0 / self._count)
        self._usual += rate * (abs(value - long) - self._usual)
        return {
            "hour": abs(hour),
            "hour_short": abs(self._hour),
            "week": abs(self._week),
            "level": level,
            "shift": abs(self._short - middle),
            "calm": 1.0 / (self._moves + tiny),
        }


class _News:
    """Lets a number through where it exceeds the greatest of the last ones by a twentieth."""

    def __init__(self) -> None:
        self._greatest: deque[tuple[int, float]] = deque()  # falling; bounded by `rest`
        self._count = 0

    def of(self, value: float, rest: int) -> float:
        """`value` where it is news, else 0."""
        self._count += 1
        greatest = self._greatest
        while greatest and greatest[0][0] < self._count - rest:
            greatest.popleft()
        is_news = not greatest or value > _NEWS * greatest[0][1]
        while greatest and greatest[-1][1] <= value:
            greatest.pop()
        greatest.append((self._count, value))
        return value if is_news else 0.0
