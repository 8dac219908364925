"""The worker of records: a batch is one transaction, or a few.

A record that the database refuses is found by bisection and quarantined; its neighbours survive.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from hub.ingest.database import REFUSALS
from hub.ingest.decode import Entry, decode, reject
from hub.ingest.intake import Intake
from hub.ingest.mqtt import BrokerConnection, Delivery
from hub.ingest.transaction import Written, write
from hub.services.context import Hub
from hub.store import quarantine
from hub.store.quarantine import Reject

# of one transaction; a detection takes up to nine locks of a table the server keeps in memory
MAX_RECORDS = 2000
MAX_DETECTIONS = 100

_log = logging.getLogger(__name__)


class Worker(Intake):
    """Takes records in."""

    def __init__(
        self,
        hub: Hub,
        broker: BrokerConnection,
        committed: Callable[[Written], None],
        *,
        ignore: Callable[[str], bool] = lambda topic: False,
    ) -> None:
        """committed: told what came of every transaction.

        ignore: topics that another connection takes, to be acknowledged and left alone.
        """
        super().__init__(hub, broker)
        self._committed = committed
        self._ignore = ignore

    def _take(self, batch: Sequence[Delivery]) -> None:
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
        for i in range(0, max(1, len(entries)), size):
            self._commit(entries[i : i + size], rejects if i == 0 else [])

    def _commit(self, entries: list[Entry], rejects: list[Reject]) -> None:
        """Commit these, bisecting where one is poisoned."""
        if not entries and not rejects:
            return
        try:
            written = self._database.run(
                lambda conn: write(conn, self._hub, entries, rejects), self._stopping
            )
        except REFUSALS as e:
            self._without_poison(entries, rejects, e)
        else:
            self._committed(written)

    def _without_poison(
        self, entries: list[Entry], rejects: list[Reject], error: Exception
    ) -> None:
        if len(entries) > 1:
            half = len(entries) // 2
            self._commit(entries[:half], rejects)
            self._commit(entries[half:], [])
            return
        if not entries:
            self._drop(rejects, error)
            return
        (entry,) = entries
        if isinstance(entry.content, Reject):
            self._drop([*rejects, entry.content], error)
            return
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
        self._commit([poisoned], rejects)

    def _drop(self, rejects: list[Reject], error: Exception) -> None:
        """Not even the quarantine takes them as they are: keep what it does take."""
        bare = [Reject(repr(r.topic)[:200], r.payload, f"{error}"[:200]) for r in rejects]
        self._database.run(
            lambda conn: quarantine.put_aside(conn, bare, self._hub.now()), self._stopping
        )
