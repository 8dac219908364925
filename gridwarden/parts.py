"""What the demo runs, each behind the same four verbs: broker, database, hub, edge agent."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from gridwarden import child
from gridwarden.broker import EmbeddedBroker
from gridwarden.database import EmbeddedDatabase


class Part(Protocol):
    """Something a supervisor keeps running."""

    @property
    def name(self) -> str:
        """What a person calls it."""

    @property
    def pid(self) -> int | None:
        """Its process; None while it has none."""

    @property
    def log(self) -> Path:
        """Where its words go."""

    def start(self) -> None:
        """Begin, or begin again, soon. Raises GridwardenError in one clear line."""

    def is_alive(self) -> bool:
        """Whether its process lives. Cheap."""

    def is_ready(self) -> bool:
        """Whether it serves. May take a moment."""

    def stop(self) -> None:
        """End it and everything it started."""

    def obituary(self) -> str:
        """How it ended, once it did."""


class DatabasePart:
    """The embedded database. It outlives us when we are killed; the next run adopts it."""

    name = "database"

    def __init__(self, database: EmbeddedDatabase) -> None:
        self.database = database

    @property
    def pid(self) -> int | None:
        """The server's process."""
        return self.database.pid

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.database.log

    def start(self) -> None:
        """A server that takes connections: adopted, recovered or begun anew."""
        self.database.start()

    def is_alive(self) -> bool:
        """Whether the server lives."""
        return self.database.is_alive()

    def is_ready(self) -> bool:
        """True once started: `start` waits."""
        return self.database.is_alive()

    def stop(self) -> None:
        """End the server with a checkpoint."""
        self.database.stop()

    def obituary(self) -> str:
        """An adopted server is not our child, so nobody told us."""
        return "ended"


class BrokerPart:
    """The embedded broker."""

    name = "broker"

    def __init__(
        self, broker: EmbeddedBroker, before_start: Callable[[], None] = lambda: None
    ) -> None:
        """before_start: lets go of the port that is held for it."""
        self.broker = broker
        self._before_start = before_start

    @property
    def pid(self) -> int | None:
        """The broker's process."""
        return self.broker.pid

    @property
    def log(self) -> Path:
        """The broker's log."""
        return self.broker.log

    def start(self) -> None:
        """A broker that accepts sessions."""
        self._before_start()
        self.broker.start()

    def is_alive(self) -> bool:
        """Whether the broker lives."""
        return self.broker.is_alive()

    def is_ready(self) -> bool:
        """True once started: `start` waits."""
        return self.broker.is_alive()

    def stop(self) -> None:
        """End the broker; it keeps nothing."""
        self.broker.stop()

    def obituary(self) -> str:
        """What it said last."""
        return f"ended: {child.last_line(self.broker.log)}"


class ProgramPart:
    """A program of ours: hub or agent."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        ready: Callable[[], bool],
        patience_s: float = 5.0,
        before_start: Callable[[], None] = lambda: None,
    ) -> None:
        """patience_s: how long it may take to end. before_start: lets go of a held port."""
        self._before_start = before_start
        self.name = name
        self.log = log
        self._command = command
        self._ready = ready
        self._patience_s = patience_s
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The program's process."""
        return self._child.pid if self._child and self.is_alive() else None

    def start(self) -> None:
        """Begin the program; what a killed one left in its group is ended first."""
        if self._child is not None:
            child.end_group(self._child)
        child.trim(self.log)
        self._before_start()
        self._child = child.spawn(self._command, self.log)

    def is_alive(self) -> bool:
        """Whether the program lives."""
        return self._child is not None and self._child.poll() is None

    def is_ready(self) -> bool:
        """Whether it serves."""
        return self.is_alive() and self._ready()

    def stop(self) -> None:
        """Ask it to end, then end its whole group."""
        if self._child is not None:
            child.end(self._child, self._patience_s)

    def obituary(self) -> str:
        """By which signal, or with which status and words."""
        code = self._child.returncode if self._child is not None else None
        if code is not None and code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with status {code}: {child.last_line(self.log)}"
