"""The worker of births and deaths: one transaction each, in order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from hub.ingest.births import take_control
from hub.ingest.database import REFUSALS
from hub.ingest.intake import Intake
from hub.ingest.mqtt import BrokerConnection, Delivery
from hub.services.context import Hub
from hub.store import quarantine
from hub.store.quarantine import Reject

_log = logging.getLogger(__name__)


class ControlWorker(Intake):
    """Takes births and deaths in."""

    def __init__(self, hub: Hub, broker: BrokerConnection, born: Callable[[str], None]) -> None:
        """born: told of every agent that was born, after its COMMIT."""
        super().__init__(hub, broker)
        self._born = born

    def _take(self, batch: Sequence[Delivery]) -> None:
        for delivery in batch:
            self._take_one(delivery.topic, delivery.payload)

    def _take_one(self, topic: str, payload: bytes) -> None:
        try:
            agent = self._database.run(
                lambda conn: take_control(conn, self._hub, topic, payload), self._stopping
            )
        except REFUSALS as e:
            _log.warning("message on %s cannot be stored and is quarantined: %s", topic, e)
            reject = Reject(topic, payload, f"cannot be stored: {e}")
            self._database.run(
                lambda conn: quarantine.put_aside(conn, [reject], self._hub.now()), self._stopping
            )
            return
        if agent is not None:
            self._born(agent)
