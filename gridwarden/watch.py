"""What a running demo has to show: the agent's own words, and the hub's newest grid events."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec
import psycopg
from psycopg.rows import class_row

from contract.taxonomy import CameraState, Lane

ASK_EVERY_S = 0.5
SHOWN = 6  # newest grid events


class StreamStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One camera as the agent's status file tells it."""

    state: CameraState
    captured: int = 0
    observed: int = 0
    restarts: int = 0
    ended: bool = False
    detail: str = ""


class LaneStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One lane of the agent's spool."""

    next_seq: int
    watermark: int = 0
    waiting: int = 0
    lost: int = 0


class AgentStatus(msgspec.Struct, frozen=True, kw_only=True):
    """`status.json`, which the agent writes every second."""

    boot: str
    streams: dict[str, StreamStatus] = {}
    lanes: dict[Lane, LaneStatus] = {}


def read_status(path: Path) -> AgentStatus | None:
    """What the agent told last; None where it has not spoken yet."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=AgentStatus)
    except FileNotFoundError:
        return None


@dataclass(frozen=True, slots=True)
class GridEventLine:
    """A grid event in one line."""

    number: str
    title: str
    severity: str
    state: str
    cell: str | None
    cell_name: str | None
    opened_at: datetime


NEWEST = """
SELECT e.number, e.title, e.severity, e.state, e.cell, c.name_en AS cell_name, e.opened_at
FROM grid_event e LEFT JOIN grid_cell c ON c.code = e.cell
WHERE NOT e.test ORDER BY e.id DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen at one moment."""

    agent: AgentStatus | None = None
    events: list[GridEventLine] = field(default_factory=list)  # newest first


class Watch:
    """Looks twice a second, in a thread of its own, so that a slow database holds nobody up."""

    def __init__(self, status: Path, database_url: str) -> None:
        self._status = status
        self._url = database_url
        self._seen = Seen()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo-watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._done.set()
        self._thread.join(timeout=5.0)

    @property
    def seen(self) -> Seen:
        """What was seen last. From any thread."""
        return self._seen

    def _run(self) -> None:
        while not self._done.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True, connect_timeout=3) as conn:
                    self._look_until_lost(conn)
            except psycopg.Error:  # down, restarting, or not migrated yet: look again
                self._seen = Seen(read_status(self._status), self._seen.events)
                self._done.wait(ASK_EVERY_S)

    def _look_until_lost(self, conn: psycopg.Connection) -> None:
        with conn.cursor(row_factory=class_row(GridEventLine)) as cursor:
            while not self._done.is_set():
                events = cursor.execute(NEWEST, (SHOWN,)).fetchall()
                self._seen = Seen(read_status(self._status), events)
                self._done.wait(ASK_EVERY_S)
