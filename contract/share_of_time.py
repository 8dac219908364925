"""The confirmation rule of what flickers: a score that is up for most of a time.

It counts seconds, not samples: a camera that gives five frames a second is asked for no longer a
fire than one that gives thirty.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime

from contract.rules import Decision, check_bars, check_score

LONGEST_S = 0.25  # s that one sample speaks for: what was not looked at speaks for nothing
TOLERANCE_S = 0.001  # of the times of frames


@dataclass(frozen=True, slots=True)
class ShareOfTime:
    """Settings of the share-of-time rule.

    A sample speaks for the time since the one before it. Raise while samples at or above
    `threshold` make up `share` of `duration_s` within the last `duration_s`; hold while those at
    or above `threshold * hold_ratio` do. Samples further apart than `max_gap_s` do not belong
    together: the time begins anew.
    """

    duration_s: float = 2.0  # s
    share: float = 0.8  # 0..1
    threshold: float = 0.5  # 0..1
    hold_ratio: float = 0.8  # 0..1
    max_gap_s: float = 5.0  # s

    def __post_init__(self) -> None:
        if not self.duration_s > 0.0:
            raise ValueError(f"duration_s must be above 0 s, got {self.duration_s:g}")
        if not 0.0 < self.share <= 1.0:
            raise ValueError(f"share must lie in (0, 1], got {self.share:g}")
        check_bars(self.threshold, self.hold_ratio, self.max_gap_s)

    def build(self) -> ShareOfTimeRule:
        """A rule with these settings that has seen nothing."""
        return ShareOfTimeRule(self)


class ShareOfTimeRule:
    """`ShareOfTime` at work on one series of scores."""

    def __init__(self, settings: ShareOfTime) -> None:
        self.settings = settings
        self._samples: deque[tuple[datetime, float, float]] = deque()  # at, s it speaks for, score
        self._active = False

    @property
    def threshold(self) -> float:
        """The score at or above which a sample speaks for raising, 0..1."""
        return self.settings.threshold

    def step(self, at: datetime, score: float) -> Decision:
        """The decision after one more sample.

        Raises ValueError where the score is not within 0..1.
        """
        check_score(score)
        s, samples = self.settings, self._samples
        gap_s = (at - samples[-1][0]).total_seconds() if samples else 0.0
        if not 0.0 <= gap_s <= s.max_gap_s:
            self.reset()
            gap_s = 0.0
        samples.append((at, min(gap_s, LONGEST_S), score))
        while (at - samples[0][0]).total_seconds() >= s.duration_s - TOLERANCE_S:
            samples.popleft()
        bar = s.threshold * s.hold_ratio if self._active else s.threshold
        up_s = sum(spoken_s for _, spoken_s, value in samples if value >= bar)
        needed_s = s.share * s.duration_s
        self._active = up_s >= needed_s - TOLERANCE_S
        return Decision(
            self._active,
            f"at or above {bar:.2f} for {up_s:.1f} of the last {s.duration_s:.1f} s "
            f"({needed_s:.1f} s needed)",
            since=samples[0][0],
        )

    def reset(self) -> None:
        """Forget every sample."""
        self._samples.clear()
        self._active = False
