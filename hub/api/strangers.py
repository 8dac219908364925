"""How often one stranger may ask: a count for each address within an hour, of this process."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from datetime import datetime, timedelta

WINDOW = timedelta(hours=1)
MOST_ADDRESSES = 20_000  # remembered; who was seen longest ago is forgotten


class Strangers:
    """Counts what was let through. Thread-safe, and of bounded size whatever is asked."""

    def __init__(self, per_hour: int) -> None:
        self._per_hour = per_hour  # 0: any number
        self._seen: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def wait_of(self, address: str, now: datetime) -> timedelta | None:
        """None where it is let through, and counted; else how long it has to wait."""
        if self._per_hour == 0:
            return None
        with self._lock:
            times = self._seen.setdefault(address, deque())
            self._seen.move_to_end(address)
            if len(self._seen) > MOST_ADDRESSES:
                self._seen.popitem(last=False)
            while times and now - times[0] >= WINDOW:
                times.popleft()
            if len(times) >= self._per_hour:
                return WINDOW - (now - times[0])
            times.append(now)
            return None
