from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from hub.store.bulk import Insert, by_copy, by_unnest, choose_insert
from hub.store.bulk import InsertPath as Path


@dataclass(frozen=True, slots=True)
class Server:
    """A migrated database, and how rows are inserted there."""

    conn: Connection[Any]  # in autocommit mode, within a transaction that is rolled back
    insert: Insert


@pytest.fixture(params=["copy", "unnest", "timescale"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Every kind of server the hub may have; what a test does there is undone."""
    kind = request.param
    url = request.getfixturevalue("timescale_url" if kind == "timescale" else "shared_database_url")
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as conn:
        insert = {"copy": by_copy, "unnest": by_unnest}.get(kind) or choose_insert(conn, Path.AUTO)
        with conn.transaction(force_rollback=True):
            yield Server(conn, insert)
