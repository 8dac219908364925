"""Many rows into one table: by COPY, or by `unnest` on servers where COPY is not to be had.

Both store the same rows. COPY is the faster one; `unnest` is a plain INSERT, for servers that
know no COPY protocol (PGlite) or refuse it (a pooler, row security).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb


class InsertPath(StrEnum):
    """How an `[storage] insert` of the settings is written."""

    AUTO = "auto"
    COPY = "copy"
    UNNEST = "unnest"


@dataclass(frozen=True, slots=True)
class BulkTable:
    """A table rows are appended to: its name, and name and type of each column written."""

    name: str
    columns: tuple[tuple[str, str], ...]


Insert = Callable[[Connection[Any], BulkTable, Iterable[Sequence[Any]]], None]


def by_copy(conn: Connection[Any], table: BulkTable, rows: Iterable[Sequence[Any]]) -> None:
    """Append rows, each with a value for each column, by binary COPY."""
    with conn.cursor() as cur, cur.copy(copy_statement(table)) as copy:
        copy.set_types([kind for _, kind in table.columns])
        for row in rows:
            copy.write_row(row)


def by_unnest(conn: Connection[Any], table: BulkTable, rows: Iterable[Sequence[Any]]) -> None:
    """Append rows, each with a value for each column, by one INSERT of a list for each column."""
    columns = list(zip(*rows, strict=True))
    if columns:
        lists = [
            [_text(value) for value in column] if _travels_as_text(kind) else list(column)
            for column, (_, kind) in zip(columns, table.columns, strict=True)
        ]
        conn.execute(_unnest(table), lists)


def choose_insert(conn: Connection[Any], wanted: InsertPath) -> Insert:
    """The way of inserting this server takes. Asks it once; COPY itself is never tried.

    A COPY that fails may take the server with it, so a server is known by what it says it is.
    """
    if wanted is not InsertPath.AUTO:
        return by_copy if wanted is InsertPath.COPY else by_unnest
    row = conn.execute("SELECT version()").fetchone()
    compiled_to_wasm = row is not None and "emcc" in str(row[0])
    return by_unnest if compiled_to_wasm else by_copy


@functools.cache
def copy_statement(table: BulkTable) -> bytes:
    """The COPY that takes binary rows of that table."""
    names = ", ".join(name for name, _ in table.columns)
    return f"COPY {table.name} ({names}) FROM STDIN (FORMAT BINARY)".encode()


@functools.cache
def _unnest(table: BulkTable) -> bytes:
    names = ", ".join(name for name, _ in table.columns)
    values = ", ".join(_cast(name, kind) for name, kind in table.columns)
    lists = ", ".join(
        f"%s::{'text' if _travels_as_text(kind) else kind}[]" for _, kind in table.columns
    )
    return (
        f"INSERT INTO {table.name} ({names}) SELECT {values} FROM unnest({lists}) AS t ({names})"
    ).encode()


def _travels_as_text(kind: str) -> bool:
    """unnest would open an array in an array, and JSON must not be taken for one."""
    return kind.endswith("[]") or kind == "jsonb"


def _cast(name: str, kind: str) -> str:
    if kind == "float4[]":  # rounded once, from the double that COPY rounds
        return f"{name}::float8[]::float4[]"
    return f"{name}::{kind}" if _travels_as_text(kind) else name


def _text(value: Any) -> str:
    if isinstance(value, Jsonb):
        return json.dumps(value.obj)
    return "{" + ",".join(map(repr, value)) + "}"
