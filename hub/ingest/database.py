"""A database connection of one thread of ingestion that outlives the database's absences."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg import Connection
from psycopg.errors import ProgramLimitExceeded

from hub.services.context import Hub, connect

FIRST_RETRY_S, LAST_RETRY_S = 0.05, 5.0

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Stopped(Exception):  # noqa: N818 - not an error
    """We are told to stop before the database came back."""


class Database:
    """A connection of one thread that comes back by itself."""

    def __init__(self, hub: Hub, name: str) -> None:
        self._hub = hub
        self._name = name
        self._conn: Connection[Any] | None = None

    def run(self, work: Callable[[Connection[Any]], T], stopping: threading.Event) -> T:
        """`work` in a transaction that is committed; tried again while the database is at fault.

        Raises Stopped, and whatever `work` raises that trying again would not change.
        """
        wait_s, lamented = FIRST_RETRY_S, False
        while True:
            try:
                with self._connected().transaction():
                    result = work(self._connected())
            except (psycopg.OperationalError, psycopg.InterfaceError, OSError) as e:
                if isinstance(e, ProgramLimitExceeded):
                    raise
                if not lamented and wait_s > 8 * FIRST_RETRY_S:
                    _log.warning("%s waits for the database: %s", self._name, _line(e))
                    lamented = True
            else:
                if lamented:
                    _log.info("%s goes on: the database is back", self._name)
                return result
            if self._conn is not None and self._conn.closed:
                self._conn = None
            if stopping.wait(wait_s):
                raise Stopped
            wait_s = min(2 * wait_s, LAST_RETRY_S)

    def close(self) -> None:
        """Give the connection back."""
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    def _connected(self) -> Connection[Any]:
        if self._conn is None:
            self._conn = connect(self._hub.config, self._name)
            self._conn.autocommit = True  # transactions are those of `run`
        return self._conn


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
