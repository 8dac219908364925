"""What the hub asks for again and again."""

from __future__ import annotations

from pathlib import Path

from contract.messages import Nack
from contract.taxonomy import Lane
from edge.lane_window import LaneWindow
from edge.outlet import Outlet
from edge.resending import Resending
from edge.sqlite_spool import SqliteSpool
from tests.edge.builders import entry, now
from tests.edge.memory_transport import MemoryBroker, MemoryTransport


class Line:
    """A lane of ten records that were all sent, and the hub's side of it."""

    def __init__(self, folder: Path) -> None:
        self.at_s = 0.0
        self.spool = SqliteSpool(folder, dict.fromkeys(Lane, 10_000_000), now)
        self.spool.append([entry() for _ in range(10)])
        lanes = {lane: LaneWindow(10.0, 60.0) for lane in Lane}
        lanes[Lane.READING].published(self.spool.peek(Lane.READING, 0, 10, 10_000), 0.0)
        transport = MemoryTransport(MemoryBroker())
        outlet = Outlet("s", "a", transport, lambda: None, lambda lane, seq, reason: None)
        self.resending = Resending(self.spool, outlet, lanes, 50_000, lambda: self.at_s)

    def asks(self, first: int, last: int, after_s: float) -> None:
        self.at_s += after_s
        self.resending.take(Nack(boot=self.spool.boot, lanes={Lane.READING: [(first, last)]}))

    @property
    def lost(self) -> int:
        return self.spool.state()[Lane.READING].lost


def test_only_the_record_that_is_refused_each_time_is_given_up(tmp_path: Path) -> None:
    line = Line(tmp_path)
    for first, last in ((1, 10), (3, 7), (5, 5)):  # the hole shrinks as others come in
        line.asks(first, last, after_s=10.0)
    assert line.lost == 0
    line.asks(5, 9, after_s=10.0)
    assert line.lost == 1
    assert [r.seq for r in line.spool.peek(Lane.READING, 0, 20, 10_000)][:5] == [1, 2, 3, 4, 6]
    line.spool.close()


def test_a_hub_that_asks_too_often_does_not_refuse_more_often(tmp_path: Path) -> None:
    line = Line(tmp_path)
    for _ in range(30):
        line.asks(1, 10, after_s=1.0)
    assert line.lost == 0  # three times in thirty seconds
    line.asks(1, 10, after_s=10.0)
    assert line.lost == 10
    line.spool.close()
