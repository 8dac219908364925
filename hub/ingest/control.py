"""The worker of births and deaths: one transaction each, in order, acknowledged after COMMIT."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from hub.ingest.batch import collect
from hub.ingest.births import take_control
from hub.ingest.database import Database, Stopped
from hub.ingest.mqtt import BrokerConnection, Delivery
from hub.services.context import Hub
from hub.store import quarantine
from hub.store.quarantine import Reject

_log = logging.getLogger(__name__)


class ControlWorker:
    """Takes births and deaths of one connection in a thread of its own."""

    def __init__(self, hub: Hub, broker: BrokerConnection, born: Callable[[str], None]) -> None:
        """born: told of every agent that was born, after its COMMIT."""
        self._hub = hub
        self._broker = broker
        self._born = born
        self._database = Database(hub, f"ingest-{broker.name}")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"ingest-{broker.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the transaction under way."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        ingest = self._hub.config.ingest
        while not self._stopping.is_set():
            for delivery in collect(
                self._broker.deliveries, ingest.batch_messages, 0.0, self._stopping
            ):
                if not self._take(delivery):
                    break
                delivery.acknowledge()
        self._database.close()

    def _take(self, delivery: Delivery) -> bool:
        topic, payload = delivery.topic, delivery.payload
        try:
            agent = self._database.run(
                lambda conn: take_control(conn, self._hub, topic, payload), self._stopping
            )
        except Stopped:
            return False
        except Exception as e:  # noqa: BLE001 - one bad birth must not stop the others
            _log.warning("message on %s cannot be stored and is quarantined: %s", topic, e)
            return self._put_aside(Reject(topic, payload, f"cannot be stored: {e}"))
        if agent is not None:
            self._born(agent)
        return True

    def _put_aside(self, reject: Reject) -> bool:
        try:
            self._database.run(
                lambda conn: quarantine.put_aside(conn, [reject], self._hub.now()), self._stopping
            )
        except Stopped:
            return False
        return True
