"""The middle of many numbers, at a tenth to a half of what NumPy takes for a small plane."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.kit.types import Plane


def median(values: Plane) -> float:
    """As `numpy.median` of all of them, none of which is NaN; raises ValueError for none at all."""
    flat = values.ravel()
    middle = flat.size // 2
    parted = np.partition(flat, middle)
    upper = parted[middle]
    if flat.size % 2:
        return float(upper)
    return float((parted[:middle].max() + upper) / 2)


def percentile(values: Plane, share: float) -> float:
    """As `numpy.percentile` of all of them, by the same arithmetic; share: 0..100.

    None of them is NaN; raises ValueError for none at all.
    """
    flat = values.ravel()
    at = np.float32(flat.size - 1) * (np.float32(share) / np.float32(100.0))
    below = int(at)
    above = min(below + 1, flat.size - 1)
    parted = np.partition(flat, (below, above))
    low, high, way = parted[below], parted[above], np.float32(at - below)
    step = high - low
    return float(low + step * way if way < 0.5 else high - step * (np.float32(1.0) - way))


def percentile_of_whole(values: NDArray[np.integer], share: float) -> float:
    """As `numpy.percentile` of whole numbers from 0 to some thousands, by counting them.

    share: 0..100. Raises ValueError for a negative one, and for none at all.
    """
    flat = values.ravel()
    if not flat.size:
        raise ValueError("none of no values can be the middle one: give some")
    at = (flat.size - 1) * share / 100.0
    below = int(at)
    up_to = np.cumsum(np.bincount(flat))
    low, high = np.searchsorted(up_to, (below, min(below + 1, flat.size - 1)), side="right")
    return float(low + (high - low) * (at - below))
