"""Evidence whose bytes did not add up here: asked for until it comes or is declared lost."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class Wanted:
    """A piece of evidence to ask an agent for, in its present boot."""

    digest: str
    agent: str
    station: str
    boot: str


def want(conn: Connection[Any], broken: Iterable[tuple[str, str]], at: datetime) -> None:
    """This (agent, digest) was found broken; its agent is asked at once by whoever found it."""
    rows = {digest: (digest, agent, at, at) for agent, digest in broken}
    with conn.cursor() as cur:
        cur.executemany(
            """
            INSERT INTO evidence_wanted (digest, agent, since, asked_at) VALUES (%s, %s, %s, %s)
            ON CONFLICT (digest) DO UPDATE
            SET agent = excluded.agent, asked_at = excluded.asked_at
            """,
            [row for _, row in sorted(rows.items())],
        )


def settle(conn: Connection[Any], digest: str) -> None:
    """It has come."""
    conn.execute("DELETE FROM evidence_wanted WHERE digest = %s", (digest,))


def give_up(conn: Connection[Any], lost: Collection[tuple[str, str]]) -> None:
    """These (agent, digest) are declared lost; nobody declares another's."""
    if lost:
        ordered = sorted(lost)
        conn.execute(
            """
            DELETE FROM evidence_wanted
            WHERE (agent, digest) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
            """,
            ([a for a, _ in ordered], [d for _, d in ordered]),
        )


def ask_again(
    conn: Connection[Any],
    born: Collection[str],
    stations: Collection[str],
    at: datetime,
    quiet_since: datetime,
) -> list[Wanted]:
    """What is to be asked for now; it counts as asked.

    Of the agents of these stations: all of it of those just born, of the others that are online
    what was asked for before `quiet_since`. Not what bytes have come of since then.
    """
    with conn.cursor(row_factory=class_row(Wanted)) as cur:
        return cur.execute(
            """
            UPDATE evidence_wanted w SET asked_at = %(at)s
            FROM agent a
            WHERE a.agent = w.agent AND a.boot IS NOT NULL AND w.digest IN (
                SELECT d.digest FROM evidence_wanted d JOIN agent b USING (agent)
                WHERE b.station = ANY (%(stations)s)
                  AND (d.agent = ANY (%(born)s) OR (b.online AND d.asked_at < %(quiet)s))
                  AND NOT EXISTS (SELECT FROM evidence e
                                  WHERE e.digest = d.digest AND e.last_at >= %(quiet)s)
                ORDER BY d.digest LIMIT 1000
                FOR UPDATE OF d SKIP LOCKED)
            RETURNING w.digest, w.agent, a.station, a.boot
            """,
            {
                "born": sorted(born),
                "stations": sorted(stations),
                "at": at,
                "quiet": quiet_since,
            },
        ).fetchall()
