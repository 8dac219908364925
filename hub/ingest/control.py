"""The worker of births and deaths: one transaction each, in order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from hub.ingest import canary
from hub.ingest.births import take_control
from hub.ingest.database import Stopped, blame
from hub.ingest.intake import Intake
from hub.ingest.mqtt import BrokerConnection, Delivery
from hub.services.context import Hub
from hub.store import quarantine
from hub.store.quarantine import Reject

_log = logging.getLogger(__name__)


class ControlWorker(Intake[Sequence[Delivery]]):
    """Takes births and deaths in."""

    def __init__(self, hub: Hub, broker: BrokerConnection, born: Callable[[str], None]) -> None:
        """born: told of every agent that was born, after its COMMIT."""
        super().__init__(hub, broker)
        self._born = born

    def _prepare(self, batch: Sequence[Delivery]) -> Sequence[Delivery]:
        return batch

    def _take(self, batch: Sequence[Delivery]) -> None:
        for delivery in batch:
            self._take_one(delivery.topic, delivery.payload)

    def _take_one(self, topic: str, payload: bytes) -> None:
        try:
            agent = self._database.run(
                lambda conn: take_control(conn, self._hub, topic, payload), self._stopping
            )
        except Stopped:
            raise
        except Exception as e:  # noqa: BLE001 - raised again unless it is one message's
            self._put_aside(topic, payload, e)
            return
        if agent is not None:
            self._born(agent)

    def _put_aside(self, topic: str, payload: bytes, error: Exception) -> None:
        """Quarantine a birth or death, unless not even a good birth can be stored."""
        station = self._hub.config.hub.stations[0]
        try:
            self._database.run(
                lambda conn: canary.is_born(conn, self._hub, station), self._stopping
            )
        except Stopped:
            raise
        except Exception:  # noqa: BLE001 - the first error is raised
            _log.exception("not even a good birth can be stored")
            raise error from None
        reason, fault = blame(error)
        _log.warning(
            "message on %s is quarantined: %s",
            topic,
            reason,
            exc_info=None if fault == "sender" else error,
        )
        reject = Reject(topic, payload, reason, fault=fault)
        self._database.run(
            lambda conn: quarantine.put_aside(conn, [reject], self._hub.now()), self._stopping
        )
