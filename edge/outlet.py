"""Hands messages to the transport, and knows what of them the broker has not taken yet.

What the broker has taken (PUBACK) is not yet the hub's: it only frees room here. That room is
kept small, so that a detection waits behind little, however large the backlog is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from contract.envelope import Identity, build
from contract.errors import EnvelopeError
from contract.ranges import consecutive
from contract.taxonomy import Lane
from contract.topics import Topic, Up
from edge.spool import Spooled
from edge.transport import Transport

UNTAKEN_BYTES = 256 * 1024  # on a line of 1 Mbit/s a detection waits 2 s behind so much


class Outlet:
    """One session's worth of messages under way. `taken` may be called from any thread."""

    def __init__(
        self,
        station: str,
        agent: str,
        transport: Transport,
        freed: Callable[[], None],
        refuse: Callable[[Lane, int, str], None],
    ) -> None:
        """freed: there is room again. refuse: told of a record that cannot travel, and why."""
        self._station, self._agent = station, agent
        self._transport = transport
        self._freed = freed
        self._refuse = refuse
        self._lock = threading.Lock()  # never held while the transport is called
        self._untaken: dict[int, int] = {}  # token -> bytes
        self._early: set[int] = set()  # taken before `tell`, in one thread, knew their token
        self._bytes = 0

    @property
    def has_room(self) -> bool:
        """Whether the broker has taken so much that a backlog may go on."""
        return self._bytes < UNTAKEN_BYTES

    def begin_session(self) -> None:
        """A session began or ended: nothing of the last one is under way."""
        with self._lock:
            self._untaken.clear()
            self._early.clear()
            self._bytes = 0

    def taken(self, token: int) -> None:
        """The broker has taken the message of this token."""
        with self._lock:
            size = self._untaken.pop(token, None)
            if size is None:
                self._early.add(token)
                return
            was_full = not self.has_room
            self._bytes -= size
            freed = was_full and self.has_room
        if freed:
            self._freed()

    def tell(self, kind: Up, message: bytes, *, retain: bool = False) -> bool:
        """Send a message; False where there is no session. Of one thread."""
        topic = str(Topic(self._station, self._agent, kind))
        with self._lock:
            self._early.clear()  # of messages that are forgotten: their tokens come again
        token = self._transport.publish(topic, message, retain=retain)
        if token is None:
            return False
        with self._lock:
            if token not in self._early:
                self._untaken[token] = len(message)
                self._bytes += len(message)
        return True

    def publish(self, boot: str, lane: Lane, records: Sequence[Spooled]) -> bool:
        """Send records, a message for each consecutive run; False where there is no session."""
        by_seq = {r.seq: r for r in records}
        for first, last in consecutive(by_seq):
            step = 1 if lane is Lane.EVIDENCE else last - first + 1
            for seq in range(first, last + 1, step):
                if not self._send(boot, lane, [by_seq[s] for s in range(seq, seq + step)]):
                    return False
        return True

    def _send(self, boot: str, lane: Lane, run: Sequence[Spooled]) -> bool:
        identity = Identity(self._station, self._agent, boot, lane, run[0].seq)
        try:
            records = [r.record for r in run]
            message = build(identity, records, run[0].captured_at, run[0].payload)
        except EnvelopeError as e:
            if len(run) > 1:
                half = len(run) // 2
                return self._send(boot, lane, run[:half]) and self._send(boot, lane, run[half:])
            self._refuse(lane, run[0].seq, f"too large to travel: {e}")
            return True
        return self.tell(Up(lane.value), message)
