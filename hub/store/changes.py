"""Telling listeners of a change, when and only when its transaction commits."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Literal, get_args

from psycopg import Connection

CHANNEL = "gridwarden"
Topic = Literal["event", "evidence", "stream", "agent", "command", "notice"]
TOPICS: frozenset[str] = frozenset(get_args(Topic))
EVERYBODY = "*"  # as the id of a notice: a role or a unit is told


def tell(conn: Connection[Any], topic: Topic, id: str) -> None:
    """Notify the channel; the same twice in a transaction is told once."""
    tell_each(conn, topic, (id,))


def tell_each(conn: Connection[Any], topic: Topic, ids: Iterable[str]) -> None:
    """The same of each of them."""
    said = [json.dumps({"topic": topic, "id": id}, separators=(",", ":")) for id in ids]
    conn.execute("SELECT pg_notify(%s, said) FROM unnest(%s::text[]) AS t (said)", (CHANNEL, said))
