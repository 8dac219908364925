"""Confirmation rules: scores over time in, raise / hold / clear with the reason out.

Pure arithmetic, shared by the edge, which decides, and the replay of recorded scores under another
threshold. Time comes in with every score; no rule reads a clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the rule holds at one moment, and why."""

    active: bool
    reason: str
    since: datetime | None = None  # the oldest sample it rests on; None: the rule does not say


class ConfirmationRule(Protocol):
    """Decides from the scores so far; remembers between calls."""

    @property
    def threshold(self) -> float:
        """The score at or above which a sample speaks for raising, 0..1."""

    def step(self, at: datetime, score: float) -> Decision:
        """The decision after one more sample; `at` must not go back."""

    def reset(self) -> None:
        """Forget every sample."""


def check_bars(threshold: float, hold_ratio: float, max_gap_s: float) -> None:
    """Refuse bars and a gap that make no rule; raises ValueError naming the setting."""
    if not 0.0 < threshold <= 1.0:
        raise ValueError(f"threshold must lie in (0, 1], got {threshold:g}")
    if not 0.0 < hold_ratio <= 1.0:
        raise ValueError(f"hold_ratio must lie in (0, 1], got {hold_ratio:g}")
    if not max_gap_s > 0.0:
        raise ValueError(f"max_gap_s must be above 0 s, got {max_gap_s:g}")


def check_score(score: float) -> None:
    """Refuse a score that is not within 0..1; raises ValueError."""
    if not 0.0 <= score <= 1.0:
        raise ValueError(f"score must lie in 0..1, got {score!r}")


class SampleWindow:
    """The last `n` samples; one after a gap longer than `max_gap_s` begins them anew."""

    def __init__(self, n: int, max_gap_s: float) -> None:
        self._max_gap_s = max_gap_s
        self._samples: deque[tuple[datetime, float]] = deque(maxlen=n)

    def add(self, at: datetime, score: float) -> None:
        """Take one more; raises ValueError where the score is not within 0..1."""
        check_score(score)
        if self._samples and not 0.0 <= (at - self.end).total_seconds() <= self._max_gap_s:
            self._samples.clear()
        self._samples.append((at, score))

    @property
    def scores(self) -> list[float]:
        """Oldest first."""
        return [score for _, score in self._samples]

    @property
    def since(self) -> datetime:
        """When the oldest was taken."""
        return self._samples[0][0]

    @property
    def end(self) -> datetime:
        """When the newest was taken."""
        return self._samples[-1][0]

    @property
    def span_s(self) -> float:
        """From the oldest to the newest."""
        return (self.end - self.since).total_seconds()

    def clear(self) -> None:
        """Forget every sample."""
        self._samples.clear()


@dataclass(frozen=True, slots=True)
class KOfN:
    """Settings of the k-of-n rule.

    Raise when `k` of the last `n` samples are at or above `threshold`; hold while `k` of the
    last `n` are at or above `threshold * hold_ratio`. Samples further apart than `max_gap_s`
    do not belong together: the window begins anew.
    """

    k: int = 5
    n: int = 8
    threshold: float = 0.5  # 0..1
    hold_ratio: float = 0.8  # 0..1
    max_gap_s: float = 5.0  # s

    def __post_init__(self) -> None:
        if not 1 <= self.k <= self.n:
            raise ValueError(f"k-of-n needs 1 <= k <= n, got k = {self.k}, n = {self.n}")
        check_bars(self.threshold, self.hold_ratio, self.max_gap_s)

    def build(self) -> KOfNRule:
        """A rule with these settings and an empty window."""
        return KOfNRule(self)


class KOfNRule:
    """`KOfN` at work on one series of scores."""

    def __init__(self, settings: KOfN) -> None:
        self.settings = settings
        self._window = SampleWindow(settings.n, settings.max_gap_s)
        self._active = False

    @property
    def threshold(self) -> float:
        """The score at or above which a sample speaks for raising, 0..1."""
        return self.settings.threshold

    def step(self, at: datetime, score: float) -> Decision:
        """The decision after one more sample.

        Raises ValueError where the score is not within 0..1.
        """
        s = self.settings
        self._window.add(at, score)
        bar = s.threshold * s.hold_ratio if self._active else s.threshold
        scores = self._window.scores
        hits = sum(1 for value in scores if value >= bar)
        self._active = hits >= s.k
        return Decision(
            self._active,
            f"{hits} of the last {len(scores)} samples at or above {bar:.2f} "
            f"within {self._window.span_s:.1f} s ({s.k} of {s.n} needed)",
            since=self._window.since,
        )

    def reset(self) -> None:
        """Forget every sample."""
        self._window.clear()
        self._active = False
