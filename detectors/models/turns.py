"""Whose turn it is to be looked at by a network that is too slow for all cameras.

All cameras together have a budget in milliseconds for each second. Whoever was looked at longest
ago goes first; the rest of the budget is kept for those before one. So each camera that keeps
asking gets its share, however many there are and in whatever order they ask.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

FORGET_S = 2.0  # a camera that has not asked for this long waits no more
FIRST_GUESS_MS = 50.0  # of a look, until one was measured


class Turns:
    """Hands out looks. Safe from any thread."""

    def __init__(self, budget_ms: float, clock: Callable[[], float] = time.monotonic) -> None:
        """budget_ms: milliseconds for each second, of all cameras together. clock: seconds."""
        self.budget_ms = budget_ms
        self._clock = clock
        self._lock = threading.Lock()
        self._left_ms = budget_ms  # at most one second's worth; below 0 after a long look
        self._at = clock()
        self._look_ms = FIRST_GUESS_MS
        self._asked: OrderedDict[str, float] = OrderedDict()  # when; looked at longest ago first

    def may_look(self, camera: str) -> bool:
        """Whether this camera's picture may be looked at now. Says so before `spent`."""
        with self._lock:
            now = self._clock()
            gained = max(0.0, now - self._at) * self.budget_ms
            self._left_ms = min(self.budget_ms, self._left_ms + gained)
            self._at = now
            if camera not in self._asked:
                self._asked[camera] = now
                self._asked.move_to_end(camera, last=False)  # never looked at: goes first
            self._asked[camera] = now
            if not self._has_turn(camera, now):
                return False
            self._left_ms -= self._look_ms
            self._asked.move_to_end(camera)
            return True

    def spent(self, ms: float) -> None:
        """What a look took."""
        with self._lock:
            self._left_ms += self._look_ms - ms
            self._look_ms += 0.1 * (ms - self._look_ms)

    def _has_turn(self, camera: str, now: float) -> bool:
        left = self._left_ms
        for waiting, at in list(self._asked.items()):
            if left <= 0.0:
                return False
            if waiting == camera:
                return True
            if now - at > FORGET_S:
                del self._asked[waiting]
            else:
                left -= self._look_ms
        return False
