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

from hub.store.migrate import migrate, migrations
from hub.store.schema import SCHEMA_FILE, describe
from tests import pglite
from tests.migration.growing import ROWS, Contents, contents, grow

pytestmark = pytest.mark.timescale


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


def lost(before: Contents, after: Contents) -> dict[str, list[dict[str, Any]]]:
    """By table the rows that are no more, or changed, in the columns that it still has."""
    found = {}
    for table, rows in before.items():
        kept = set(rows[0]) & set(after[table][0]) if after[table] else set(rows[0])
        there = [{c: row[c] for c in kept} for row in after[table]]
        gone = [row for row in rows if {c: row[c] for c in kept} not in there]
        if gone or len(there) != len(rows):
            found[table] = gone
    return found


def test_every_version_becomes_the_newest_and_keeps_its_rows(
    empty_url: str, tmp_path: Path
) -> None:
    before: Contents = {}
    for version, filled in grow(empty_url, tmp_path):
        with psycopg.connect(empty_url, prepare_threshold=None) as conn:
            here = contents(conn)
        if filled:
            bare = [table for table, rows in here.items() if not rows]
            assert not bare, f"rows/{version:04}.sql has no row for {', '.join(bare)}"
            before = here
        else:
            assert lost(before, here) == {}, f"by migration {version}"

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
    assert counts == [(4,), (3,), (1,)]  # the one from the far future lies apart
