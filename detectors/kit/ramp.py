"""How a feature counts towards a score."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ramp:
    """0 at `nothing`, 1 at `full`, straight between; `full` may be the lower one."""

    nothing: float
    full: float

    def __call__(self, value: float) -> float:
        """0..1 for a value of the feature."""
        share = (value - self.nothing) / (self.full - self.nothing)
        return min(1.0, max(0.0, share))
