"""How soon each confirmation rule finds a thing, all at one false alarm in 100,000 frames.

Scores are drawn, not recorded: independent, from a beta distribution without the thing (mean 0.3)
and one with it (mean 0.5), as a weak detector gives them. Each rule's bar is the lowest at which
it raises at most once in 100,000 frames without the thing, found with the very rule that is judged;
the ratios of the cumulative sum are learnt from other draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from contract.cusum import Cusum, learn_ratios
from contract.rules import ConfirmationRule, KOfN
from contract.window_sum import WindowSum

START = datetime(2026, 1, 1, tzinfo=UTC)
STEP = timedelta(seconds=0.2)
WITHOUT, WITH_IT = (3.0, 7.0), (5.0, 5.0)  # beta distributions
QUIET = 100_000  # frames in which one false alarm is allowed
WITHIN = 40  # frames in which it must be found


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule did."""

    what: str
    bar: float
    false_alarms: int
    frames: int
    share: float  # found within `WITHIN` frames
    p50: float  # frames until it was found, those not found counted as longer
    p90: float

    def lines(self) -> list[str]:
        """One row of a Markdown table."""
        p90 = f"{self.p90:.0f}" if np.isfinite(self.p90) else f"over {WITHIN}"
        p50 = f"{self.p50:.0f}" if np.isfinite(self.p50) else f"over {WITHIN}"
        return [
            f"| {self.what}, bar {self.bar:.2f}: {self.false_alarms} false alarms in "
            f"{self.frames:,} frames | found {self.share:.0%} within {WITHIN}; p50 {p50}, "
            f"p90 {p90} | frames |"
        ]


def measure(runs: int, quick: bool) -> list[Finding]:
    """Every rule on the same draws."""
    chance = np.random.default_rng(11)
    frames = QUIET if quick else 3 * QUIET
    quiet: list[float] = chance.beta(*WITHOUT, frames).tolist()
    things = chance.beta(*WITH_IT, (100 if quick else 1_000, WITHIN)).tolist()
    ratios = learn_ratios(
        chance.beta(*WITHOUT, 20_000).tolist(), chance.beta(*WITH_IT, 20_000).tolist()
    )
    rules: dict[str, tuple[Callable[[float], ConfirmationRule], float, float]] = {
        "cumulative sum": (lambda bar: Cusum(ratios, bar).build(), 1.0, 20.0),
        "window sum of 8": (lambda bar: WindowSum(8, bar).build(), 1.0, 8.0),
        "5 of 8": (lambda bar: KOfN(5, 8, bar, 1.0).build(), 0.05, 1.0),
        "five in a row": (lambda bar: KOfN(5, 5, bar, 1.0).build(), 0.05, 1.0),
        "one sample": (lambda bar: KOfN(1, 1, bar, 1.0).build(), 0.05, 1.0),
    }
    found = []
    for what, (build, low, high) in rules.items():
        bar = _lowest(build, quiet, frames // QUIET, low, high)
        delays = [_delay(build(bar), scores) for scores in things]
        p50, p90 = np.quantile(delays, (0.5, 0.9), method="higher")
        share = float(np.mean(np.isfinite(delays)))
        alarms = _alarms(build(bar), quiet)
        found.append(Finding(what, bar, alarms, frames, share, float(p50), float(p90)))
    return found


def _lowest(
    build: Callable[[float], ConfirmationRule],
    quiet: list[float],
    allowed: int,
    low: float,
    high: float,
) -> float:
    for _ in range(12):
        middle = (low + high) / 2.0
        if _alarms(build(middle), quiet) > allowed:
            low = middle
        else:
            high = middle
    return high


def _alarms(rule: ConfirmationRule, scores: list[float]) -> int:
    decided = list(_decided(rule, scores))
    return sum(now and not before for before, now in zip([False, *decided], decided, strict=False))


def _delay(rule: ConfirmationRule, scores: list[float]) -> float:
    """Frames until it raised, infinite where it did not."""
    return next((n for n, active in enumerate(_decided(rule, scores), 1) if active), float("inf"))


def _decided(rule: ConfirmationRule, scores: list[float]) -> Iterator[bool]:
    at = START
    for score in scores:
        yield rule.step(at, score).active
        at += STEP
