"""Telling listeners of a change, when and only when its transaction commits."""

from __future__ import annotations

import json
from typing import Any, Literal

from psycopg import Connection

CHANNEL = "gridwarden"
Topic = Literal["event", "evidence", "stream", "agent", "command", "notice"]


def tell(conn: Connection[Any], topic: Topic, id: str) -> None:
    """Notify the channel; the same twice in a transaction is told once."""
    conn.execute(
        "SELECT pg_notify(%s, %s)",
        (CHANNEL, json.dumps({"topic": topic, "id": id}, separators=(",", ":"))),
    )
