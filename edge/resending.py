"""What the hub asks for again: sent in its turn, and given up when it is refused for good."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from contract.envelope import MAX_RECORDS
from contract.messages import Nack
from contract.ranges import consecutive
from contract.taxonomy import Lane
from edge.lane_window import LaneWindow
from edge.outlet import Outlet
from edge.spool import Spool, missing

log = logging.getLogger(__name__)

REFUSALS = 3  # the same record, or the same evidence, asked for so often is given up
DIGESTS = 1000  # of evidence remembered as refused


class Resending:
    """Not thread-safe: the publisher's thread alone."""

    def __init__(
        self,
        spool: Spool,
        outlet: Outlet,
        lanes: Mapping[Lane, LaneWindow],
        pack_bytes: int,
        steady_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """pack_bytes: of records in one message. steady_s: a clock that nobody sets."""
        self._spool = spool
        self._outlet = outlet
        self._lanes = lanes
        self._pack_bytes = pack_bytes
        self._steady_s = steady_s
        self._asked: dict[Lane, deque[tuple[int, int]]] = {lane: deque() for lane in Lane}
        # how often a record was asked for, and when last; bounded by what is under way
        self._refused: dict[Lane, dict[int, tuple[int, float]]] = {lane: {} for lane in Lane}
        self._broken: dict[str, int] = {}  # evidence -> how often the hub found it broken

    def take(self, nack: Nack) -> None:
        """The hub asks for this again."""
        for lane, ranges in nack.lanes.items():
            for first, last in ranges:
                self._ask(lane, first, last)
        for digest in nack.digests:
            self._repeat(digest)

    def forget(self, lane: Lane) -> None:
        """The lane is sent again from its watermark: nothing of it need be sent apart."""
        self._asked[lane].clear()

    def begin_boot(self) -> None:
        """Numbers begin anew."""
        for lane in Lane:
            self._asked[lane].clear()
            self._refused[lane].clear()

    def waits(self, lane: Lane) -> bool:
        """Whether something of the lane is still to be sent again."""
        return bool(self._asked[lane])

    def send_next(self, boot: str, lane: Lane) -> bool:
        """Send one message of what was asked for; whether there was one and it went."""
        asked = self._asked[lane]
        if not asked:
            return False
        first, last = asked[0]
        first = max(first, self._lanes[lane].watermark + 1)
        count = 1 if lane is Lane.EVIDENCE else MAX_RECORDS
        records = self._spool.peek(lane, first - 1, count, self._pack_bytes, last)
        if self._spool.boot != boot or (records and not self._outlet.publish(boot, lane, records)):
            return False
        reached = records[-1].seq if records else last
        if reached < last:
            asked[0] = reached + 1, last
        else:
            asked.popleft()
        for a, b in missing(first, reached, [r.seq for r in records]):
            self._spool.declare_lost(lane, a, b, "no longer in the spool")
        return True

    def _ask(self, lane: Lane, first: int, last: int) -> None:
        """What lies beyond what was sent goes out in its turn, however much is asked for."""
        window = self._lanes[lane]
        last = min(last, window.sent)
        first = max(first, window.watermark + 1)
        if first > last:
            return
        given_up = list(self._count(lane, range(first, last + 1)))
        for a, b in consecutive(given_up):
            self._spool.declare_lost(lane, a, b, f"refused by the hub {REFUSALS} times")
        gone = set(given_up)
        for a, b in consecutive(seq for seq in range(first, last + 1) if seq not in gone):
            if not any(x <= b and a <= y for x, y in self._asked[lane]):
                self._asked[lane].append((a, b))

    def _count(self, lane: Lane, asked: Iterable[int]) -> Iterable[int]:
        """Which of these have been asked for too often, each time long enough after the last."""
        window = self._lanes[lane]
        counts = self._refused[lane]
        for seq in [seq for seq in counts if seq <= window.watermark]:
            del counts[seq]
        now_s = self._steady_s()
        for seq in asked:
            count, at_s = counts.get(seq, (0, now_s - window.resend_after_s))
            if now_s - at_s >= window.resend_after_s:
                count, at_s = count + 1, now_s
            counts[seq] = count, at_s
            if count > REFUSALS:
                yield seq

    def _repeat(self, digest: str) -> None:
        if self._spool.waits(digest):  # a hub that asks again while it is under way refuses nothing
            return
        count = self._broken.pop(digest, 0) + 1
        if len(self._broken) >= DIGESTS:
            del self._broken[next(iter(self._broken))]  # the one named longest ago
        self._broken[digest] = count
        if count > REFUSALS:
            self._spool.give_up(digest, f"the hub found it broken {count} times")
        elif self._spool.repeat(digest):
            log.warning("the hub has a broken copy of evidence %s: sending it again", digest)
        else:
            self._spool.give_up(digest, "broken at the hub and no longer whole here")
