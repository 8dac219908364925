"""A broker in memory, for one process: for trying the publisher without a network."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence

from edge.transport import Arrived, Connected, Disconnected, Taken, TransportEvent, Will


class MemoryBroker:
    """Takes messages, keeps the retained ones, hands them to whoever subscribed."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._retained: dict[str, bytes] = {}
        self._sessions: list[tuple[tuple[str, ...], Callable[[TransportEvent], None]]] = []
        self.taken: list[tuple[str, bytes]] = []  # everything published, in order

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Take a message and pass it on."""
        with self._lock:
            self.taken.append((topic, payload))
            if retain:
                self._retained[topic] = payload
            for filters, tell in self._sessions:
                if any(_matches(f, topic) for f in filters):
                    tell(Arrived(topic, payload, retained=False))

    def join(self, filters: Sequence[str], tell: Callable[[TransportEvent], None]) -> None:
        """Subscribe; retained messages come at once."""
        with self._lock:
            self._sessions.append((tuple(filters), tell))
            tell(Connected())
            for topic, payload in self._retained.items():
                if any(_matches(f, topic) for f in filters):
                    tell(Arrived(topic, payload, retained=True))

    def leave(self, tell: Callable[[TransportEvent], None]) -> None:
        """End a subscription."""
        with self._lock:
            self._sessions = [s for s in self._sessions if s[1] is not tell]


class MemoryTransport:
    """A session with a `MemoryBroker` that can be cut and restored."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self._tokens = itertools.count(1)
        self._up = False
        self.taking = True  # whether the broker says that it has taken what it is sent
        self._tell: Callable[[TransportEvent], None] | None = None
        self._will: Callable[[], Will | None] | None = None
        self._last_will: Will | None = Will("", b"")  # of the session that is up
        self._subscriptions: tuple[str, ...] = ()

    def start(
        self,
        will: Callable[[], Will | None],
        subscriptions: Sequence[str],
        tell: Callable[[TransportEvent], None],
    ) -> None:
        """Connect at once."""
        self._will, self._subscriptions, self._tell = will, tuple(subscriptions), tell
        self.restore()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int | None:
        """Hand the message to the broker; None while cut."""
        if not self._up or self._tell is None:
            return None
        token = next(self._tokens)
        self._broker.publish(topic, payload, retain)
        if self.taking:
            self._tell(Taken(token))
        return token

    def subscribe(self, subscriptions: Sequence[str]) -> None:
        """Hear these too."""
        self._subscriptions += tuple(subscriptions)
        if self._up and self._tell is not None:
            self._broker.leave(self._tell)
            self._broker.join(self._subscriptions, self._tell)

    def cut(self) -> None:
        """Break the connection: the broker speaks the will."""
        if self._up and self._tell is not None:
            self._up = False
            self._broker.leave(self._tell)
            if self._last_will is not None:
                self._broker.publish(self._last_will.topic, self._last_will.payload)
            self._tell(Disconnected("cut"))

    def restore(self) -> None:
        """Connect again."""
        if not self._up and self._tell is not None and self._will is not None:
            self._last_will = self._will()
            self._up = True
            self._broker.join(self._subscriptions, self._tell)

    def stop(self) -> None:
        """End the session without the will."""
        if self._up and self._tell is not None:
            self._up = False
            self._broker.leave(self._tell)


def _matches(pattern: str, topic: str) -> bool:
    parts, names = pattern.split("/"), topic.split("/")
    if parts[-1] == "#":
        return names[: len(parts) - 1] == parts[:-1]
    return len(parts) == len(names) and all(
        p in ("+", n) for p, n in zip(parts, names, strict=True)
    )
