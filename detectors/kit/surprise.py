"""How surprising a number is against all that came before: its tail probability, in tens.

A statistic of a signal (a residual, a short mean less a long one) has no natural scale and no
known distribution. Its own past gives both: the surprise of a value is -log10 of the share of past
values that were at least as great. Beyond the greatest, an exponential tail through the upper two
per cent goes on. No look-ahead: a value is judged first and learnt afterwards.
"""

from __future__ import annotations

import math
from array import array

_PER_OCTAVE = 16  # histogram steps for a doubling: 4.4 % each
_OCTAVES = 80  # from 2^-40 to 2^40
_BINS = _PER_OCTAVE * _OCTAVES
_OFFSET = _BINS // 2
_WIDTH = 2.0 ** (1 / _PER_OCTAVE)
_CENTRES = array("d", (2.0 ** ((k - _OFFSET + 0.5) / _PER_OCTAVE) for k in range(_BINS)))

TAIL_SHARE = 0.02  # of the past values the tail is fitted to
MOST = 300.0  # a surprise beyond it says nothing more


class Surprise:
    """The past of one statistic as a histogram on a logarithmic scale: 5 kB, whatever its age.

    Values are not negative. At `memory` values all counts are halved, so that old ones fade.
    """

    def __init__(self, warm_up: int = 50, memory: int = 40_000) -> None:
        self.warm_up = warm_up
        self.memory = memory
        self._counts = array("I", bytes(_BINS * array("I").itemsize))
        self._seen = 0
        self._top = 0  # highest bin in use

    def of(self, value: float) -> float:
        """The surprise of `value`, 0 within the warm-up; then takes it into the past."""
        k = _bin(value)
        surprise = self._judge(value, k) if self._seen >= self.warm_up else 0.0
        self._learn(k)
        return surprise

    def _judge(self, value: float, k: int) -> float:
        n = self._seen
        counts, top = self._counts, self._top
        in_tail = max(5, int(n * TAIL_SHARE))
        above = 0
        if k <= top:
            above = sum(counts[k : top + 1])
        if above >= in_tail:
            return -math.log10((above + 1) / (n + 1))
        # the tail: the highest `in_tail` values, from where it begins their mean excess
        count, weighted, start = 0, 0.0, top
        while count < in_tail and start >= 0:
            here = counts[start]
            if here:
                count += here
                weighted += here * _CENTRES[start]
            start -= 1
        begin = _CENTRES[start + 1]
        mean_excess = max(weighted / count - begin, begin * (_WIDTH - 1))
        surprise: float = -math.log10(count / (n + 1)) + (value - begin) / mean_excess / math.log(
            10
        )
        return min(max(surprise, 0.0), MOST)

    def _learn(self, k: int) -> None:
        self._counts[k] += 1
        self._seen += 1
        if k > self._top:
            self._top = k
        if self._seen >= self.memory:
            self._counts = array("I", (c // 2 for c in self._counts))
            self._seen = sum(self._counts)
            self._top = max((b for b, c in enumerate(self._counts) if c), default=0)


def _bin(value: float) -> int:
    if value <= 0.0:
        return 0
    return min(max(int(math.log2(value) * _PER_OCTAVE) + _OFFSET, 0), _BINS - 1)
