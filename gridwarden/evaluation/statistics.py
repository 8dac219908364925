"""What a handful of counts can prove: exact bounds, and quantiles with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hub.domain.figures import Interval, wilson

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with its 95 % Wilson interval."""

    count: int
    base: int
    value: float | None  # None: nothing to count among
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in so much time, with the one-sided exact 95 % upper bound."""

    count: int
    hours: float
    per_hour: float | None  # None: no time was watched
    at_most: float | None


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile of measured values; a bound is None where so few values cannot give one."""

    base: int
    value: float | None
    low: float | None
    high: float | None


def share(count: int, base: int) -> Share:
    """`count` of `base`. Raises ValueError unless 0 <= count <= base."""
    interval = wilson(count, base)
    return Share(count, base, count / base if base else None, interval.low, interval.high)


def f1(right: int, wrong: int, missed: int) -> Share:
    """The F1 score, 2 r / (2 r + w + m).

    It grows with the share j = r / (r + w + m) alone, f1 = 2 j / (1 + j), so the Wilson interval
    of j carries over.
    """
    base = right + wrong + missed
    inner = wilson(right, base)
    bounds = Interval(2 * inner.low / (1 + inner.low), 2 * inner.high / (1 + inner.high))
    value = 2 * right / (2 * right + wrong + missed) if base else None
    return Share(right, base, value, bounds.low, bounds.high)


def poisson_upper(count: int) -> float:
    """The greatest mean that still gives `count` or fewer with a probability of 5 %.

    Exact and one-sided (Garwood, Biometrika 28 (1936) 437-442): 0 seen gives 3.00, 1 gives 4.74.
    Raises ValueError where count < 0.
    """
    if count < 0:
        raise ValueError(f"{count} cannot be counted: it is below 0")
    low, high = float(count), 2.0 * count + 16.0
    while high - low > 1e-9 * high:
        middle = (low + high) / 2.0
        if _poisson_below(count, middle) > 1.0 - CONFIDENCE:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def rate(count: int, hours: float) -> Rate:
    """`count` in `hours` of camera time."""
    if hours <= 0.0:
        return Rate(count, 0.0, None, None)
    return Rate(count, hours, count / hours, poisson_upper(count) / hours)


def quantile(values: Sequence[float], q: float) -> Quantile:
    """The q-quantile (interpolated) with its distribution-free 95 % interval.

    The bounds are order statistics (David and Nagaraja, Order Statistics, 7.1); with few values
    one side, or both, has none.
    """
    ordered = sorted(values)
    n = len(ordered)
    if n == 0:
        return Quantile(0, None, None, None)
    place = q * (n - 1)
    below = math.floor(place)
    above = min(below + 1, n - 1)
    value = ordered[below] + (place - below) * (ordered[above] - ordered[below])
    tail = (1.0 - CONFIDENCE) / 2.0
    # cumulative[k]: the chance that k or fewer of the n lie below the true quantile
    cumulative = _binomial(n, q)
    low = next((k for k in range(n, 0, -1) if cumulative[k - 1] <= tail), None)
    high = next((k for k in range(1, n + 1) if 1.0 - cumulative[k - 1] <= tail), None)
    return Quantile(
        n,
        value,
        None if low is None else ordered[low - 1],
        None if high is None else ordered[high - 1],
    )


def _poisson_below(count: int, mean: float) -> float:
    """The chance of `count` or fewer where `mean`, which is above 0, are expected."""
    logs = (k * math.log(mean) - mean - math.lgamma(k + 1) for k in range(count + 1))
    return math.fsum(math.exp(x) for x in logs)


def _binomial(n: int, p: float) -> list[float]:
    total, out = 0.0, []
    for k in range(n + 1):
        choose = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
        total += math.exp(choose + k * math.log(p) + (n - k) * math.log1p(-p))
        out.append(total)
    return out
