"""Messages that arrived and wait for their worker: in order, bounded in number and bytes."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.ingest.mqtt import Delivery

MAX_BYTES = 32 * 1024 * 1024  # that wait; what a read brings beyond is taken and reading stops
MAX_BATCH_BYTES = 2 * 1024 * 1024  # of one batch: about 17,000 packed readings
WORTH_A_BATCH = 16  # messages; below the in-flight window of any broker (mosquitto's default: 20)
QUIET_S = 0.003  # nothing came for this long: the broker waits for acknowledgements
_LOOK_S = 0.2  # how soon a stop is seen


class Inbox:
    """A queue between one reader and one worker. Thread-safe."""

    def __init__(self, most: int) -> None:
        """most: messages that may wait; the reader asks for room before it reads."""
        self._most = most
        self._waiting: deque[Delivery] = deque()
        self._bytes = 0
        self._came = threading.Condition()
        self._went = threading.Condition(self._came)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def fill(self) -> float:
        """How full it is; above 1 what one read brought beyond."""
        return max(len(self._waiting) / self._most, self._bytes / MAX_BYTES)

    def put(self, deliveries: Sequence[Delivery]) -> None:
        """Take these in, in order. Never waits: `wait_for_room` does."""
        size = sum(len(d.payload) for d in deliveries)
        with self._came:
            self._waiting.extend(deliveries)
            self._bytes += size
            self._came.notify()

    def wait_for_room(self, timeout_s: float) -> bool:
        """Whether there is room, waiting up to `timeout_s` for it."""
        if len(self._waiting) < self._most and self._bytes < MAX_BYTES:
            return True
        with self._came:
            return self._went.wait_for(
                lambda: len(self._waiting) < self._most and self._bytes < MAX_BYTES, timeout_s
            )

    def take(self, limit: int, wait_s: float, stop: threading.Event) -> list[Delivery]:
        """The next batch in order: up to `limit` messages and MAX_BATCH_BYTES.

        It is closed `wait_s` after it was begun, or before that once it is worth a transaction
        and nothing more comes: a broker's in-flight window may be smaller than any batch.
        Empty where `stop` is set or nothing comes for a while.
        """
        with self._came:
            if not self._waiting and not self._came.wait_for(lambda: self._waiting, _LOOK_S):
                return []
            deadline = time.monotonic() + wait_s
            while (
                (size := len(self._waiting)) < limit
                and self._bytes < MAX_BATCH_BYTES
                and not stop.is_set()
            ):
                left_s = deadline - time.monotonic()
                if size >= WORTH_A_BATCH:
                    left_s = min(left_s, QUIET_S)
                if left_s <= 0 or not self._came.wait(left_s):
                    break
            batch: list[Delivery] = []
            size = 0
            while self._waiting and len(batch) < limit and size < MAX_BATCH_BYTES:
                batch.append(self._waiting.popleft())
                size += len(batch[-1].payload)
            self._bytes -= size
            self._went.notify()
            return batch
