"""A database of any earlier version, with rows in every table, becomes the newest and loses none.

`rows/NNNN.sql` holds rows for the tables that version NNNN brings. One database takes every step in
turn: after each migration its tables must hold what they held before, and the new ones get theirs.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import Connection, sql

from hub.store.migrate import migrate, migrations
from hub.store.schema import SCHEMA_FILE, describe
from tests import pglite

ROWS = Path(__file__).with_name("rows")
Snapshot = dict[str, tuple[list[str], list[Any]]]


@pytest.fixture(params=["partitions", "timescale"])
def empty_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database without TimescaleDB, and one with it."""
    if request.param == "partitions":
        yield request.getfixturevalue("empty_database_url")
        return
    url: str = request.getfixturevalue("timescale_url")
    with psycopg.connect(url, autocommit=True) as conn:
        pglite.empty(conn)
    yield url
    with psycopg.connect(url, autocommit=True) as conn:
        pglite.empty(conn)
    migrate(url)


def tables_of(conn: Connection[Any]) -> list[str]:
    """The tables the migrations made; the days of series are parts, not tables."""
    return [
        str(name)
        for (name,) in conn.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'schema_version'"
            " ORDER BY relname"
        )
    ]


def contents(conn: Connection[Any], before: Snapshot | None = None) -> Snapshot:
    """Every row of every table, as JSON text; of those of `before` only the columns of then."""
    found: Snapshot = {}
    for table in before or tables_of(conn):
        columns = before[table][0] if before else columns_of(conn, table)
        query = sql.SQL("SELECT to_jsonb(t)::text FROM (SELECT {} FROM {}) t ORDER BY 1").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(table)
        )
        found[table] = (columns, [text for (text,) in conn.execute(query)])
    return found


def columns_of(conn: Connection[Any], table: str) -> list[str]:
    return [
        str(name)
        for (name,) in conn.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0"
            " AND NOT attisdropped ORDER BY attname",
            (table,),
        )
    ]


def test_every_version_becomes_the_newest_and_keeps_its_rows(
    empty_url: str, tmp_path: Path
) -> None:
    before: Snapshot | None = None
    for step in migrations():
        shutil.copy(step.path, tmp_path)
        assert migrate(empty_url, tmp_path) == [step.version]
        with psycopg.connect(empty_url, prepare_threshold=None) as conn:
            if before is not None:
                assert contents(conn, before) == before, f"migration {step.version} loses rows"
            rows = ROWS / f"{step.version:04}.sql"
            if rows.exists():
                conn.execute(rows.read_bytes())
            before = contents(conn)
        bare = [table for table, (_, rows_of) in before.items() if not rows_of]
        assert not bare, f"give {rows.name} at least one row for {', '.join(bare)}"

    with psycopg.connect(empty_url) as conn:
        assert SCHEMA_FILE.read_text(encoding="utf-8") == describe(conn)


def test_what_version_1_stored_becomes_a_days_partition_and_grows_old_with_it(
    empty_database_url: str, tmp_path: Path
) -> None:
    shutil.copy(migrations()[0].path, tmp_path)
    migrate(empty_database_url, tmp_path)
    with psycopg.connect(empty_database_url) as conn:
        conn.execute((ROWS / "0001.sql").read_bytes())

    migrate(empty_database_url)

    with psycopg.connect(empty_database_url) as conn:
        counts = [
            conn.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
            for table in ("reading", "reading_before", "reading_default")
        ]
    assert counts == [(4,), (3,), (1,)]  # the one received in a year lies apart
