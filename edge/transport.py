"""The seam to the broker: sends messages, tells what happens to them and what arrives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Connected:
    """A session has begun and the subscriptions are asked for."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """There is no session (any more). Told once for each attempt that failed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message came."""

    topic: str
    payload: bytes
    retained: bool  # the broker kept it: it may be old


@dataclass(frozen=True, slots=True)
class Taken:
    """The broker has taken the message of this token. The hub may not have it yet."""

    token: int


TransportEvent = Connected | Disconnected | Arrived | Taken


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says for us when the connection breaks."""

    topic: str
    payload: bytes


class Transport(Protocol):
    """A connection that comes back by itself. `tell` is called from its own thread and must
    return at once.
    """

    def start(
        self,
        will: Callable[[], Will | None],
        subscriptions: Sequence[str],
        tell: Callable[[TransportEvent], None],
    ) -> None:
        """Begin to connect. will: asked for at every attempt."""

    def subscribe(self, subscriptions: Sequence[str]) -> None:
        """Hear these topic filters too, in this session and in every later one."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int | None:
        """Send at QoS 1; the token that `Taken` will name, None where there is no session."""

    def stop(self) -> None:
        """End the session properly, so that the broker keeps the will to itself."""
