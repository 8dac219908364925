"""The worker of one connection: batch, one transaction, and only after COMMIT the PUBACKs.

A database that is away is waited for: nothing is acknowledged meanwhile, the queue fills, reading
stops. A record that the database refuses is found by bisection and quarantined; its neighbours
survive.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from psycopg import Connection

from hub.ingest.batch import collect
from hub.ingest.database import Database, Stopped
from hub.ingest.decode import Entry, decode, reject
from hub.ingest.mqtt import BrokerConnection, Delivery
from hub.ingest.transaction import Written, write
from hub.services.context import Hub
from hub.store import quarantine
from hub.store.quarantine import Reject

# of one transaction; a detection takes up to nine locks of a table the server keeps in memory
MAX_RECORDS = 2000
MAX_DETECTIONS = 100

_log = logging.getLogger(__name__)


class Downlink(Protocol):
    """Whom a worker tells what was committed."""

    def committed(self, written: Written) -> None:
        """These lanes were heard of, these digests were broken."""


class Worker:
    """Takes deliveries of one connection, in order, in a thread of its own."""

    def __init__(
        self,
        hub: Hub,
        broker: BrokerConnection,
        downlink: Downlink,
        *,
        ignore: Callable[[str], bool] = lambda topic: False,
    ) -> None:
        """ignore: topics that another connection takes, to be acknowledged and left alone."""
        self._hub = hub
        self._broker = broker
        self._downlink = downlink
        self._ignore = ignore
        self._database = Database(hub, f"ingest-{broker.name}")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"ingest-{broker.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the transaction under way; what is not committed is not acknowledged."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        ingest = self._hub.config.ingest
        while not self._stopping.is_set():
            batch = collect(
                self._broker.deliveries,
                ingest.batch_messages,
                ingest.batch_wait_ms / 1000,
                self._stopping,
            )
            if batch and self._take(batch):
                for delivery in batch:
                    delivery.acknowledge()
        self._database.close()

    def _take(self, batch: Sequence[Delivery]) -> bool:
        """Whether all of the batch is committed."""
        entries: list[Entry] = []
        rejects: list[Reject] = []
        for delivery in batch:
            if self._ignore(delivery.topic):
                continue
            decoded = decode(delivery.topic, delivery.payload)
            if isinstance(decoded, Reject):
                rejects.append(decoded)
            else:
                entries += decoded
        size = MAX_DETECTIONS if self._broker.name == "detections" else MAX_RECORDS
        parts = [entries[i : i + size] for i in range(0, len(entries), size)] or [[]]
        for part in parts:
            if not self._commit(part, rejects):
                return False
            rejects = []
        return True

    def _commit(self, entries: list[Entry], rejects: list[Reject]) -> bool:
        """Commit these, bisecting where one is poisoned; False where we are told to stop."""
        if not entries and not rejects:
            return True
        try:
            written = self._database.run(
                lambda conn: write(conn, self._hub, entries, rejects), self._stopping
            )
        except Stopped:
            return False
        except Exception as e:  # noqa: BLE001 - whatever one record does, the others must pass
            return self._without_poison(entries, rejects, e)
        self._downlink.committed(written)
        return True

    def _without_poison(
        self, entries: list[Entry], rejects: list[Reject], error: Exception
    ) -> bool:
        if len(entries) > 1:
            half = len(entries) // 2
            return self._commit(entries[:half], rejects) and self._commit(entries[half:], [])
        if not entries:
            return self._drop(rejects, error)
        (entry,) = entries
        if isinstance(entry.content, Reject):
            return self._drop([*rejects, entry.content], error)
        _log.warning(
            "record %s/%s/%s/%d cannot be stored and is quarantined: %s",
            entry.identity.agent,
            entry.identity.boot,
            entry.identity.lane,
            entry.seq,
            error,
        )
        content = reject(
            entry.topic, entry.identity, entry.seq, entry.raw, f"cannot be stored: {error}"
        )
        poisoned = Entry(entry.identity, entry.seq, content, entry.topic, entry.raw)
        return self._commit([poisoned], rejects)

    def _drop(self, rejects: list[Reject], error: Exception) -> bool:
        """Not even the quarantine takes them as they are: keep what it does take, one by one."""
        for r in rejects:
            bare = Reject(repr(r.topic)[:200], r.payload, f"{error}"[:200])
            try:
                self._database.run(partial(_put_aside, [bare], self._hub.now()), self._stopping)
            except Stopped:
                return False
        return True


def _put_aside(rejects: list[Reject], at: datetime, conn: Connection[Any]) -> None:
    quarantine.put_aside(conn, rejects, at)
