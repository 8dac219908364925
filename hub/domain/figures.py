"""Figures that carry the grid events they count: shares with an interval, and latencies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from math import sqrt
from operator import itemgetter
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

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


class Numbers(Sequence[str]):
    """Numbers of events, picked out of many when somebody asks for them; equal to a tuple of them.

    A month's figures name every event hundreds of times, and hardly anybody looks.
    """

    __slots__ = ("_all", "_rows")

    def __init__(self, every: NDArray[Any], rows: NDArray[np.int32]) -> None:
        self._all = every
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self._all[self._rows].tolist())

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Numbers: ...
    def __getitem__(self, place: int | slice) -> str | Numbers:
        if isinstance(place, slice):
            return Numbers(self._all, self._rows[place])
        return str(self._all[self._rows[place]])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Numbers | tuple) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))


@dataclass(frozen=True, slots=True)
class Figure:
    """A share: the events counted, among which, and which were left out (hung, exempt).

    An event that counts several times, as with two dispatches, is listed several times.
    """

    counted: Sequence[str]
    among: Sequence[str]
    left_out: Sequence[str] = ()

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


@dataclass(frozen=True, eq=False)
class Latency:
    """How long something took in each case. us: microseconds, in the order of the numbers."""

    numbers: Sequence[str]
    us: NDArray[np.int64]

    @cached_property
    def samples(self) -> tuple[tuple[str, timedelta], ...]:
        """Number of the event and time, shortest first, then by number."""
        pairs = sorted(zip(self.numbers, self.us.tolist(), strict=True), key=itemgetter(1, 0))
        return tuple((number, timedelta(microseconds=us)) for number, us in pairs)

    @property
    def cases(self) -> int:
        """How many cases there are."""
        return len(self.us)

    def quantile(self, q: float) -> timedelta | None:
        """Interpolated linearly, as PostgreSQL's percentile_cont; None for no cases."""
        if not self.cases:
            return None
        place = q * (self.cases - 1)
        below = int(place)
        low = self._sorted(below)
        high = self._sorted(min(below + 1, self.cases - 1))
        return low + (high - low) * (place - below)

    @property
    def p50(self) -> timedelta | None:
        """Half of the cases took no longer."""
        return self.quantile(0.5)

    @property
    def p90(self) -> timedelta | None:
        """Nine in ten took no longer."""
        return self.quantile(0.9)

    def _sorted(self, place: int) -> timedelta:
        return timedelta(microseconds=int(self._shortest_first[place]))

    @cached_property
    def _shortest_first(self) -> NDArray[np.int64]:
        return np.sort(self.us)
