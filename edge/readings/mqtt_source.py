"""Readings of foreign systems over MQTT: a connection of its own, adapters, a bounded queue.

Messages wait in a queue of QUEUE at the most. When it is full the oldest goes and is counted: the
newest value of a sensor is worth the most, and a queue without end would take the agent's memory.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime

from contract.taxonomy import SensorState
from edge.readings.adapter import Record
from edge.readings.intake import Intake
from edge.readings.source import SourceStatus
from edge.transport import Arrived, Connected, Disconnected, Transport, TransportEvent

QUEUE = 10_000  # messages


class MqttSource:
    """A `ReadingSource` over one broker."""

    def __init__(
        self, name: str, intake: Intake, transport: Transport, now: Callable[[], datetime]
    ) -> None:
        self.name = name
        self._intake = intake
        self._transport = transport
        self._now = now
        self._something = threading.Condition()
        self._waiting: deque[tuple[datetime, Arrived]] = deque()
        self._closed = False

    def readings(self) -> Iterator[Record]:
        """Everything it gets, in order of arrival; blocks; ends after `close`."""
        self._transport.start(lambda: None, self._intake.filters, self._tell)
        try:
            while (arrived := self._next()) is not None:
                at, message = arrived
                taken = self._intake.take(message.topic, message.payload, at, message.retained)
                if taken.wants:
                    self._transport.subscribe(taken.wants)
                for topic, payload in taken.replies:
                    self._transport.publish(topic, payload)
                yield from taken.records
        finally:
            self._transport.stop()
            self._intake.moved(SensorState.ENDED, self._now())

    def status(self) -> SourceStatus:
        """How it fares. Any thread."""
        return self._intake.status()

    def close(self) -> None:
        """End `readings`. Any thread."""
        with self._something:
            self._closed = True
            self._something.notify()

    def _next(self) -> tuple[datetime, Arrived] | None:
        with self._something:
            while not self._waiting and not self._closed:
                self._something.wait()
            return None if self._closed else self._waiting.popleft()

    def _tell(self, event: TransportEvent) -> None:
        """From the transport's thread: returns at once."""
        if isinstance(event, Arrived):
            with self._something:
                if len(self._waiting) >= QUEUE:
                    self._waiting.popleft()
                    self._intake.overran()
                self._waiting.append((self._now(), event))
                self._something.notify()
        elif isinstance(event, Connected):
            self._intake.moved(SensorState.ONLINE, self._now())
        elif isinstance(event, Disconnected):
            self._intake.moved(SensorState.LOST, self._now(), event.reason)
