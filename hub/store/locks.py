"""Advisory locks by name: of a transaction, and of a connection."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from psycopg import Connection


def lock(conn: Connection[Any], names: Iterable[str]) -> None:
    """Wait for all these locks of the transaction, in one order: nobody waits in a circle."""
    ordered = sorted({number_of(name) for name in names})
    if ordered:
        conn.execute(
            "SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) WITH ORDINALITY "
            "AS k (key, n) ORDER BY n",
            (ordered,),
        )


def try_lock(conn: Connection[Any], name: str) -> bool:
    """Take a lock until the connection closes; False where another connection has it."""
    row = conn.execute("SELECT pg_try_advisory_lock(%s)", (number_of(name),)).fetchone()
    return bool(row and row[0])


def try_lock_here(conn: Connection[Any], name: str) -> bool:
    """Take a lock until the transaction ends; False where another one has it."""
    row = conn.execute("SELECT pg_try_advisory_xact_lock(%s)", (number_of(name),)).fetchone()
    return bool(row and row[0])


def number_of(name: str) -> int:
    """What PostgreSQL knows a lock of that name by: 64 bits, signed."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
