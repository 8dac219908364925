"""Running something until a signal asks it to end."""

from __future__ import annotations

import gc
import logging
import signal
import sys
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


def tune_interpreter() -> None:
    """Set CPython's collector and threads for a process that takes messages by the thousand.

    A batch in hand is up to some 100,000 objects, none of them in a cycle: by the usual threshold
    of 700 the collector walks all that lives over and over. And a thread that the database has
    answered waits for a whole switch interval while another one decodes.
    """
    gc.collect()
    gc.freeze()  # what the modules hold is never looked at again
    gc.set_threshold(100_000, 20, 50)
    sys.setswitchinterval(0.0005)


def end_on_signal() -> None:
    """Have SIGTERM and SIGHUP end the program as Ctrl-C does: what it started is ended with it.

    For a program that works in its main thread and asks no event whether to stop.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


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
