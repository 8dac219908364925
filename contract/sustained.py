"""The confirmation rule of slow signals: a score that stays up for a time.

A sensor tells every minute or every hour, so counting samples says little; time does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contract.rules import Decision, check_bars, check_score


@dataclass(frozen=True, slots=True)
class Sustained:
    """Settings of the sustained rule.

    Raise once every sample of the last `duration_s` was at or above `threshold` (0 s: at the
    first); hold while samples stay at or above `threshold * hold_ratio`. Samples further apart than
    `max_gap_s` do not belong together: the time begins anew.
    """

    duration_s: float = 0.0  # s
    threshold: float = 0.5  # 0..1
    hold_ratio: float = 0.8  # 0..1
    max_gap_s: float = 7200.0  # s

    def __post_init__(self) -> None:
        if not self.duration_s >= 0.0:
            raise ValueError(f"duration_s must not be below 0 s, got {self.duration_s:g}")
        check_bars(self.threshold, self.hold_ratio, self.max_gap_s)

    def build(self) -> SustainedRule:
        """A rule with these settings that has seen nothing."""
        return SustainedRule(self)


class SustainedRule:
    """`Sustained` at work on one series of scores."""

    def __init__(self, settings: Sustained) -> None:
        self.settings = settings
        self._since: datetime | None = None  # first sample of the unbroken run above the bar
        self._last_at: datetime | None = None
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
        s = self.settings
        if self._last_at is not None and not (
            0.0 <= (at - self._last_at).total_seconds() <= s.max_gap_s
        ):
            self.reset()
        self._last_at = at
        bar = s.threshold * s.hold_ratio if self._active else s.threshold
        if score < bar:
            self._since, self._active = None, False
            return Decision(False, f"{score:.2f} is below {bar:.2f}")
        self._since = self._since or at
        held_s = (at - self._since).total_seconds()
        self._active = self._active or held_s >= s.duration_s
        return Decision(
            self._active,
            f"{score:.2f}, at or above {bar:.2f} for {held_s:.0f} s ({s.duration_s:.0f} s needed)",
            since=self._since,
        )

    def reset(self) -> None:
        """Forget every sample."""
        self._since = self._last_at = None
        self._active = False
