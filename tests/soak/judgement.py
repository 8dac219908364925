"""Whether a series of samples is flat: what it gained over the second half, by linear regression.

The first half is warm-up: allocators, pools of connections and caches fill until they are full. A
gain is judged and not a slope, so that one allowance serves runs of any length: a settled part may
still take that much (a step between two arenas of an allocator, a page cache that fills late),
however long one looks. The bound on the slope is the allowance over the length of the second half;
the longer the run, the slower the leak that it finds.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

FEWEST = 8  # samples in the second half; fewer show nothing


class TooShortError(ValueError):
    """There are too few samples to judge by."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one series did."""

    what: str
    unit: str
    slope: float  # unit an hour, over the second half
    bound: float  # unit an hour
    last: float  # median of the second half

    @property
    def flat(self) -> bool:
        """Whether it grew no faster than it may; what shrinks is flat."""
        return self.slope <= self.bound

    def __str__(self) -> str:
        found = "flat " if self.flat else "GROWS"
        return (
            f"{found}  {self.what:<24} {self.last:8.1f} {self.unit:<5} "
            f"{self.slope:+8.1f} an hour (bound {self.bound:.1f})"
        )


def judge(
    what: str, unit: str, allowance: float, at_s: Sequence[float], values: Sequence[float]
) -> Verdict:
    """The verdict on values taken at these seconds of one clock.

    allowance: what it may gain over the second half, in its unit. Raises TooShortError.
    """
    middle = (at_s[0] + at_s[-1]) / 2 if at_s else 0.0
    second = [(t / 3600, v) for t, v in zip(at_s, values, strict=True) if t >= middle]
    if len(second) < FEWEST:
        raise TooShortError(
            f"{len(second)} samples in the second half show nothing ({FEWEST} are needed): "
            "let it run longer, or sample more often"
        )
    hours, seen = [t for t, _ in second], [v for _, v in second]
    slope = statistics.linear_regression(hours, seen).slope
    return Verdict(what, unit, slope, allowance / (hours[-1] - hours[0]), statistics.median(seen))
