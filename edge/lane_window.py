"""What of one lane is under way to the hub: decided by numbers, without a clock of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from contract.messages import LaneAck
from edge.spool import Spooled


@dataclass(slots=True)
class LaneWindow:
    """Published and not yet under the hub's watermark. Times are monotonic seconds.

    The broker's word (PUBACK) plays no part: a broker may forget. Without the hub's word for
    `resend_after_s` the lane goes over to probing: one message, then longer and longer waits,
    so that an absent hub costs nothing.
    """

    resend_after_s: float
    probe_max_s: float
    watermark: int = 0
    sent: int = 0  # highest number published since the last rewind
    ranges: list[tuple[int, int]] = field(default_factory=list)  # the hub has these beyond it
    probing: bool = False
    bytes: int = 0  # under way
    due_s: float | None = None  # when a word of the hub is overdue; None: nothing is under way
    _flights: deque[tuple[int, int]] = field(default_factory=deque)  # (seq, bytes), ascending
    _wait_s: float = 0.0
    _stuck: bool = False  # it was overdue and has not moved since

    @property
    def records(self) -> int:
        """Records under way."""
        return len(self._flights)

    @property
    def may_send(self) -> bool:
        """Whether more may be published: not while a probe is under way."""
        return not (self.probing and self._flights)

    def published(self, records: Sequence[Spooled], now_s: float) -> None:
        """These, consecutive or not, were given to the broker."""
        for record in records:
            self._flights.append((record.seq, record.size))
            self.bytes += record.size
        self.sent = max(self.sent, records[-1].seq)
        if self.due_s is None:
            self._wait_s = self._wait_s or self.resend_after_s
            self.due_s = now_s + self._wait_s

    def acknowledge(self, ack: LaneAck, now_s: float) -> None:
        """The hub has committed up to the watermark, and the ranges beyond it."""
        self.ranges = list(ack.ranges)
        if ack.watermark <= self.watermark:
            return
        self.watermark = ack.watermark
        self.sent = max(self.sent, ack.watermark)
        while self._flights and self._flights[0][0] <= self.watermark:
            self.bytes -= self._flights.popleft()[1]
        self.probing = self._stuck = False
        self._wait_s = self.resend_after_s
        self.due_s = now_s + self._wait_s if self._flights else None

    def overdue(self, now_s: float) -> bool:
        """Whether the hub has been silent too long; then the lane is rewound to one probe."""
        if self.due_s is None or now_s < self.due_s:
            return False
        longer = self._wait_s * 2.0 if self._stuck else self._wait_s
        self._stuck = True
        self.rewind()
        self.probing = True
        self._wait_s = min(self.probe_max_s, longer)
        return True

    def rewind(self, watermark: int | None = None) -> None:
        """Forget what is under way: send again from above the watermark."""
        if watermark is not None:
            self.watermark, self.ranges = watermark, []
        self.sent = self.watermark
        self._flights.clear()
        self.bytes = 0
        self.due_s = None

    def resume(self) -> None:
        """The hub is back: stop probing and send at full width.

        The wait stays as long as it has grown until this lane itself moves, so that one which is
        stuck while others move is not sent over and over.
        """
        if self.probing:
            self.probing = False
            self.rewind()

    def wanted(self, records: Sequence[Spooled]) -> list[Spooled]:
        """The records without those the hub has already."""
        return [r for r in records if not any(a <= r.seq <= b for a, b in self.ranges)]
