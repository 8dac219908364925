"""Batches of deliveries: as many as there are, up to a number, after a short wait."""

from __future__ import annotations

import queue
import threading
import time

from hub.ingest.mqtt import Delivery

_LOOK_S = 0.2  # how soon a stop is seen


def collect(
    deliveries: queue.Queue[Delivery], limit: int, wait_s: float, stop: threading.Event
) -> list[Delivery]:
    """The next batch in arrival order: up to `limit`, within wait_s of its first message.

    Empty where `stop` is set or nothing comes for a while.
    """
    try:
        batch = [deliveries.get(timeout=_LOOK_S)]
    except queue.Empty:
        return []
    deadline = time.monotonic() + wait_s
    while len(batch) < limit and not stop.is_set():
        try:
            batch.append(deliveries.get(timeout=max(0.0, deadline - time.monotonic())))
        except queue.Empty:
            break
    return batch
