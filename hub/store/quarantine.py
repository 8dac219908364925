"""What could not be taken, with the reason and its bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from contract.envelope import MAX_MESSAGE

MAX_KEPT = MAX_MESSAGE  # bytes of a payload that are kept; a larger one is refused for its size


@dataclass(frozen=True, slots=True)
class Reject:
    """A message or record that is refused. seq None: no readable identity."""

    topic: str
    payload: bytes
    reason: str
    station: str | None = None
    agent: str | None = None
    boot: str | None = None
    lane: str | None = None
    seq: int | None = None


def put_aside(conn: Connection[Any], rejects: Iterable[Reject], at: datetime) -> None:
    """Quarantine these. What has no identity is kept once for each agent and content, counted."""
    identified: list[tuple[Any, ...]] = []
    anonymous: list[tuple[Any, ...]] = []
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
            hashlib.sha256(r.payload).hexdigest(),
        )
        (anonymous if r.seq is None else identified).append(row)
    insert = """
        INSERT INTO quarantine (received_at, last_at, topic, station, agent, boot, lane, seq,
                                reason, payload, hash)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """
    again = """
        ON CONFLICT (coalesce(agent, ''), hash) WHERE seq IS NULL
        DO UPDATE SET times = quarantine.times + 1, last_at = excluded.last_at,
                      reason = excluded.reason
        """
    with conn.cursor() as cur:
        if identified:
            cur.executemany(insert, identified)
        if anonymous:  # in one order everywhere: two batches must not wait for each other
            cur.executemany(insert + again, _in_order(anonymous))


def _text(text: str) -> str:
    """Text that the database can hold: it has no place for NUL."""
    return text.replace("\x00", "\\0")


def _in_order(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=lambda row: (row[4] or "", row[-1]))
