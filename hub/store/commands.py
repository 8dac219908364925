"""Parameter versions an engineer set, and what became of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Json

from hub.store.rows import CommandRow


def latest(conn: Connection[Any], agent: str) -> CommandRow | None:
    """The last command for an agent, None where there never was one."""
    with conn.cursor(row_factory=class_row(CommandRow)) as cur:
        return cur.execute(
            "SELECT * FROM command WHERE agent = %s ORDER BY version DESC LIMIT 1", (agent,)
        ).fetchone()


def latest_of_stations(
    conn: Connection[Any], stations: Collection[str], *, unpublished: bool
) -> list[tuple[str, CommandRow]]:
    """(station, last command) of every agent of these stations; only those not yet sent if asked.

    Of several unsent versions only the last is worth sending: each is complete.
    """
    with conn.cursor(row_factory=class_row(CommandRow)) as cur:
        rows = cur.execute(
            """
            SELECT c.* FROM command c JOIN agent a USING (agent)
            WHERE a.station = ANY (%(stations)s)
              AND (NOT %(unpublished)s OR c.published_at IS NULL)
              AND c.version = (SELECT max(version) FROM command m WHERE m.agent = c.agent)
            ORDER BY c.agent
            """,
            {"stations": sorted(stations), "unpublished": unpublished},
        ).fetchall()
    if not rows:
        return []
    station_of = dict(
        conn.execute(
            "SELECT agent, station FROM agent WHERE agent = ANY (%s)", ([r.agent for r in rows],)
        ).fetchall()
    )
    return [(station_of[r.agent], r) for r in rows]


def insert(
    conn: Connection[Any],
    agent: str,
    version: int,
    at: datetime,
    by: str,
    note: str,
    parameters: dict[str, dict[str, dict[str, Any]]],
) -> CommandRow:
    """A new command; the agent's row must be locked, or the version may be taken."""
    with conn.cursor(row_factory=class_row(CommandRow)) as cur:
        row = cur.execute(
            """
            INSERT INTO command (agent, version, issued_at, issued_by, note, parameters)
            VALUES (%s, %s, %s, %s, %s, %s) RETURNING *
            """,
            (agent, version, at, by, note, Json(parameters)),
        ).fetchone()
    assert row is not None
    return row


def published(conn: Connection[Any], agent: str, version: int, at: datetime) -> None:
    """The broker has it; older versions that were never sent are overtaken."""
    conn.execute(
        """
        UPDATE command SET published_at = %s
        WHERE agent = %s AND version <= %s AND published_at IS NULL
        """,
        (at, agent, version),
    )


def answered(
    conn: Connection[Any], agent: str, version: int, errors: Sequence[str], at: datetime
) -> bool:
    """The agent says which command it applied last, and what of it it refused; whether new."""
    return bool(
        conn.execute(
            """
            UPDATE command SET answered_at = %s, errors = %s
            WHERE agent = %s AND version = %s AND answered_at IS NULL
            """,
            (at, Json(list(errors)), agent, version),
        ).rowcount
    )
