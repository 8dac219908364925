"""Charts of sensors: what the console draws of readings, roll-ups and a detection's evidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import Connection

from contract.messages import ReadingCurve
from hub.api.metric_words import metric_of
from hub.api.value_curve import Point, ValueCurve, sparkline, value_curve
from hub.store import sensor_views
from hub.store.part import Part
from hub.store.rows import DetectionRow
from hub.store.sensor_views import RollUpRow, SensorView, SeriesRow

SPARK_S = 3600.0


@dataclass(frozen=True, slots=True)
class Range:
    """A time that a sensor's page shows, and the roll-ups it is drawn of."""

    width: str
    length: timedelta
    period_s: float
    en: str
    zh: str
    clock: str  # how times below the chart are written


RANGES: dict[str, Range] = {
    "hour": Range("1m", timedelta(hours=1), 60.0, "Hour", "一小时", "%H:%M"),
    "day": Range("1m", timedelta(days=1), 60.0, "Day", "一天", "%H:%M"),
    "week": Range("1h", timedelta(days=7), 3600.0, "Week", "一周", "%m-%d %H:%M"),
    "month": Range("1h", timedelta(days=31), 3600.0, "Month", "一月", "%m-%d"),
    "year": Range("1d", timedelta(days=366), 86400.0, "Year", "一年", "%Y-%m-%d"),
}

Key = tuple[str, str, str, str, str]  # agent, device, metric, label, place


def sparks(
    conn: Connection[Any], shown: Sequence[SensorView], now: datetime
) -> dict[Key, list[str]]:
    """The last hour of each series of these sensors, as small polylines."""
    which = [(s.sensor.agent, s.sensor.device) for s in shown]
    since = now - timedelta(seconds=SPARK_S)
    found = sensor_views.rollups(
        conn, which, width="1m", since=since, until=now + timedelta(minutes=1), part=Part(20_000)
    )
    usual = {_key(v): v.interval_s or 60.0 for s in shown for v in s.series}
    begin = since.timestamp()
    return {
        key: sparkline(points, begin, begin + SPARK_S, _gap_s(usual.get(key, 60.0), 60.0))
        for key, points in _by_series(found).items()
    }


def chart(
    conn: Connection[Any], series: SeriesRow, name: str, now: datetime, zone: ZoneInfo
) -> ValueCurve | None:
    """One series over a range; None where nothing was measured in it."""
    r = RANGES[name]
    found = sensor_views.rollups(
        conn,
        [(series.agent, series.device)],
        width=r.width,
        since=now - r.length,
        until=now + timedelta(minutes=1),
        metric=series.metric,
        part=Part(5000),
    )
    return value_curve(
        _by_series(found).get(_key(series), []),
        since_s=(now - r.length).timestamp(),
        until_s=now.timestamp(),
        gap_s=_gap_s(series.interval_s or r.period_s, r.period_s),
        tick=lambda at_s: datetime.fromtimestamp(at_s, zone).strftime(r.clock),
    )


@dataclass(frozen=True, slots=True)
class Measured:
    """What a detector over readings saw."""

    curve: ValueCurve
    metric: str
    condition: str
    unit: str
    low: float | None
    high: float | None


def measured(
    detection: DetectionRow, curves: Sequence[ReadingCurve], zone: ZoneInfo
) -> Measured | None:
    """The readings around a detection; None where it came without."""
    values: dict[float, float] = {}
    for told in curves:
        values.update((float(s), float(v)) for s, v in told.values)
    if not values:
        return None
    points = [Point(s, v, v, v) for s, v in sorted(values.items())]
    since_s, until_s = points[0].at_s, max(points[-1].at_s, 0.0)
    if until_s - since_s < 1.0:
        since_s, until_s = since_s - 1.0, until_s + 1.0
    latest = curves[-1]
    raised = detection.raised_at.timestamp()
    metric, condition = metric_of(detection.label)
    limit = {"high": latest.high, "low": latest.low}.get(condition)
    drawn = value_curve(
        points,
        since_s=since_s,
        until_s=until_s,
        gap_s=float("inf"),
        tick=lambda at_s: datetime.fromtimestamp(raised + at_s, zone).strftime("%H:%M:%S"),
        limits=[] if limit is None else [limit],
        moment_s=0.0,
    )
    if drawn is None:
        return None
    return Measured(drawn, metric, condition, latest.unit, latest.low, latest.high)


def _by_series(found: Sequence[RollUpRow]) -> dict[Key, list[Point]]:
    series: defaultdict[Key, list[Point]] = defaultdict(list)
    for r in found:
        key = (r.agent, r.device, r.metric, r.label, r.place)
        series[key].append(Point(r.bucket.timestamp(), r.mean, r.low, r.high))
    return series


def _key(v: SeriesRow) -> Key:
    return v.agent, v.device, v.metric, v.label, v.place


def _gap_s(interval_s: float, period_s: float) -> float:
    """Values further apart are not joined by a line: in between nobody knows."""
    return max(2.5 * period_s, 3.0 * interval_s + period_s)
