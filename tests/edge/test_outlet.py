"""What the broker has not taken yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from contract.topics import Up
from edge.outlet import UNTAKEN_BYTES, Outlet
from edge.transport import TransportEvent, Will


class Wire:
    """Takes every message in and gives it the token it is told to."""

    token = 0

    def start(
        self,
        will: Callable[[], Will | None],
        subscriptions: Sequence[str],
        tell: Callable[[TransportEvent], None],
    ) -> None:
        """Nothing to begin."""

    def subscribe(self, subscriptions: Sequence[str]) -> None:
        """Nothing is heard."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int | None:
        """It is under way."""
        return self.token

    def stop(self) -> None:
        """Nothing to end."""


def test_a_word_on_a_message_of_an_earlier_session_frees_no_room_of_a_later_one() -> None:
    wire = Wire()
    outlet = Outlet("s", "a", wire, lambda: None, lambda lane, seq, reason: None)
    wire.token = 7
    outlet.tell(Up.READING, b"x")
    outlet.begin_session()  # told late: the message above was of the session that begins
    outlet.taken(7)

    outlet.tell(Up.READING, bytes(UNTAKEN_BYTES))  # numbers come again
    assert not outlet.has_room
    outlet.taken(7)
    assert outlet.has_room
