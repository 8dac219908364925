"""A table that is kept for ever is asked by an index: what is not wanted is not read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from hub.domain.actor import Actor, Role
from hub.store import audit, notices

START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = 20_000
DAY = timedelta(days=1)
FEW = 500  # rows read for an answer of at most 50


@pytest.fixture(scope="module")
def grown(shared_database_url: str) -> Iterator[Connection[Any]]:
    """A hundred days of audit log and of notices that nobody of a role reads."""
    with (
        psycopg.connect(shared_database_url, prepare_threshold=1) as conn,
        conn.transaction(force_rollback=True),
    ):
        conn.execute(
            """
            INSERT INTO audit (at, actor, role, login, via, address, action, subject, outcome)
            SELECT %s + n * interval '432 s', 'p' || n %% 100, 'leader', 'l' || n %% 1000,
                   'session', '', CASE WHEN n < 100 THEN 'erase' ELSE 'see' END, 's' || n, 'done'
            FROM generate_series(1, %s) n
            """,
            (START, ROWS),
        )
        conn.execute(
            """
            INSERT INTO notice (kind, role, unit, title_en, title_zh, at, key, read_at, read_by)
            SELECT 'overdue', CASE WHEN n %% 2 = 0 THEN 'leader' END,
                   CASE WHEN n %% 2 = 1 THEN 'water' END, '', '', %s, 'grown/' || n,
                   CASE WHEN n > 40 THEN %s END, CASE WHEN n > 40 THEN 'li' END
            FROM generate_series(1, %s) n
            """,
            (START, START, ROWS),
        )
        conn.execute("ANALYZE audit, notice")
        yield conn


def rows_read(conn: Connection[Any]) -> int:
    found = conn.execute(
        "SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))"
        " FROM pg_stat_xact_user_tables WHERE relname IN ('audit', 'notice')"
    ).fetchone()
    assert found is not None
    return int(found[0])


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"since": START, "until": START + DAY}, 50),
        ({"action": "erase"}, 50),
        ({"actor": "l7"}, 20),  # a login
        ({"actor": "nobody"}, 0),
        ({"subject": "s7"}, 1),
        ({}, 50),
    ],
)
def test_the_audit_log_is_asked_by_an_index(
    grown: Connection[Any], asked: dict[str, Any], found: int
) -> None:
    for _ in range(12):  # also once the server plans for any value
        before = rows_read(grown)
        assert len(audit.entries(grown, **asked)) == found
        assert rows_read(grown) - before <= FEW


def test_unread_notices_of_a_role_or_unit_are_counted_without_those_that_were_read(
    grown: Connection[Any],
) -> None:
    before = rows_read(grown)
    assert notices.unread(grown, Actor("li", Role.LEADER, unit="water"), 100) == 40
    assert rows_read(grown) - before <= FEW
