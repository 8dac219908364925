"""What could not be taken, with the reason and its bytes, until somebody settles it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import class_row

from contract.envelope import MAX_MESSAGE

MAX_KEPT = MAX_MESSAGE  # bytes of a payload that are kept; a larger one is refused for its size

Fault = Literal["sender", "hub"]
Outcome = Literal["stored", "here_already", "given_up"]


@dataclass(frozen=True, slots=True)
class Reject:
    """A message or record that is refused. seq None: no readable identity.

    counted: the ledger has its number as received; what it has not comes again.
    """

    topic: str
    payload: bytes
    reason: str
    station: str | None = None
    agent: str | None = None
    boot: str | None = None
    lane: str | None = None
    seq: int | None = None
    chunk: bytes = b""  # the bytes that a record of evidence carries
    fault: Fault = "sender"
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An entry of the quarantine, as a replay needs it."""

    id: int
    topic: str
    station: str | None
    agent: str | None
    boot: str | None
    lane: str | None
    seq: int | None
    counted: bool
    reason: str
    payload: bytes
    chunk: bytes
    whole: bool  # all of its bytes were kept
    received_at: datetime
    settled_at: datetime | None
    settled_by: str | None
    outcome: Outcome | None


def put_aside(conn: Connection[Any], rejects: Iterable[Reject], at: datetime) -> None:
    """Quarantine these. What the ledger does not count is kept once for each agent and content."""
    counted: list[tuple[Any, ...]] = []
    again: list[tuple[Any, ...]] = []
    for r in rejects:
        row = (
            at,
            at,
            _text(r.topic)[:1000],
            r.station,
            r.agent,
            r.boot,
            r.lane,
            r.seq,
            _text(r.reason)[:2000],
            r.payload[:MAX_KEPT],
            r.chunk,
            r.fault,
            r.counted,
            hashlib.sha256(r.payload + r.chunk).hexdigest(),
        )
        (counted if r.counted else again).append(row)
    insert = """
        INSERT INTO quarantine (received_at, last_at, topic, station, agent, boot, lane, seq,
                                reason, payload, chunk, fault, counted, hash)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """
    once = """
        ON CONFLICT (coalesce(agent, ''), hash) WHERE NOT counted AND settled_at IS NULL
        DO UPDATE SET times = quarantine.times + 1, last_at = excluded.last_at,
                      reason = excluded.reason, fault = excluded.fault
        """
    with conn.cursor() as cur:
        if counted:
            cur.executemany(insert, counted)
        if again:  # in one order everywhere: two batches must not wait for each other
            cur.executemany(insert + once, _in_order(again))


def lock(conn: Connection[Any], id: int) -> Quarantined | None:
    """That entry, locked until the transaction ends; None where there is none."""
    with conn.cursor(row_factory=class_row(Quarantined)) as cur:
        return cur.execute(
            """
            SELECT id, topic, station, agent, boot, lane, seq, counted, reason, payload, chunk,
                   encode(sha256(payload || chunk), 'hex') = hash AS whole, received_at,
                   settled_at, settled_by, outcome
            FROM quarantine WHERE id = %s FOR UPDATE
            """,
            (id,),
        ).fetchone()


def waiting(
    conn: Connection[Any], *, agent: str | None, fault: Fault | None, limit: int
) -> list[int]:
    """The entries that nobody has settled, by id, the oldest first; None: of any."""
    rows = conn.execute(
        """
        SELECT id FROM quarantine
        WHERE settled_at IS NULL AND (%(agent)s::text IS NULL OR agent = %(agent)s)
          AND (%(fault)s::text IS NULL OR fault = %(fault)s)
        ORDER BY id LIMIT %(limit)s
        """,
        {"agent": agent, "fault": fault, "limit": limit},
    ).fetchall()
    return [int(id) for (id,) in rows]


def settle(
    conn: Connection[Any], id: int, outcome: Outcome, by: str, note: str, at: datetime
) -> None:
    """That entry waits no longer."""
    conn.execute(
        """
        UPDATE quarantine SET settled_at = %s, settled_by = %s, outcome = %s, note = %s
        WHERE id = %s
        """,
        (at, by, outcome, note, id),
    )


def still_refused(conn: Connection[Any], id: int, reason: str, fault: Fault) -> None:
    """A replay of that entry was refused again, for this reason."""
    conn.execute(
        "UPDATE quarantine SET reason = %s, fault = %s WHERE id = %s",
        (_text(reason)[:2000], fault, id),
    )


def _text(text: str) -> str:
    """Text that the database can hold: it has no place for NUL."""
    return text.replace("\x00", "\\0")


def _in_order(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=lambda row: (row[4] or "", row[-1]))
