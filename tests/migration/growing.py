"""A database that grew up: every migration in turn, with rows of each version."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection, sql

from hub.store.migrate import migrate, migrations

ROWS = Path(__file__).with_name("rows")
Contents = dict[str, list[dict[str, Any]]]  # by table


def grow(url: str, folder: Path) -> Iterator[tuple[int, bool]]:
    """Migrate an empty database step by step: each version, before and after its rows are in.

    folder: to copy the migrations known so far into.
    """
    for step in migrations():
        shutil.copy(step.path, folder)
        assert migrate(url, folder) == [step.version]
        yield step.version, False
        rows = ROWS / f"{step.version:04}.sql"
        if rows.exists():
            with psycopg.connect(url) as conn:
                conn.execute(rows.read_bytes())
        yield step.version, True


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


def contents(conn: Connection[Any]) -> Contents:
    """Every row of every table."""
    found: Contents = {}
    for table in tables_of(conn):
        query = sql.SQL('SELECT to_jsonb(t) FROM {} t ORDER BY to_jsonb(t)::text COLLATE "C"')
        found[table] = [row for (row,) in conn.execute(query.format(sql.Identifier(table)))]
    return found
