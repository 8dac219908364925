"""How many records of which device were thrown away because it floods."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection


@dataclass(frozen=True, slots=True, order=True)
class Discarded:
    """Records of one device that were beyond its limit. device "": of the lane as a whole."""

    agent: str
    boot: str
    lane: str  # "": messages and records that could not be read
    device: str
    n: int
    per_minute: int  # that are taken


def count(conn: Connection[Any], discarded: Iterable[Discarded], at: datetime) -> list[Discarded]:
    """Add these to what was discarded before; what that comes to, in one order everywhere."""
    totals = []
    for d in sorted(discarded):
        row = conn.execute(
            """
            INSERT INTO discarded AS d (agent, boot, lane, device, n, per_minute, first_at, last_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (agent, boot, lane, device) DO UPDATE SET
                n = d.n + excluded.n, per_minute = excluded.per_minute, last_at = excluded.last_at
            RETURNING n
            """,
            (d.agent, d.boot, d.lane, d.device, d.n, d.per_minute, at, at),
        ).fetchone()
        assert row is not None
        totals.append(Discarded(d.agent, d.boot, d.lane, d.device, int(row[0]), d.per_minute))
    return totals
