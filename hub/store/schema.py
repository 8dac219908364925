"""The schema as one readable file, `hub/sql/schema.sql`: what the migrations add up to.

    python -m hub.store.schema URL      rewrites it from a migrated database

It is for reading and for reviewing a migration, never to be run. A test compares it, with and
without TimescaleDB: a series reads the same in both, its days left out.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection

from hub.store import series

SCHEMA_FILE = Path(__file__).resolve().parent.parent / "sql" / "schema.sql"

_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity <> '',
       pg_get_expr(d.adbin, d.adrelid)
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
# not-null constraints stand beside their columns
_CONSTRAINTS = """
SELECT pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = %s AND contype <> 'n' ORDER BY contype DESC, conname
"""
_INDEXES = """
SELECT pg_get_indexdef(indexrelid) FROM pg_index i
WHERE indrelid = %s AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
ORDER BY 1
"""
_TRIGGERS = """
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = %s AND NOT tgisinternal
    AND tgname <> 'ts_insert_blocker' ORDER BY 1
"""
# extensions bring functions of their own
_FUNCTIONS = """
SELECT pg_get_functiondef(p.oid) FROM pg_proc p
WHERE pronamespace = 'public'::regnamespace AND prokind IN ('f', 'p') AND NOT EXISTS (
    SELECT FROM pg_depend WHERE objid = p.oid AND classid = 'pg_proc'::regclass AND deptype = 'e')
ORDER BY proname
"""
_TABLES = """
SELECT oid, relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
ORDER BY relname
"""
_SERIES = {s.name for s in series.ALL}


def describe(conn: Connection[Any]) -> str:
    """The tables of the database, by name, with their constraints, indexes and triggers."""
    parts = [
        "-- What the migrations add up to. Written by `python -m hub.store.schema`; to be read, "
        "not run."
    ]
    parts += [definition.strip() + ";" for (definition,) in conn.execute(_FUNCTIONS)]
    parts += [_table(conn, oid, name) for oid, name in conn.execute(_TABLES).fetchall()]
    return "\n\n".join(parts) + "\n"


def _table(conn: Connection[Any], oid: int, name: str) -> str:
    lines = []
    for column, kind, not_null, identity, default in conn.execute(_COLUMNS, (oid,)):
        line = f"    {column} {kind}"
        if identity:
            line += " GENERATED ALWAYS AS IDENTITY"
        elif default is not None:
            line += f" DEFAULT {default}"
        lines.append(line + (" NOT NULL" if not_null else ""))
    lines += [f"    {definition}" for (definition,) in conn.execute(_CONSTRAINTS, (oid,))]
    text = f"CREATE TABLE {name} (\n" + ",\n".join(lines) + "\n)"
    if name in _SERIES:
        text += " PARTITION BY RANGE (received_at);\n-- or a hypertable, with TimescaleDB"
    else:
        text += ";"
    for query in (_INDEXES, _TRIGGERS):
        for (definition,) in conn.execute(query, (oid,)):
            text += f"\n{definition.replace(' ON ONLY ', ' ON ')};"
    return text


def main(url: str) -> None:
    """Rewrite the file from the migrated database at `url`."""
    with psycopg.connect(url) as conn:
        SCHEMA_FILE.write_text(describe(conn), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
