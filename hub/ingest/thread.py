"""A thread of ingestion: it ends when it is told to, or by a failure that is not kept quiet."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod

from hub.ingest.database import Database, Stopped
from hub.services.context import Hub

_log = logging.getLogger(__name__)


class IngestThread(ABC):
    """A thread with a database connection of its own."""

    def __init__(self, hub: Hub, name: str) -> None:
        self.failure: Exception | None = None  # what it ended by, unless it was told to
        self._hub = hub
        self._database = Database(hub, name)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._guard, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the transaction under way."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    @abstractmethod
    def _run(self) -> None:
        """The work, until `_stopping` is set; may raise Stopped."""

    def _guard(self) -> None:
        try:
            self._run()
        except Stopped:
            _log.debug("%s ends while the database is away", self._thread.name)
        except Exception as e:  # noqa: BLE001 - raised again by who looks after the threads
            self.failure = e
        finally:
            self._database.close()
