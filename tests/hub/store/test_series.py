"""Series: split by the day of reception, with TimescaleDB and without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from hub.config import StorageConfig
from hub.store import hypertables, series
from hub.store.migrate import migrate
from hub.upkeep import keep_up
from tests import pglite
from tests.hub.builders import START, Clock

pytestmark = pytest.mark.timescale

DAY = timedelta(days=1)
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)
FOR_EVER = StorageConfig(
    keep_readings_days=0,
    keep_scores_days=0,
    keep_heartbeats_days=0,
    keep_minutes_days=0,
    keep_hours_days=0,
    keep_notices_days=0,
    compress_after_days=0,
)


@pytest.fixture(params=["partitions", "timescale"])
def conn(request: pytest.FixtureRequest) -> Iterator[Connection[Any]]:
    """A migrated database of either kind, in a transaction that is rolled back."""
    kind = request.param
    url = request.getfixturevalue("timescale_url" if kind == "timescale" else "shared_database_url")
    with (
        psycopg.connect(url, autocommit=True, prepare_threshold=None) as conn,
        conn.transaction(force_rollback=True),
    ):
        yield conn


@pytest.fixture
def partitions(shared_database_url: str) -> Iterator[Connection[Any]]:
    """A migrated database without TimescaleDB, in a transaction that is rolled back."""
    with (
        psycopg.connect(shared_database_url, autocommit=True) as conn,
        conn.transaction(force_rollback=True),
    ):
        yield conn


def receive(conn: Connection[Any], *received_at: datetime) -> None:
    """One heartbeat for each of these times."""
    for at in received_at:
        conn.execute(
            "INSERT INTO health (captured_at, received_at, agent, body) VALUES (%s, %s, 'a', '{}')",
            (START, at),
        )


def received(conn: Connection[Any], table: str = "health") -> list[datetime]:
    query = f"SELECT received_at FROM {table} ORDER BY received_at"
    return [at for (at,) in conn.execute(query.encode())]


def test_a_series_is_split_by_day_in_either_kind_of_database(conn: Connection[Any]) -> None:
    receive(conn, MIDNIGHT - 2 * DAY, MIDNIGHT + DAY)
    keep_up(conn, FOR_EVER, Clock(MIDNIGHT))
    receive(conn, MIDNIGHT + 2 * DAY)

    gone = series.drop_before(conn, series.HEARTBEATS, MIDNIGHT + 2 * DAY, at_most=100)

    assert len(gone) in (2, 1 + series.AHEAD)  # made by their rows, or ahead
    assert received(conn) == [MIDNIGHT + 2 * DAY]


def test_a_day_goes_only_when_all_of_it_is_old_enough(conn: Connection[Any]) -> None:
    series.make_days(conn, series.HEARTBEATS, MIDNIGHT)
    receive(conn, MIDNIGHT, MIDNIGHT + DAY - timedelta(microseconds=1), MIDNIGHT + DAY)

    assert not series.drop_before(
        conn, series.HEARTBEATS, MIDNIGHT + DAY - timedelta(seconds=1), at_most=100
    )
    assert len(received(conn)) == 3

    assert len(series.drop_before(conn, series.HEARTBEATS, MIDNIGHT + DAY, at_most=100)) == 1
    assert received(conn) == [MIDNIGHT + DAY]


def test_a_clock_that_jumps_ahead_empties_the_database_by_two_days_a_round(
    conn: Connection[Any],
) -> None:
    storage = replace(FOR_EVER, keep_heartbeats_days=30)
    for n in range(0, 8, 4):
        series.make_days(conn, series.HEARTBEATS, MIDNIGHT + n * DAY)
    receive(conn, *(MIDNIGHT + n * DAY for n in range(8)))

    keep_up(conn, storage, Clock(MIDNIGHT + 3650 * DAY))

    assert received(conn) == [MIDNIGHT + n * DAY for n in range(2, 8)]


def test_each_series_is_kept_for_its_own_time_and_roll_ups_longer(conn: Connection[Any]) -> None:
    now = MIDNIGHT + 50 * DAY
    for table in ("reading", "score_block", "health"):
        columns = {
            "reading": "'d', 'm', '', '', 1.0, '1'",
            "score_block": "'s', 'k', '', '', '{}', '{}'",
            "health": "'{}'",
        }[table]
        series.make_days(conn, next(s for s in series.ALL if s.name == table), MIDNIGHT)
        conn.execute(f"INSERT INTO {table} SELECT %s, %s, 'a', {columns}".encode(), [MIDNIGHT] * 2)
    for width in ("1m", "1h", "1d"):
        conn.execute(
            "INSERT INTO reading_rollup VALUES (%s, %s, 'a', 'd', 'm', '', '', 1, 1, 1, 1)",
            (width, MIDNIGHT),
        )

    def kept() -> list[str]:
        rows = conn.execute(
            "SELECT 'reading' FROM reading UNION ALL SELECT 'score' FROM score_block UNION ALL "
            "SELECT 'health' FROM health UNION ALL SELECT width FROM reading_rollup"
        )
        return sorted(name for (name,) in rows)

    short = replace(FOR_EVER, keep_readings_days=60, keep_scores_days=40, keep_heartbeats_days=60)
    keep_up(conn, short, Clock(now))
    assert kept() == ["1d", "1h", "1m", "health", "reading"]

    short = replace(short, keep_readings_days=30, keep_heartbeats_days=30, keep_minutes_days=40)
    keep_up(conn, short, Clock(now))
    assert kept() == ["1d", "1h"]

    keep_up(conn, replace(short, keep_hours_days=49), Clock(now))
    assert kept() == ["1d"]


def test_days_are_made_once_and_ahead(partitions: Connection[Any]) -> None:
    assert series.make_days(partitions, series.READINGS, MIDNIGHT + timedelta(hours=23)) == [
        "reading_20261124",
        "reading_20261125",
        "reading_20261126",
        "reading_20261127",
    ]
    assert series.make_days(partitions, series.READINGS, MIDNIGHT + DAY) == ["reading_20261128"]


def test_rows_of_a_day_that_nobody_made_are_kept_and_moved_into_it(
    partitions: Connection[Any],
) -> None:
    receive(partitions, MIDNIGHT, MIDNIGHT + timedelta(hours=1), MIDNIGHT + 400 * DAY)
    assert len(received(partitions, "health_default")) == 3

    series.make_days(partitions, series.HEARTBEATS, MIDNIGHT)

    assert received(partitions, "health_20261124") == [MIDNIGHT, MIDNIGHT + timedelta(hours=1)]
    assert received(partitions, "health_default") == [MIDNIGHT + 400 * DAY]
    assert len(received(partitions)) == 3


def test_rows_that_no_day_was_made_for_grow_old_too(partitions: Connection[Any]) -> None:
    receive(partitions, MIDNIGHT - 500 * DAY, MIDNIGHT - DAY)

    series.drop_before(partitions, series.HEARTBEATS, MIDNIGHT - 30 * DAY, at_most=100)

    assert received(partitions) == [MIDNIGHT - DAY]


def test_the_upkeep_waits_for_nobody_who_holds_a_table(shared_database_url: str) -> None:
    with (
        psycopg.connect(shared_database_url) as reader,
        psycopg.connect(shared_database_url, autocommit=True) as conn,
    ):
        reader.execute("LOCK TABLE health_default IN ACCESS SHARE MODE")

        with pytest.raises(psycopg.errors.LockNotAvailable):
            series.make_days(conn, series.HEARTBEATS, MIDNIGHT)


def test_a_day_is_made_while_other_days_are_written(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        series.make_days(conn, series.SCORES, MIDNIGHT)
        with psycopg.connect(database_url) as writer:
            writer.execute(
                "INSERT INTO score_block SELECT %s, %s, 'a', 's', 'k', '', '', '{}', '{}'",
                [MIDNIGHT] * 2,
            )
            assert series.make_days(conn, series.SCORES, MIDNIGHT + DAY) == ["score_block_20261128"]
            writer.rollback()


def test_of_several_hubs_one_keeps_the_database_up(shared_database_url: str) -> None:
    with (
        psycopg.connect(shared_database_url, autocommit=True) as one,
        psycopg.connect(shared_database_url, autocommit=True) as other,
        one.transaction(force_rollback=True),
    ):
        keep_up(one, FOR_EVER, Clock(MIDNIGHT + 700 * DAY))
        keep_up(other, FOR_EVER, Clock(MIDNIGHT + 800 * DAY))

        days = other.execute("SELECT count(*) FROM pg_class WHERE relname = 'health_20290201'")
        assert days.fetchone() == (0,)


@pytest.fixture
def timescale(timescale_url: str) -> Iterator[Connection[Any]]:
    """A migrated database with TimescaleDB; made anew afterwards."""
    with psycopg.connect(timescale_url, autocommit=True, prepare_threshold=None) as conn:
        yield conn
        pglite.empty(conn)
    migrate(timescale_url)


def compressed(conn: Connection[Any]) -> list[bool]:
    return [
        bool(is_compressed)
        for (is_compressed,) in conn.execute(
            "SELECT is_compressed FROM timescaledb_information.chunks"
            " WHERE hypertable_name = 'health' ORDER BY range_end"
        )
    ]


def test_old_days_are_compressed_by_a_policy_that_follows_the_setting(
    timescale: Connection[Any],
) -> None:
    now = datetime.now(UTC)
    receive(timescale, now - 9 * DAY, now - 4 * DAY, now)

    keep_up(timescale, replace(FOR_EVER, compress_after_days=7), lambda: now)  # no worker here
    assert compressed(timescale) == [True, False, False]

    keep_up(timescale, replace(FOR_EVER, compress_after_days=2), lambda: now)
    assert compressed(timescale) == [True, True, False]

    receive(timescale, now - 9 * DAY)  # as a clock that is set back would have it
    assert len(received(timescale)) == 4
    keep_up(timescale, replace(FOR_EVER, keep_heartbeats_days=8), lambda: now)
    assert len(received(timescale)) == 2
    assert not hypertables.run_stale_policy(timescale, "health")  # 0: never
