"""The confirmation rule that adds up: the sum of the last scores, raised high and held lower.

Where k of n asks how many samples are above a bar, the sum lets a sample of 0.9 stand for two of
0.45: a score that wavers about the threshold still adds up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contract.rules import Decision, SampleWindow, check_bars


@dataclass(frozen=True, slots=True)
class WindowSum:
    """Settings of the window sum.

    Raise when the last `n` scores add up to `c` or more; hold while they add up to
    `c * hold_ratio`. Samples further apart than `max_gap_s` do not belong together: the window
    begins anew.
    """

    n: int = 8
    c: float = 4.0  # sum of scores, above 0 and at most n
    hold_ratio: float = 0.8  # 0..1
    max_gap_s: float = 5.0  # s

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ValueError(f"window_sum needs n of 1 or more, got n = {self.n}")
        if not 0.0 < self.c <= self.n:
            raise ValueError(f"c must lie in (0, n]: scores are at most 1, got {self.c:g}")
        check_bars(self.c / self.n, self.hold_ratio, self.max_gap_s)

    def build(self) -> WindowSumRule:
        """A rule with these settings and an empty window."""
        return WindowSumRule(self)


class WindowSumRule:
    """`WindowSum` at work on one series of scores."""

    def __init__(self, settings: WindowSum) -> None:
        self.settings = settings
        self._window = SampleWindow(settings.n, settings.max_gap_s)
        self._active = False

    @property
    def threshold(self) -> float:
        """The mean score that raises with a full window, 0..1."""
        return self.settings.c / self.settings.n

    def step(self, at: datetime, score: float) -> Decision:
        """The decision after one more sample.

        Raises ValueError where the score is not within 0..1.
        """
        s = self.settings
        self._window.add(at, score)
        bar = s.c * s.hold_ratio if self._active else s.c
        scores = self._window.scores
        total = sum(scores)
        self._active = total >= bar
        return Decision(
            self._active,
            f"the last {len(scores)} scores of at most {s.n} add up to {total:.2f} within "
            f"{self._window.span_s:.1f} s ({bar:.2f} needed)",
            since=self._window.since,
        )

    def reset(self) -> None:
        """Forget every sample."""
        self._window.clear()
        self._active = False
