"""The confirmation rule of learnt evidence: log-likelihood ratios that add up, never below nothing.

Page's cumulative sum test (E. S. Page, Continuous Inspection Schemes, Biometrika 41, 1954): of all
rules with a given rate of false alarms it finds a lasting change soonest, where scores are drawn
independently and their ratio is known (G. Moustakides, 1986). Scores of neighbouring frames are
not independent, so the bar is set on recorded scores and not by theory.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from contract.rules import Decision, check_bars, check_score

MOST_POINTS = 64
MOST_RATIO = 100.0


@dataclass(frozen=True, slots=True)
class Ratios:
    """What one score says: the natural logarithm of how much likelier it is with the thing there.

    points: (score, ratio) with scores rising; straight between them, level beyond the ends.
    """

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        scores = [score for score, _ in self.points]
        if not 2 <= len(scores) <= MOST_POINTS:
            raise ValueError(f"ratios need 2 to {MOST_POINTS} points, got {len(scores)}")
        if not (scores[0] >= 0.0 and scores[-1] <= 1.0):
            raise ValueError("scores of ratios must lie in 0..1")
        if any(later <= earlier for earlier, later in pairwise(scores)):
            raise ValueError("scores of ratios must rise from point to point")
        ratios = [ratio for _, ratio in self.points]
        if not all(-MOST_RATIO <= ratio <= MOST_RATIO for ratio in ratios):
            raise ValueError(f"ratios must lie in {-MOST_RATIO:g}..{MOST_RATIO:g}")
        if not min(ratios) < 0.0 < max(ratios):
            raise ValueError("ratios need one below 0 and one above: else no score decides")

    def __call__(self, score: float) -> float:
        """The ratio of one score."""
        points = self.points
        n = bisect_right(points, score, key=lambda point: point[0])
        if n == 0:
            return points[0][1]
        if n == len(points):
            return points[-1][1]
        (x0, y0), (x1, y1) = points[n - 1], points[n]
        return y0 + (y1 - y0) * (score - x0) / (x1 - x0)

    def even(self) -> float:
        """The lowest score from which on a sample speaks for the thing, above 0 and at most 1."""
        for (x0, y0), (x1, y1) in pairwise(self.points):
            if y0 <= 0.0 < y1:
                return max(x0 + (x1 - x0) * (0.0 - y0) / (y1 - y0), 1e-6)
        return max(self.points[0][0], 1e-6)


@dataclass(frozen=True, slots=True)
class Cusum:
    """Settings of the cumulative sum.

    The ratios of the samples add up, never below 0 and never above `bar`. Raise when the sum
    reaches `bar`; hold while it is `bar * hold_ratio` or more. Samples further apart than
    `max_gap_s` do not belong together: the sum begins anew.
    """

    ratios: Ratios
    bar: float = 6.0  # nats
    hold_ratio: float = 0.5  # 0..1; the cap makes a lower hold than that of other rules steady
    max_gap_s: float = 5.0  # s

    def __post_init__(self) -> None:
        if not 0.0 < self.bar <= 1000.0:
            raise ValueError(f"bar must lie in (0, 1000], got {self.bar:g}")
        check_bars(self.ratios.even(), self.hold_ratio, self.max_gap_s)

    def build(self) -> CusumRule:
        """A rule with these settings that has seen nothing."""
        return CusumRule(self)


class CusumRule:
    """`Cusum` at work on one series of scores."""

    def __init__(self, settings: Cusum) -> None:
        self.settings = settings
        self._threshold = settings.ratios.even()
        self._sum = 0.0
        self._samples = 0
        self._since: datetime | None = None  # when the sum last left 0
        self._last_at: datetime | None = None
        self._active = False

    @property
    def threshold(self) -> float:
        """The score from which on a sample speaks for raising, 0..1."""
        return self._threshold

    def step(self, at: datetime, score: float) -> Decision:
        """The decision after one more sample.

        Raises ValueError where the score is not within 0..1.
        """
        check_score(score)
        s = self.settings
        if self._last_at is not None:
            gap_s = (at - self._last_at).total_seconds()
            if gap_s > s.max_gap_s or gap_s < 0.0:
                self.reset()
        self._last_at = at
        ratio = s.ratios(score)
        if self._sum <= 0.0 or self._since is None:
            self._since, self._samples = at, 0
        self._sum = min(s.bar, max(0.0, self._sum + ratio))
        self._samples += 1
        bar = s.bar * s.hold_ratio if self._active else s.bar
        self._active = self._sum >= bar
        span_s = (at - self._since).total_seconds()
        return Decision(
            self._active,
            f"evidence {self._sum:.2f} of {self._samples} samples within {span_s:.1f} s "
            f"({bar:.2f} needed); score {score:.2f} adds {ratio:+.2f}",
            since=self._since,
        )

    def reset(self) -> None:
        """Forget every sample."""
        self._sum = 0.0
        self._samples = 0
        self._since = None
        self._last_at = None
        self._active = False


def learn_ratios(
    without: Sequence[float], with_it: Sequence[float], cells: int = 10, at_most: float = 3.0
) -> Ratios:
    """The ratios of scores recorded without the thing and with it.

    Counts in `cells` equal parts of 0..1, one added to each so that an empty one decides nothing.
    A higher score never speaks less for the thing (neighbouring cells that say otherwise are
    pooled: Ayer et al., 1955), and no sample says more than `at_most`, for a few clips prove
    little. Raises ValueError where either is empty or both look alike.
    """
    if not without or not with_it:
        raise ValueError("ratios need scores with the thing and scores without it")
    for score in (*without, *with_it):
        check_score(score)
    pools: list[tuple[float, float, list[int]]] = []  # without, with, cells
    counts = [
        (_in_cell(without, n, cells) + 1.0, _in_cell(with_it, n, cells) + 1.0) for n in range(cells)
    ]
    for n, (empty, full) in enumerate(counts):
        pools.append((empty, full, [n]))
        while len(pools) > 1 and pools[-1][1] * pools[-2][0] < pools[-2][1] * pools[-1][0]:
            e1, f1, c1 = pools.pop()
            e0, f0, c0 = pools.pop()
            pools.append((e0 + e1, f0 + f1, c0 + c1))
    total_empty = sum(empty for empty, _ in counts)
    total_full = sum(full for _, full in counts)
    points = []
    for empty, full, members in pools:
        ratio = math.log((full / total_full) / (empty / total_empty))
        ratio = round(min(at_most, max(-at_most, ratio)), 3)
        points += [(round((n + 0.5) / cells, 4), ratio) for n in members]
    try:
        return Ratios(tuple(points))
    except ValueError:
        raise ValueError(
            "scores with the thing are no higher than those without it: no rule can part them"
        ) from None


def _in_cell(scores: Sequence[float], n: int, cells: int) -> int:
    return sum(1 for score in scores if min(int(score * cells), cells - 1) == n)
