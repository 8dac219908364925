"""The intake of one connection: batches in arrival order, acknowledged only after COMMIT.

A database that is away is waited for: nothing is acknowledged meanwhile, the queue fills, reading
stops.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from hub.ingest.mqtt import BrokerConnection, Delivery, acknowledge
from hub.ingest.thread import IngestThread
from hub.services.context import Hub


class Intake(IngestThread):
    """Takes the deliveries of one connection, in order, in a thread of its own."""

    def __init__(self, hub: Hub, broker: BrokerConnection) -> None:
        super().__init__(hub, f"ingest-{broker.name}")
        self._broker = broker

    @abstractmethod
    def _take(self, batch: Sequence[Delivery]) -> None:
        """Have all of the batch committed when this returns."""

    def _run(self) -> None:
        ingest = self._hub.config.ingest
        while not self._stopping.is_set():
            batch = self._broker.inbox.take(
                ingest.batch_messages, ingest.batch_wait_ms / 1000, self._stopping
            )
            if batch:
                self._take(batch)
                acknowledge(batch)
