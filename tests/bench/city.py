"""A hub on a database of its own, and a city's past: one case done by the services, many times.

Copies differ from their case by number, cell and times. Their hashes are those of the case, so a
check of histories would find them; nothing measured here reads hashes of more than one's own.
"""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from psycopg import Connection, sql

from gridwarden.database import EmbeddedDatabase
from gridwarden.district import build_district, to_geojson
from hub.services.context import Hub
from hub.store.rows import GridEventRow
from tests.hub.builders import Clock, config, opened
from tests.hub.cases import DEPT, LEADER, act, dispatched, photo

_copied = itertools.count(1)


@contextmanager
def city(now: Callable[[], datetime]) -> Iterator[Hub]:
    """A hub with the demo district on a fresh PostgreSQL with fsync."""
    with tempfile.TemporaryDirectory(prefix="gridwarden-bench-") as name:
        folder = Path(name)
        district = folder / "district.geojson"
        district.write_text(json.dumps(to_geojson(build_district())), encoding="utf-8")
        database = EmbeddedDatabase(folder / "db", tethered=True)
        try:
            with opened(config(database.start(), folder, district_file=district), now) as hub:
                yield hub
        finally:
            database.remove()


def closed_case(hub: Hub, clock: Clock) -> GridEventRow:
    """Reported, dispatched, dealt with in an hour, checked and closed: seven steps."""
    event = dispatched(hub)
    act(hub, event, "accept", DEPT)
    clock.move(3600)
    act(hub, event, "feedback", DEPT, evidence=(photo(hub),))
    act(hub, event, "start_check", LEADER)
    return act(hub, event, "check_pass", LEADER, closing_condition_met=True)


@contextmanager
def loading(conn: Connection[Any]) -> Iterator[None]:
    """The tables without what watches over their rows, until all of them are there."""
    tables = ("grid_event", "grid_event_history")
    for table in tables:
        conn.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table)))
    yield
    for table in tables:
        conn.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(sql.Identifier(table)))
    conn.commit()


def copy_case(
    conn: Connection[Any],
    event: GridEventRow,
    times: int,
    *,
    apart: timedelta = timedelta(0),
    cells: list[str] | None = None,
    whole_history: bool = True,
    detections: bool = False,
    severities: list[str] | None = None,
) -> None:
    """Copies of a case, each so much later than the one before.

    cells, severities: given to them in turn. whole_history: else the last entry alone.
    """
    row = conn.execute("SELECT max(id) FROM grid_event").fetchone()
    assert row is not None
    values: dict[str, Any] = {
        "case": event.id,
        "base": row[0],
        "times": times,
        "apart": apart,
        "cells": cells or [event.cell],
        "severities": severities or [event.severity],
        "prefix": f"copy-{next(_copied)}-",
        "from_n": 1 if whole_history else event.version,
    }
    id_ = "%(base)s + g"
    conn.execute(
        _copies(
            conn,
            "grid_event",
            {
                "id": id_,
                "number": "%(prefix)s || g",
                "cell": "(%(cells)s::text[])[1 + g %% cardinality(%(cells)s::text[])]",
                "severity": "(%(severities)s::text[])"
                "[1 + g %% cardinality(%(severities)s::text[])]",
            },
            "t.id = %(case)s",
        ),
        values,
    )
    conn.execute(
        _copies(
            conn, "grid_event_history", {"event": id_}, "t.event = %(case)s AND t.n >= %(from_n)s"
        ),
        values,
    )
    conn.execute("SELECT setval(pg_get_serial_sequence('grid_event', 'id'), %s)", (row[0] + times,))
    if detections:
        conn.execute(
            _copies(
                conn,
                "detection",
                {"event": id_, "episode": "gen_random_uuid()"},
                "t.event = %(case)s",
            ),
            values,
        )


def _copies(conn: Connection[Any], table: str, other: dict[str, str], where: str) -> bytes:
    """The statement that copies rows: every time later, the columns in `other` as said there."""
    columns = conn.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'"
        " ORDER BY ordinal_position",
        (table,),
    ).fetchall()
    given = [
        other.get(name)
        or (f"t.{name} + g * %(apart)s" if kind.startswith("timestamp") else f"t.{name}")
        for name, kind in columns
    ]
    return (
        f"INSERT INTO {table} ({', '.join(name for name, _ in columns)})"
        f" OVERRIDING SYSTEM VALUE SELECT {', '.join(given)}"
        f" FROM {table} t, generate_series(1, %(times)s) g WHERE {where}"
    ).encode()
