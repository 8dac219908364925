"""Sets of sequence numbers: a watermark and the ranges beyond it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class SequenceSet:
    """Which of the sequence numbers 1, 2, 3, ... have been received.

    `watermark` is the highest n such that 1..n are all in the set; `ranges` are the
    closed, disjoint, ascending ranges [first, last] above it. Not thread-safe.
    """

    watermark: int = 0
    ranges: list[tuple[int, int]] = field(default_factory=list)

    def __contains__(self, seq: int) -> bool:
        if seq <= self.watermark:
            return seq >= 1
        i = bisect_right(self.ranges, seq, key=_first) - 1
        return i >= 0 and seq <= self.ranges[i][1]

    def add(self, first: int, last: int | None = None) -> None:
        """Take [first, last] (or the single `first`) into the set.

        Takes time with the logarithm of the number of ranges. Raises ValueError where first < 1
        or last < first.
        """
        last = first if last is None else last
        if first < 1 or last < first:
            raise ValueError(f"[{first}, {last}] is not a range of sequence numbers from 1 on")
        if last <= self.watermark:
            return
        # the ranges that [first, last] touches are neighbours in the list: one slice takes them all
        begin = bisect_left(self.ranges, first - 1, key=_last)
        end = bisect_right(self.ranges, last + 1, key=_first)
        if begin < end:
            first = min(first, self.ranges[begin][0])
            last = max(last, self.ranges[end - 1][1])
        self.ranges[begin:end] = [(first, last)]
        if self.ranges[0][0] <= self.watermark + 1:
            self.watermark = self.ranges.pop(0)[1]

    def holes(self) -> list[tuple[int, int]]:
        """The closed ranges missing between the watermark and the highest number seen."""
        out: list[tuple[int, int]] = []
        after = self.watermark
        for a, b in self.ranges:
            out.append((after + 1, a - 1))
            after = b
        return out

    def spans(self) -> list[tuple[int, int]]:
        """The closed ranges that are in the set, ascending."""
        return [(1, self.watermark), *self.ranges] if self.watermark else self.ranges

    @property
    def highest(self) -> int:
        """The highest number in the set, 0 where it is empty."""
        return self.ranges[-1][1] if self.ranges else self.watermark

    def __len__(self) -> int:
        return self.watermark + sum(b - a + 1 for a, b in self.ranges)


def _first(range_: tuple[int, int]) -> int:
    return range_[0]


def _last(range_: tuple[int, int]) -> int:
    return range_[1]


def consecutive(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """The closed ranges that ascending `numbers` form."""
    first = last = 0
    for n in numbers:
        if first and n == last + 1:
            last = n
            continue
        if first:
            yield first, last
        first = last = n
    if first:
        yield first, last
