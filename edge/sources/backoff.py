"""How long to wait before trying again: longer each time, and not all at once."""

from __future__ import annotations

import random


class Backoff:
    """Waits that double from `least_s` to `most_s`, each with up to half of it by chance."""

    def __init__(self, least_s: float, most_s: float, chance: random.Random | None = None) -> None:
        self.least_s = least_s
        self.most_s = max(least_s, most_s)
        self._chance = chance or random.Random()
        self._next_s = least_s

    def next_s(self) -> float:
        """The wait before the next attempt, in seconds."""
        base = self._next_s
        self._next_s = min(self.most_s, base * 2.0)
        return base * (0.5 + 0.5 * self._chance.random())

    def reset(self) -> None:
        """It worked: begin anew."""
        self._next_s = self.least_s
