"""Assessments being computed: one at a time, remembered, with how far they have come.

A month of a large district takes seconds, a year minutes: nobody's request waits for that, and what
was computed is there for the drill-down that follows.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError
from dataclasses import dataclass, field

from hub.api.deps import reading
from hub.services.assess_period import Assessment, Question, assess_period
from hub.services.context import Hub

REMEMBERED = 6  # answers; a month of 280,000 cases holds some 60 MiB
WAITING = 20  # questions at most that are under way or in line


class BusyError(Exception):
    """Too many questions are in line."""


@dataclass(slots=True)
class Progress:
    """An assessment on its way. read: cases so far."""

    question: Question
    read: int = 0
    future: Future[Assessment] = field(default_factory=Future)


class Assessing:
    """Answers questions of one hub, each computed once. Thread-safe."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Progress] = OrderedDict()
        self._closed = False
        self._worker = ThreadPoolExecutor(1, "assessing")

    def ask(self, question: Question, wait_s: float) -> Assessment | Progress:
        """The answer, or where it stands after `wait_s`.

        Raises BusyError, and what the computation raised: then it is tried again when asked again.
        """
        key = repr(question)
        with self._lock:
            progress = self._known.get(key)
            if progress is None:
                self._make_room()
                progress = self._known[key] = Progress(question)
                progress.future = self._worker.submit(self._compute, progress)
            self._known.move_to_end(key)
        try:
            return progress.future.result(wait_s)
        except TimeoutError:
            if progress.future.done():
                raise
            return progress
        except BaseException:
            with self._lock:
                if self._known.get(key) is progress:
                    del self._known[key]
            raise

    def close(self) -> None:
        """Begin nothing any more, and break off what is under way."""
        self._closed = True
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _make_room(self) -> None:
        """Forget what was asked for longest ago; what is under way is kept."""
        done = [key for key, p in self._known.items() if p.future.done()]
        if len(self._known) - len(done) >= WAITING:
            raise BusyError
        for key in done[: max(0, len(done) - REMEMBERED + 1)]:
            del self._known[key]

    def _compute(self, progress: Progress) -> Assessment:
        def told(n: int) -> None:
            if self._closed:
                raise RuntimeError("the hub is being stopped")
            progress.read = n

        with reading(self._hub) as conn:
            return assess_period(conn, self._hub, progress.question, told)
