"""A database connection of one thread of ingestion that outlives the database's absences."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg import Connection
from psycopg.errors import ProgramLimitExceeded, StatementTooComplex

from contract.errors import GridwardenError
from hub.services.context import Hub, connect
from hub.store.quarantine import Fault

FIRST_RETRY_S, LAST_RETRY_S = 0.05, 5.0
# what a message may bring about by what it holds: the sender's fault
REFUSALS = (
    psycopg.DataError,
    psycopg.IntegrityError,
    ProgramLimitExceeded,  # too large for an index
    StatementTooComplex,  # nested too deep
    GridwardenError,
    OverflowError,  # times at the end of the calendar
)
# A database or disk that is away, full, read-only or restarting, a machine short of memory: the
# same works once it is not, and is never a reason to put a record aside.
PASSING = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.InternalError,
    OSError,
    MemoryError,
)

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
        """`work` in a transaction that is committed; tried again while what fails may pass.

        Raises Stopped, one of REFUSALS, and whatever else a fault of the program raises.
        """
        wait_s, lamented = FIRST_RETRY_S, False
        while True:
            try:
                conn = self._connected()
                with conn.transaction():
                    result = work(conn)
            except REFUSALS:
                raise
            except PASSING as e:
                if not lamented and wait_s > 8 * FIRST_RETRY_S:
                    _log.warning("%s waits, acknowledging nothing: %s", self._name, _line(e))
                    lamented = True
            else:
                if lamented:
                    _log.info("%s goes on", self._name)
                return result
            self.close()  # a server that took over may be reached by a new connection only
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


def blame(error: Exception) -> tuple[str, Fault]:
    """Why something cannot be stored, and whose fault that is."""
    if isinstance(error, REFUSALS):
        return f"cannot be stored: {error}", "sender"
    last = traceback.format_exception_only(error)[-1].strip()
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].name}, line {frames[-1].lineno})" if frames else ""
    return f"fault of the hub: {last}{where}", "hub"


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
