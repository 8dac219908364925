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
from hub.store.bulk import BulkTable, Insert


@dataclass(frozen=True, slots=True)
class ReceivedHealth:
    """A heartbeat as it arrived."""

    agent: str
    boot: str
    seq: int
    record: Health
    received_at: datetime


_TABLE = BulkTable(
    "health",
    (
        ("captured_at", "timestamptz"),
        ("received_at", "timestamptz"),
        ("agent", "text"),
        ("body", "jsonb"),
    ),
)


def append(conn: Connection[Any], heartbeats: Sequence[ReceivedHealth], insert: Insert) -> None:
    """Store new heartbeats."""
    insert(
        conn,
        _TABLE,
        (
            (x.record.captured_at, x.received_at, x.agent, Jsonb(msgspec.to_builtins(x.record)))
            for x in heartbeats
        ),
    )
