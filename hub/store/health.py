"""Heartbeats of agents, as they came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.types.json import Jsonb

from contract.messages import Health


@dataclass(frozen=True, slots=True)
class ReceivedHealth:
    """A heartbeat as it arrived."""

    agent: str
    boot: str
    seq: int
    record: Health
    received_at: datetime


def append(conn: Connection[Any], heartbeats: Sequence[ReceivedHealth]) -> None:
    """Store new heartbeats."""
    with (
        conn.cursor() as cur,
        cur.copy(
            "COPY health (captured_at, received_at, agent, body) FROM STDIN (FORMAT BINARY)"
        ) as copy,
    ):
        copy.set_types(["timestamptz", "timestamptz", "text", "jsonb"])
        for x in heartbeats:
            body = Jsonb(msgspec.to_builtins(x.record))
            copy.write_row((x.record.captured_at, x.received_at, x.agent, body))
