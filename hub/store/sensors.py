"""Sensors: where they stand as births tell, and the last word on each series as readings tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from psycopg import Connection

from contract.geometry import Point
from contract.reading_pack import EPOCH
from hub.store.readings import ReadingRows


@dataclass(frozen=True, slots=True)
class SensorBirth:
    """A device as its agent's manifest names it."""

    device: str
    source: str
    name: str
    position: Point | None
    cell: str | None


def save(conn: Connection[Any], agent: str, sensors: Iterable[SensorBirth], at: datetime) -> None:
    """The devices of an agent are these; what it no longer names is retired."""
    rows = sorted(sensors, key=lambda s: s.device)
    conn.execute(
        """
        UPDATE sensor SET retired_at = %s
        WHERE agent = %s AND retired_at IS NULL AND device <> ALL (%s::text[])
        """,
        (at, agent, [s.device for s in rows]),
    )
    conn.execute(
        """
        INSERT INTO sensor (agent, device, source, name, lon, lat, cell)
        SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::text[], %s::float8[], %s::float8[],
                                 %s::text[])
        ON CONFLICT (agent, device) DO UPDATE SET
            source = excluded.source, name = excluded.name, lon = excluded.lon,
            lat = excluded.lat, cell = excluded.cell, retired_at = NULL
        """,
        (
            agent,
            [s.device for s in rows],
            [s.source for s in rows],
            [s.name for s in rows],
            [s.position.lon if s.position else None for s in rows],
            [s.position.lat if s.position else None for s in rows],
            [s.cell for s in rows],
        ),
    )


def positions(
    conn: Connection[Any], devices: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Point]:
    """Where these devices (agent, device) stand, as far as it is known."""
    ordered = sorted(devices)
    return {
        (agent, device): Point(lon, lat)
        for agent, device, lon, lat in conn.execute(
            """
            SELECT agent, device, lon, lat FROM sensor
            WHERE (agent, device) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
              AND lon IS NOT NULL
            """,
            ([a for a, _ in ordered], [d for _, d in ordered]),
        )
    }


def hear(conn: Connection[Any], readings: ReadingRows, received_at: datetime) -> None:
    """Take new readings into the last word on their series; late ones only count.

    The usual interval follows a fifth of each new one, and of an outage no more than thrice itself:
    a device that was away for a day is missed soon again.
    """
    if not readings.values:
        return
    captured = np.array(readings.captured_us, np.int64)
    places: Iterable[int] = range(len(captured))
    if (captured[1:] < captured[:-1]).any():
        places = np.argsort(captured, kind="stable").tolist()
    last = {readings.series[i]: i for i in places}  # of each, the newest by its time
    counts: Counter[tuple[str, ...]] = Counter()
    newest: dict[tuple[str, ...], int] = {}
    for series, n in Counter(readings.series).items():
        subject, i = series[:-1], last[series]  # whatever the unit
        counts[subject] += n
        known = newest.get(subject)
        if known is None or captured[i] >= captured[known]:
            newest[subject] = i
    # sorted: two batches that meet take their rows in the same order
    rows = [
        (
            *subject,
            readings.series[i].unit,
            readings.values[i],
            EPOCH + timedelta(microseconds=readings.captured_us[i]),
            received_at,
            counts[subject],
        )
        for subject, i in sorted(newest.items())
    ]
    conn.execute(
        """
        INSERT INTO sensor_value AS s (agent, device, metric, label, place, unit, value,
                                       captured_at, received_at, n)
        SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
            %s::text[], %s::float8[], %s::timestamptz[], %s::timestamptz[], %s::bigint[])
        ON CONFLICT (agent, device, metric, label, place) DO UPDATE SET
            n = s.n + excluded.n,
            unit = CASE WHEN excluded.captured_at >= s.captured_at
                        THEN excluded.unit ELSE s.unit END,
            value = CASE WHEN excluded.captured_at >= s.captured_at
                         THEN excluded.value ELSE s.value END,
            captured_at = greatest(excluded.captured_at, s.captured_at),
            received_at = CASE WHEN excluded.captured_at >= s.captured_at
                               THEN excluded.received_at ELSE s.received_at END,
            interval_s = CASE
                WHEN excluded.captured_at <= s.captured_at THEN s.interval_s
                WHEN s.interval_s IS NULL THEN
                    extract(epoch FROM excluded.captured_at - s.captured_at) / excluded.n
                ELSE 0.8 * s.interval_s + 0.2 * least(3 * s.interval_s,
                    extract(epoch FROM excluded.captured_at - s.captured_at) / excluded.n)
            END
        """,
        [list(column) for column in zip(*rows, strict=True)],
    )
