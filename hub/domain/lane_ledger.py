"""Which records of one lane of one boot of one agent are here: dedupe, holes and watermark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from contract.ranges import SequenceSet

MAX_RANGES = 4096  # of records received beyond a hole; more are left for the edge to send again


@dataclass(slots=True)
class LaneLedger:
    """What was received, and what the edge declared lost and is not here. Not thread-safe.

    Received includes lost: the watermark passes over what is known to be gone.
    """

    received: SequenceSet = field(default_factory=SequenceSet)
    lost: list[tuple[int, int]] = field(default_factory=list)  # closed, ascending, disjoint
    changed: bool = False

    def has(self, seq: int) -> bool:
        """Whether that record is here."""
        return seq in self.received and not any(a <= seq <= b for a, b in self.lost)

    def within_reach(self, seq: int) -> bool:
        """Whether `seq` can be noted: it would not open one range too many."""
        return len(self.received.ranges) < MAX_RANGES or seq <= self.received.highest + 1

    def add(self, spans: Iterable[tuple[int, int]]) -> None:
        """These closed ranges are here now; what had been declared lost is lost no more."""
        for first, last in spans:
            self.received.add(first, last)
            self.lost = list(_without(self.lost, first, last))
            self.changed = True

    def declare_lost(self, first: int, last: int) -> None:
        """What of [first, last] is not here never will be."""
        gone = [(first, last)]
        for a, b in ((1, self.received.watermark), *self.received.ranges):
            gone = list(_without(gone, a, b))
        self.received.add(first, last)
        if gone:
            self.lost = sorted((*self.lost, *gone))
        self.changed = True

    @property
    def lost_count(self) -> int:
        """How many records are lost."""
        return sum(b - a + 1 for a, b in self.lost)


def _without(ranges: Iterable[tuple[int, int]], first: int, last: int) -> Iterator[tuple[int, int]]:
    """The ranges less [first, last]."""
    for a, b in ranges:
        if b < first or a > last:
            yield a, b
            continue
        if a < first:
            yield a, first - 1
        if b > last:
            yield last + 1, b
