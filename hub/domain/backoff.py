"""How long to wait before something is tried again."""

from __future__ import annotations

from collections.abc import Callable


def wait_s(failures: int, first_s: float, longest_s: float, random: Callable[[], float]) -> float:
    """Seconds until the next attempt: doubles with each failure, then spread by a fifth.

    failures: in a row, 1 or more. random: 0..1; without it all who wait for one receiver would
    come back to it in one moment.
    """
    # 2**60 seconds are longer than anything: no overflow after a year of failures
    wait = min(longest_s, first_s * 2.0 ** min(failures - 1, 60))
    return wait * (0.8 + 0.4 * random())
