"""Which stations this hub ingests: one station is ingested by one hub at a time.

The lock is an advisory lock of a session of its own, so it is free the moment its hub is gone.
It is for order, not for exactness: should two ever overlap, the ledger keeps doubles out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import Connection

from hub.config import HubConfig
from hub.services.context import connect
from hub.store.locks import number_of


class StationLocks:
    """The stations held by this hub. For use by one thread."""

    def __init__(self, config: HubConfig, stations: Sequence[str]) -> None:
        self._config = config
        self._stations = tuple(stations)
        self._conn: Connection[Any] | None = None
        self.held: frozenset[str] = frozenset()

    def refresh(self) -> frozenset[str]:
        """The stations held now: those held before and any that have become free.

        Empty where the database is away: a lock that cannot be seen is not held.
        """
        try:
            if self._conn is None:
                self._conn = connect(self._config, "station-locks")
                self._conn.autocommit = True
            self._conn.execute("SELECT 1")
            free = [s for s in self._stations if s not in self.held and self._take(s)]
        except psycopg.OperationalError:
            self.release()
            return self.held
        self.held |= frozenset(free)
        return self.held

    def release(self) -> None:
        """Hold none."""
        if self._conn is not None:
            self._conn.close()
            self._conn = None
        self.held = frozenset()

    def _take(self, station: str) -> bool:
        assert self._conn is not None
        row = self._conn.execute(
            "SELECT pg_try_advisory_lock(%s)", (number_of(f"station/{station}"),)
        ).fetchone()
        return bool(row and row[0])
