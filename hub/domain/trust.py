"""Trust that a stream earns for one class: from what people said of its detections.

A verdict counts as good where the thing was real, benign or not; as bad where it was a false alarm
or another kind. Trust is the Wilson lower bound of the good share, so a few lucky verdicts earn
nothing. It is lost the way it is earned.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

Z = 1.96  # of a 95 % interval, two-sided


@dataclass(frozen=True, slots=True)
class Judged:
    """What one verdict says of a detection of a stream and class."""

    at: datetime
    good: bool
    score: float  # peak of the detection, 0..1


@dataclass(frozen=True, slots=True)
class TrustRule:
    """What has to be met. `least` verdicts at least; the last `window` count."""

    target: float  # 0..1, of the lower bound
    least: int
    window: int


@dataclass(frozen=True, slots=True)
class Trust:
    """How far a stream is trusted for a class."""

    verdicts: int  # that count
    good: int
    bound: float  # Wilson lower bound of good / verdicts, 0..1; 0.0 without verdicts
    earned: bool
    since: datetime | None  # of the verdict that earned or lost it; None: never earned

    @property
    def precision(self) -> float | None:
        """Share of good verdicts, None without any."""
        return self.good / self.verdicts if self.verdicts else None


def wilson_lower(good: int, n: int, z: float = Z) -> float:
    """Lower end of the Wilson score interval of a share, 0..1; 0.0 where n is 0.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, 1927.
    """
    if n == 0:
        return 0.0
    p = good / n
    middle = p + z * z / (2 * n)
    spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, (middle - spread) / (1 + z * z / n))


def trust_of(verdicts: Sequence[Judged], rule: TrustRule) -> Trust:
    """Trust after these verdicts, oldest first. `since` is exact as far back as they reach."""
    earned, since = False, None
    n = good = 0
    bound = 0.0
    for i, v in enumerate(verdicts):
        n, good = n + 1, good + v.good
        if n > rule.window:
            n, good = n - 1, good - verdicts[i - rule.window].good
        bound = wilson_lower(good, n)
        now = n >= rule.least and bound >= rule.target
        if now != earned:
            earned, since = now, v.at
    return Trust(n, good, bound, earned, since)


def calibrated(score: float, verdicts: Sequence[Judged], least: int) -> float:
    """The probability that a detection with this peak score is real, from what was judged.

    Isotonic regression (pool adjacent violators) of good over score; below the lowest score that
    was judged the lowest share, above the highest one the highest. With fewer than `least`
    verdicts the score stands as the detector states it.
    """
    if len(verdicts) < least:
        return score
    ordered = sorted(verdicts, key=lambda v: v.score)
    pools: list[tuple[float, float, int]] = []  # lowest score, share, n: shares ascend
    for v in ordered:
        low, share, n = v.score, float(v.good), 1
        while pools and (pools[-1][1] >= share or pools[-1][0] == low):
            before_low, before, m = pools.pop()
            low, share, n = before_low, (before * m + share * n) / (m + n), m + n
        pools.append((low, share, n))
    return pools[max(0, bisect_right([p[0] for p in pools], score) - 1)][1]
