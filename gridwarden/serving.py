"""Running something until a signal asks it to end."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def log_to_stderr(debug: bool) -> None:
    """Let what hub and agent log go to stderr, with times in UTC."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.INFO,
        format="%(asctime)sZ %(levelname)s %(name)s: %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S",
    )


@contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """An event that Ctrl-C, SIGTERM and SIGHUP set. To be entered in the main thread."""
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, ask) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
