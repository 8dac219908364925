"""The intake of one connection: batches in arrival order, acknowledged only after COMMIT.

A database that is away is waited for: nothing is acknowledged meanwhile, the queue fills, reading
stops.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from hub.ingest.mqtt import BrokerConnection, Delivery, acknowledge
from hub.ingest.thread import IngestThread
from hub.services.context import Hub

Prepared = TypeVar("Prepared")


class Intake(IngestThread, Generic[Prepared]):
    """Takes the deliveries of one connection, in order, in a thread of its own.

    While a batch is at the database the next one is made ready by a second thread: one, no more.
    """

    def __init__(self, hub: Hub, broker: BrokerConnection) -> None:
        super().__init__(hub, f"ingest-{broker.name}")
        self._broker = broker

    @abstractmethod
    def _prepare(self, batch: Sequence[Delivery]) -> Prepared:
        """What can be done of a batch before its turn; called by the second thread."""

    @abstractmethod
    def _take(self, batch: Prepared) -> None:
        """Have all of the batch committed when this returns."""

    def _run(self) -> None:
        with ThreadPoolExecutor(1, f"ahead-{self._broker.name}") as ahead:
            coming = ahead.submit(self._next)
            while not self._stopping.is_set():
                batch, prepared = coming.result()
                coming = ahead.submit(self._next)
                if batch:
                    self._take(prepared)
                    acknowledge(batch)

    def _next(self) -> tuple[list[Delivery], Prepared]:
        ingest = self._hub.config.ingest
        batch = self._broker.inbox.take(
            ingest.batch_messages, ingest.batch_wait_ms / 1000, self._stopping
        )
        return batch, self._prepare(batch)
