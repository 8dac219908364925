"""Advisory locks that end with the transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from psycopg import Connection


def lock(conn: Connection[Any], keys: Iterable[int]) -> None:
    """Wait for all these locks, taken in ascending order so that nobody waits in a circle."""
    ordered = sorted(set(keys))
    if ordered:
        conn.execute(
            "SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) WITH ORDINALITY "
            "AS k (key, n) ORDER BY n",
            (ordered,),
        )
