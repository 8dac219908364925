"""Timing that can be believed: pairs in turn, medians, and the floor measured in the same run."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """Minimum, median and maximum of several runs."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of these values."""
        return cls(min(values), statistics.median(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:,.3g} ({self.low:,.3g} to {self.high:,.3g})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A measured thing against its floor, run by run in turn."""

    what: str
    floor: str
    unit: str
    ours: Spread
    theirs: Spread
    ratio: Spread  # ours / floor, pair by pair

    def lines(self) -> list[str]:
        """Rows of a Markdown table."""
        return [
            f"| {self.what} | {self.ours} | {self.unit} |",
            f"| {self.floor} | {self.theirs} | {self.unit} |",
            f"| **ratio** | {self.ratio} | |",
        ]


def compare(
    what: str,
    ours: Callable[[], float],
    floor: str,
    theirs: Callable[[], float],
    *,
    unit: str,
    runs: int,
) -> Comparison:
    """Measure `ours` and `theirs` in turn, `runs` times after one warm-up of each."""
    theirs(), ours()
    a: list[float] = []
    b: list[float] = []
    for _ in range(runs):
        b.append(theirs())
        a.append(ours())
    ratios = [x / y for x, y in zip(a, b, strict=True)]
    return Comparison(what, floor, unit, Spread.of(a), Spread.of(b), Spread.of(ratios))


def machine() -> str:
    """One line about where this ran."""
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, "
        f"Python {platform.python_version()}"
    )
