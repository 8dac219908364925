"""Checkpoints over the heads of all histories, and what a verification reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from hub.domain.history import Head


@dataclass(frozen=True, slots=True)
class Unsealed:
    """A head that no checkpoint has yet."""

    id: int
    head: Head


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint as it is stored."""

    id: int
    at: datetime
    heads: int
    prev_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Chained:
    """A history entry with what its event says of itself, None where the event is gone."""

    event: int
    n: int
    at: datetime
    name: str
    from_state: str | None
    to_state: str
    role: str
    actor: str
    reason: str | None
    facts: dict[str, Any]
    prev_hash: str
    hash: str
    number: str | None
    version: int | None
    state: str | None


@dataclass(frozen=True, slots=True)
class SealedHead:
    """A head under a checkpoint. found: the hash its entry has now, None where it is gone."""

    number: str
    n: int
    hash: str
    found: str | None


def last(conn: Connection[Any]) -> Checkpoint | None:
    """The newest checkpoint."""
    with conn.cursor(row_factory=class_row(Checkpoint)) as cur:
        return cur.execute("SELECT * FROM history_checkpoint ORDER BY id DESC LIMIT 1").fetchone()


def all_of(conn: Connection[Any]) -> list[Checkpoint]:
    """Every checkpoint, the first first."""
    with conn.cursor(row_factory=class_row(Checkpoint)) as cur:
        return cur.execute("SELECT * FROM history_checkpoint ORDER BY id").fetchall()


def unsealed(conn: Connection[Any], limit: int) -> list[Unsealed]:
    """Heads that changed since they were sealed, locked; events in use are left for later."""
    return [
        Unsealed(id, Head(number, n, hash))
        for id, number, n, hash in conn.execute(
            """
            SELECT e.id, e.number, e.version, h.hash
            FROM grid_event e JOIN grid_event_history h ON h.event = e.id AND h.n = e.version
            WHERE e.version > e.sealed ORDER BY e.id LIMIT %s FOR UPDATE OF e SKIP LOCKED
            """,
            (limit,),
        )
    ]


def insert(conn: Connection[Any], checkpoint: Checkpoint, heads: Sequence[Unsealed]) -> None:
    """Store a checkpoint with the heads it seals."""
    conn.execute(
        """
        INSERT INTO history_checkpoint (id, at, heads, prev_hash, hash)
        VALUES (%s, %s, %s, %s, %s)
        """,
        (checkpoint.id, checkpoint.at, checkpoint.heads, checkpoint.prev_hash, checkpoint.hash),
    )
    conn.execute(
        """
        INSERT INTO history_head (checkpoint, event, number, n, hash)
        SELECT %s, * FROM unnest(%s::bigint[], %s::text[], %s::integer[], %s::text[])
        """,
        (
            checkpoint.id,
            [h.id for h in heads],
            [h.head.number for h in heads],
            [h.head.n for h in heads],
            [h.head.hash for h in heads],
        ),
    )


def entries(conn: Connection[Any]) -> int:
    """How many history entries there are."""
    row = conn.execute("SELECT count(*) FROM grid_event_history").fetchone()
    return int(row[0]) if row else 0


def chained(conn: Connection[Any], after: tuple[int, int], limit: int) -> list[Chained]:
    """History entries event by event, in order, from the one after (event, n) on."""
    with conn.cursor(row_factory=class_row(Chained)) as cur:
        return cur.execute(
            """
            SELECT h.*, e.number, e.version, e.state
            FROM grid_event_history h LEFT JOIN grid_event e ON e.id = h.event
            WHERE (h.event, h.n) > (%s, %s)
            ORDER BY h.event, h.n LIMIT %s
            """,
            (*after, limit),
        ).fetchall()


def without_history(conn: Connection[Any]) -> list[str]:
    """The numbers of events that have no history at all; a hundred at most."""
    return [
        str(number)
        for (number,) in conn.execute(
            """
            SELECT number FROM grid_event e
            WHERE NOT EXISTS (SELECT FROM grid_event_history h WHERE h.event = e.id)
            ORDER BY id LIMIT 100
            """
        )
    ]


def missing_numbers(conn: Connection[Any]) -> list[str]:
    """Numbers that were given to events that are not there; a hundred at most.

    Numbers have no gaps: the counter and the event are written in one transaction.
    """
    return [
        str(number)
        for (number,) in conn.execute(
            """
            SELECT number FROM (
                SELECT format('%%s-%%s-%%s', c.district, to_char(c.day, 'YYYYMMDD'),
                              lpad(s::text, greatest(5, length(s::text)), '0')) AS number
                FROM grid_event_counter c CROSS JOIN generate_series(1, c.last) AS s
            ) AS given
            WHERE NOT EXISTS (SELECT FROM grid_event e WHERE e.number = given.number)
            ORDER BY number LIMIT 100
            """,
            (),
        )
    ]


def sealed_heads(conn: Connection[Any], checkpoint: int) -> list[SealedHead]:
    """The heads under a checkpoint, in the order in which they were sealed."""
    with conn.cursor(row_factory=class_row(SealedHead)) as cur:
        return cur.execute(
            """
            SELECT s.number, s.n, s.hash, h.hash AS found
            FROM history_head s
            LEFT JOIN grid_event_history h ON h.event = s.event AND h.n = s.n
            WHERE s.checkpoint = %s ORDER BY s.event
            """,
            (checkpoint,),
        ).fetchall()


def with_heads(conn: Connection[Any]) -> list[int]:
    """The checkpoints that have heads, the first first."""
    return [
        int(id) for (id,) in conn.execute("SELECT DISTINCT checkpoint FROM history_head ORDER BY 1")
    ]
