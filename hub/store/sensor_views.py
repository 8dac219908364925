"""What API and pages read of sensors. Nothing here writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from hub.domain.errors import NotFoundError
from hub.store.part import WHOLE, Part

LATE = 4.0  # times the usual interval without a reading: silent
LEAST_S = 60.0  # never sooner
NO_INTERVAL = timedelta(days=1)  # for a series of which only one reading came


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """The last word on one series of a device."""

    agent: str
    device: str
    metric: str
    label: str
    place: str
    unit: str
    value: float
    captured_at: datetime
    received_at: datetime
    interval_s: float | None  # usual time between two readings
    n: int

    def is_silent(self, now: datetime) -> bool:
        """Whether nothing has come for much longer than usual."""
        usual = NO_INTERVAL
        if self.interval_s is not None:
            usual = timedelta(seconds=max(LEAST_S, LATE * self.interval_s))
        return now - self.received_at > usual


@dataclass(frozen=True, slots=True)
class SensorRow:
    """A device that readings came from, or that an agent's manifest names."""

    agent: str
    device: str
    source: str | None  # None: no manifest names it
    name: str
    lon: float | None
    lat: float | None
    cell: str | None
    heard_at: datetime | None  # when its last reading was received


@dataclass(frozen=True, slots=True)
class SensorView:
    """A device with the last word on each of its series."""

    sensor: SensorRow
    series: tuple[SeriesRow, ...]
    faults: tuple[FaultRow, ...]

    def silent_since(self, now: datetime) -> datetime | None:
        """When its last reading came, where every series is overdue; None: it reports."""
        if self.series and all(s.is_silent(now) for s in self.series):
            return max(s.received_at for s in self.series)
        return None


@dataclass(frozen=True, slots=True)
class FaultRow:
    """An open episode of a detector over readings."""

    agent: str
    stream: str
    kind: str
    label: str
    raised_at: datetime
    event: str | None  # number of the grid event it feeds


@dataclass(frozen=True, slots=True)
class RollUpRow:
    """The readings of one series in one period."""

    agent: str
    device: str
    metric: str
    label: str
    place: str
    bucket: datetime
    n: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """One reading."""

    captured_at: datetime
    received_at: datetime
    metric: str
    label: str
    place: str
    value: float
    unit: str


def sensors(
    conn: Connection[Any],
    agent: str | None = None,
    device: str | None = None,
    *,
    part: Part = WHOLE,
) -> list[SensorView]:
    """Devices by agent and name: cameras, which count too, are left out."""
    found = _rows(
        conn,
        SensorRow,
        """
        SELECT agent, device, s.source, coalesce(s.name, '') AS name, s.lon, s.lat, s.cell,
               v.heard_at
        FROM (SELECT agent, device, max(received_at) AS heard_at FROM sensor_value
              GROUP BY agent, device) v
        FULL JOIN (SELECT * FROM sensor WHERE retired_at IS NULL) s USING (agent, device)
        WHERE (%(agent)s::text IS NULL OR agent = %(agent)s)
          AND (%(device)s::text IS NULL OR device = %(device)s)
          AND NOT EXISTS (SELECT FROM stream c WHERE c.agent = v.agent AND c.stream = v.device)
        ORDER BY agent, device LIMIT %(limit)s OFFSET %(skip)s
        """,
        agent=agent,
        device=device,
        limit=part.limit,
        skip=part.skip,
    )
    return _with_series(conn, found)


def sensor(conn: Connection[Any], agent: str, device: str) -> SensorView:
    """One device; raises NotFoundError."""
    found = sensors(conn, agent, device, part=Part(1))
    if not found:
        raise NotFoundError("sensor", f"{agent}/{device}")
    return found[0]


def rollups(
    conn: Connection[Any],
    devices: Sequence[tuple[str, str]],
    *,
    width: str,
    since: datetime,
    until: datetime,
    metric: str | None = None,
    part: Part = WHOLE,
) -> list[RollUpRow]:
    """The periods [since, until) of these devices (agent, device), oldest first."""
    return _rows(
        conn,
        RollUpRow,
        """
        SELECT agent, device, metric, label, place, bucket, n, total / n AS mean, low, high
        FROM reading_rollup
        WHERE device = ANY (%(devices)s) AND width = %(width)s
          AND bucket >= %(since)s AND bucket < %(until)s
          AND (%(metric)s::text IS NULL OR metric = %(metric)s)
          AND (agent, device) IN (SELECT * FROM unnest(%(agents)s::text[], %(devices)s::text[]))
        ORDER BY bucket, agent, device, metric, label, place
        LIMIT %(limit)s OFFSET %(skip)s
        """,
        devices=[d for _, d in devices],
        agents=[a for a, _ in devices],
        width=width,
        since=since,
        until=until,
        metric=metric,
        limit=part.limit,
        skip=part.skip,
    )


def readings(
    conn: Connection[Any],
    agent: str,
    device: str,
    *,
    since: datetime,
    until: datetime,
    metric: str | None,
    part: Part,
) -> list[ReadingRow]:
    """The readings of a device captured in [since, until), the newest first."""
    return _rows(
        conn,
        ReadingRow,
        """
        SELECT captured_at, received_at, metric, label, place, value, unit FROM reading
        WHERE agent = %(agent)s AND device = %(device)s
          AND (%(metric)s::text IS NULL OR metric = %(metric)s)
          AND captured_at >= %(since)s AND captured_at < %(until)s
          AND received_at >= %(since)s - INTERVAL '1 hour' -- leaves days out; clocks run ahead
        ORDER BY captured_at DESC, metric, label, place, received_at
        LIMIT %(limit)s OFFSET %(skip)s
        """,
        agent=agent,
        device=device,
        metric=metric,
        since=since,
        until=until,
        limit=part.limit,
        skip=part.skip,
    )


def _with_series(conn: Connection[Any], found: Sequence[SensorRow]) -> list[SensorView]:
    which = {"agents": [s.agent for s in found], "devices": [s.device for s in found]}
    series = _rows(
        conn,
        SeriesRow,
        """
        SELECT agent, device, metric, label, place, unit, value, captured_at, received_at,
               interval_s, n
        FROM sensor_value
        WHERE (agent, device) IN (SELECT * FROM unnest(%(agents)s::text[], %(devices)s::text[]))
        ORDER BY agent, device, metric, place, label
        """,
        **which,
    )
    faults = _rows(
        conn,
        FaultRow,
        """
        SELECT d.agent, d.stream, d.kind, d.label, d.raised_at, e.number AS event
        FROM detection d LEFT JOIN grid_event e ON e.id = d.event
        WHERE (d.agent, d.stream)
              IN (SELECT * FROM unnest(%(agents)s::text[], %(devices)s::text[]))
          AND d.phase <> 'cleared' AND d.lost_sight_at IS NULL
          AND d.kind IN ('reading_limit', 'reading_anomaly', 'reading_neighbours')
        ORDER BY d.raised_at DESC LIMIT 1000
        """,
        **which,
    )
    series_of: defaultdict[tuple[str, str], list[SeriesRow]] = defaultdict(list)
    for v in series:
        series_of[v.agent, v.device].append(v)
    faults_of: defaultdict[tuple[str, str], list[FaultRow]] = defaultdict(list)
    for f in faults:
        faults_of[f.agent, f.stream].append(f)
    return [
        SensorView(s, tuple(series_of[s.agent, s.device]), tuple(faults_of[s.agent, s.device]))
        for s in found
    ]


def _rows(conn: Connection[Any], row: type[Any], statement: str, **values: Any) -> list[Any]:
    with conn.cursor(row_factory=class_row(row)) as cursor:
        return cursor.execute(statement.encode(), values).fetchall()
