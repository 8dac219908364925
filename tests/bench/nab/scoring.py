"""The scoring that NAB publishes, vectorised: three profiles, probation, sigmoid windows.

Lavin and Ahmad, "Evaluating Real-time Anomaly Detection Algorithms" (arXiv:1510.03336), in the
form of the benchmark's version 1.1:

- the first 15 % of a series, at most 750 rows, is probation and not scored;
- in a window only the best placed detection counts, weighted by a sigmoid that gives 1 at the
  left edge and nearly 0 at the right; a window without any costs `miss`;
- each detection outside costs up to `false_alarm`, less just after a window;
- a profile's total is shown on a scale on which no detection at all is 0 and a single detection
  at the left edge of every window is 100.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.bench.nab.corpus import Window

PROBATION = 0.15
PROBATION_ROWS = 5000  # of which 15 % at most
NEVER = 1.1  # a threshold above every score


@dataclass(frozen=True, slots=True)
class Profile:
    """What a hit is worth, and what a miss and a false alarm cost."""

    name: str
    hit: float
    miss: float
    false_alarm: float


STANDARD = Profile("standard", 1.0, 1.0, 0.11)
LOW_FP = Profile("reward low FP", 1.0, 1.0, 0.22)
LOW_FN = Profile("reward low FN", 1.0, 2.0, 0.11)
PROFILES = (STANDARD, LOW_FP, LOW_FN)


@dataclass(frozen=True, slots=True)
class Marked:
    """The scored rows of one series: anomaly score, which window (-1: none), worth of a detection.

    worth: 0..1 of a hit inside a window, -1..0 of a false alarm outside.
    """

    scores: NDArray[np.float64]
    window: NDArray[np.int64]
    worth: NDArray[np.float64]
    windows: int  # how many have rows after probation


def mark(scores: NDArray[np.float64], windows: Sequence[Window]) -> Marked:
    """The rows after probation with what a detection at each would be worth."""
    n = len(scores)
    rows = np.arange(n)
    window = np.full(n, -1)
    worth = np.full(n, -1.0)
    for k, (first, last) in enumerate(windows):
        inside = slice(first, last + 1)
        width = last - first + 1
        window[inside] = k
        worth[inside] = _sigmoid(-(last - rows[inside] + 1) / width) / _sigmoid(np.float64(-1.0))
        end = windows[k + 1][0] if k + 1 < len(windows) else n
        past = (rows[last + 1 : end] - last) / max(width - 1, 1)
        worth[last + 1 : end] = np.where(past >= 3.0, -1.0, _sigmoid(past))
    start = probation(n)
    return Marked(
        scores[start:],
        window[start:],
        worth[start:],
        len(set(window[start:].tolist()) - {-1}),
    )


def probation(rows: int) -> int:
    """How many rows at the beginning are not scored."""
    return int(np.ceil(min(np.floor(PROBATION * rows), PROBATION * PROBATION_ROWS)))


def total(series: Sequence[Marked], profile: Profile, threshold: float) -> float:
    """The raw total when every row at or above `threshold` is a detection."""
    score = 0.0
    for marked in series:
        hit = marked.scores >= threshold
        outside = marked.window < 0
        score += profile.false_alarm * float(marked.worth[hit & outside].sum())
        best = np.full(int(marked.window.max(initial=-1)) + 1, -np.inf)
        np.maximum.at(best, marked.window[hit & ~outside], marked.worth[hit & ~outside])
        found = best[np.isfinite(best)]
        score += profile.hit * float(found.sum()) - profile.miss * (marked.windows - len(found))
    return score


def normalised(series: Sequence[Marked], profile: Profile, raw: float) -> float:
    """The total on the published scale: 0 for no detections at all, 100 for perfection."""
    windows = sum(marked.windows for marked in series)
    null = -profile.miss * windows
    return 100.0 * (raw - null) / (profile.hit * windows - null)


def best_threshold(series: Sequence[Marked], profile: Profile) -> tuple[float, float]:
    """(threshold, raw total) of the one threshold for all series that gives the highest total.

    This is what NAB calls optimising: every distinct score is tried. It looks at the labels.
    """
    scores = np.concatenate([m.scores for m in series])
    worth = np.concatenate([m.worth for m in series])
    base = np.cumsum([0] + [len(m.scores) for m in series])
    window = np.full(len(scores), -1)
    known = 0
    for m, start in zip(series, base, strict=False):
        inside = m.window >= 0
        window[start : start + len(m.scores)][inside] = m.window[inside] + known
        known += int(m.window.max(initial=-1)) + 1
    order = np.argsort(-scores, kind="stable")
    gain = np.where(window < 0, worth * profile.false_alarm, 0.0)[order]
    best = np.full(known, -profile.miss)
    for place in np.flatnonzero(window[order] >= 0):
        row = order[place]
        value = profile.hit * worth[row]
        if value > best[window[row]]:
            gain[place] = value - best[window[row]]
            best[window[row]] = value
    null = -profile.miss * sum(m.windows for m in series)
    running = null + np.cumsum(gain)
    last_of_score = np.append(np.diff(scores[order]) != 0, True)
    running[~last_of_score] = -np.inf
    at = int(np.argmax(running)) if len(running) else 0
    if not len(running) or running[at] <= null:
        return NEVER, null
    return float(scores[order][at]), float(running[at])


def _sigmoid(position: NDArray[np.float64] | np.float64) -> NDArray[np.float64] | np.float64:
    return 2.0 / (1.0 + np.exp(5.0 * position)) - 1.0
