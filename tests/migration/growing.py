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
Snapshot = dict[str, tuple[list[str], list[Any]]]


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
