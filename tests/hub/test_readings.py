"""Readings are stored as they are, and their roll-ups are exact whatever arrives when."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest

from contract.messages import Reading
from hub.store.bulk import by_copy
from hub.store.readings import WIDTHS, ReadingRows, append, bucket
from tests.hub.builders import START, rows

ZONES = ["Asia/Shanghai", "Asia/Kathmandu", "Australia/Lord_Howe"]  # +8, +5:45, half an hour of DST


@pytest.mark.parametrize("zone_name", ZONES)
def test_roll_ups_are_those_of_all_values_however_they_arrive(
    database_url: str, zone_name: str
) -> None:
    chance, zone = random.Random(3), ZoneInfo(zone_name)
    change = datetime(2026, 4, 4, 14, 58, tzinfo=UTC)  # Lord Howe goes back half an hour at 15:00
    told = [
        (
            chance.choice(("a-1", "a-2")),
            Reading(
                device=chance.choice(("meter-1", "meter-2")),
                metric="rain",
                value=chance.uniform(-5, 5),
                unit=chance.choice(("mm", "1")),
                place=chance.choice(("", "门口")),
                captured_at=change
                + timedelta(
                    microseconds=chance.choice((0, 1, 59_999_999, 60_000_000)),
                    minutes=chance.choice((0, 1, 62)),
                    days=chance.choice((0, 0, 1, -3)),
                ),
            ),
        )
        for _ in range(300)
    ]
    expected: defaultdict[tuple[object, ...], list[float]] = defaultdict(list)
    for agent, r in told:
        for width in WIDTHS:
            at = bucket(width, r.captured_at, zone).astimezone(UTC)
            expected[width, at, agent, r.device, r.metric, r.label, r.place].append(r.value)

    with psycopg.connect(database_url) as conn:
        for part in (told[:7], told[7:200], told[200:]):
            batch = ReadingRows()
            for agent, r in part:
                batch.add(agent, r)
            append(conn, batch, START, zone, by_copy)
        append(conn, ReadingRows(), START, zone, by_copy)

    assert sorted(
        rows(
            database_url,
            "SELECT agent, device, metric, label, place, unit, captured_at, value, received_at "
            "FROM reading",
        )
    ) == sorted(
        (a, r.device, r.metric, r.label, r.place, r.unit, r.captured_at, r.value, START)
        for a, r in told
    )
    found = {
        row[:7]: row[7:]
        for row in rows(
            database_url,
            "SELECT width, bucket, agent, device, metric, label, place, n, total, low, high "
            "FROM reading_rollup",
        )
    }
    assert found == {
        key: (len(vs), pytest.approx(sum(vs)), min(vs), max(vs)) for key, vs in expected.items()
    }
