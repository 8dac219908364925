"""Figures that carry the grid events they count: shares with an interval, and latencies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from math import sqrt
from operator import itemgetter

Z_95 = 1.959963984540054  # standard normal quantile of 0.975


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a share lies with the confidence asked for, 0..1."""

    low: float
    high: float


def wilson(successes: int, trials: int, z: float = Z_95) -> Interval:
    """The Wilson score interval of a share; (0, 1) for no trials.

    Wilson, J. Am. Stat. Assoc. 22 (1927) 209-212. Raises ValueError unless
    0 <= successes <= trials.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials is not a share")
    if trials == 0:
        return Interval(0.0, 1.0)
    p = successes / trials
    scale = 1.0 + z * z / trials
    centre = (p + z * z / (2 * trials)) / scale
    half = z / scale * sqrt(p * (1 - p) / trials + z * z / (4 * trials * trials))
    # at the ends the bound is exact, and rounding may not push it past the share itself
    return Interval(
        0.0 if successes == 0 else max(0.0, centre - half),
        1.0 if successes == trials else min(1.0, centre + half),
    )


# How one case counts: so many times among (the upper half) and so many of them counted (the lower).
AMONG = 1 << 16
COUNTED = AMONG | 1
LEFT_OUT = -1
NOT_MEANT = 0


def times(counted: int, among: int) -> int:
    """How a case counts that is listed several times, once for each dispatch for instance."""
    return among * AMONG | counted


@dataclass(frozen=True, slots=True)
class Figure:
    """A share: the events counted, among which, and which were left out (hung, exempt).

    An event that counts several times, as with two dispatches, is listed several times.
    """

    counted: tuple[str, ...]
    among: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    @property
    def value(self) -> float | None:
        """The share, 0..1; None where there is nothing to count among."""
        return len(self.counted) / len(self.among) if self.among else None

    @property
    def interval(self) -> Interval:
        """Its 95 % Wilson interval."""
        return wilson(len(self.counted), len(self.among))

    @property
    def percent(self) -> str:
        """The share as it is published: "93.72 %", halves rounded up, "-" for none."""
        if not self.among:
            return "-"
        share = Decimal(100 * len(self.counted)) / len(self.among)
        return f"{share.quantize(Decimal('0.01'), ROUND_HALF_UP)} %"


@dataclass(frozen=True, slots=True)
class Latency:
    """How long something took in each case, shortest first: (event number, time)."""

    samples: tuple[tuple[str, timedelta], ...]

    @classmethod
    def of(cls, samples: Sequence[tuple[str, timedelta]]) -> Latency:
        """The latency of samples in any order."""
        by_number = sorted(samples, key=itemgetter(0))
        return cls(tuple(sorted(by_number, key=itemgetter(1))))

    def quantile(self, q: float) -> timedelta | None:
        """Interpolated linearly, as PostgreSQL's percentile_cont; None for no samples."""
        if not self.samples:
            return None
        place = q * (len(self.samples) - 1)
        below = int(place)
        low = self.samples[below][1]
        high = self.samples[min(below + 1, len(self.samples) - 1)][1]
        return low + (high - low) * (place - below)

    @property
    def p50(self) -> timedelta | None:
        """Half of the cases took no longer."""
        return self.quantile(0.5)

    @property
    def p90(self) -> timedelta | None:
        """Nine in ten took no longer."""
        return self.quantile(0.9)
