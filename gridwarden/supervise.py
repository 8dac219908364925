"""Keeps parts running: one that ends is started again, at once, then with growing pauses.

Everything happens in the caller's thread, which must live as long as the parts: on Linux they
are tethered to the thread that started them.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contract.errors import GridwardenError
from gridwarden import child
from gridwarden.errors import StartError
from gridwarden.parts import Part

READY_S = 60.0
SETTLED_S = 10.0  # who lived that long is started again at once
PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
TRIM_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class PartState:
    """How one part fares."""

    name: str
    up: bool
    pid: int | None
    restarts: int


@dataclass(slots=True)
class _Tended:
    part: Part
    started_at: float = 0.0  # on the supervisor's clock
    due_at: float | None = None  # when to try again; None: it runs
    early_deaths: int = 0  # in a row
    restarts: int = 0


class Supervisor:
    """Starts parts in order, tends them, stops them in the opposite order."""

    def __init__(
        self,
        parts: Sequence[Part],
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """tell: is given one line whenever a part ended, or would not start."""
        self._tended = [_Tended(part) for part in parts]
        self._tell = tell
        self._clock = clock
        self._trim_at = 0.0

    def start(self, stop: threading.Event) -> None:
        """Start every part, each ready before the next; gives up quietly when `stop` is set.

        Raises StartError, with everything stopped again, where one does not come up.
        """
        try:
            for tended in self._tended:
                if stop.is_set():
                    return
                tended.part.start()
                tended.started_at = self._clock()
                self._await_ready(tended, stop)
        except BaseException:
            self.stop()
            raise

    def _await_ready(self, tended: _Tended, stop: threading.Event) -> None:
        part = tended.part
        while not part.is_ready() and not stop.is_set():
            if not part.is_alive():
                raise StartError(f"the {part.name} does not start: it {part.obituary()}")
            if self._clock() - tended.started_at > READY_S:
                raise StartError(
                    f"the {part.name} is not ready after {READY_S:.0f} s: look at {part.log}"
                )
            stop.wait(0.02)

    def tend(self) -> None:
        """Start again what has ended. Call it several times a second."""
        now = self._clock()
        for tended in self._tended:
            if tended.due_at is None and not tended.part.is_alive():
                self._mourn(tended, now)
            if tended.due_at is not None and tended.due_at <= now:
                self._revive(tended, now)
        if now >= self._trim_at:
            self._trim_at = now + TRIM_EVERY_S
            for tended in self._tended:
                child.trim(tended.part.log)

    def _mourn(self, tended: _Tended, now: float) -> None:
        settled = now - tended.started_at >= SETTLED_S
        tended.early_deaths = 0 if settled else tended.early_deaths + 1
        self._postpone(tended, now, tended.part.obituary())

    def _revive(self, tended: _Tended, now: float) -> None:
        try:
            tended.part.start()
        except GridwardenError as e:
            tended.early_deaths += 1
            self._postpone(tended, now, f"does not start: {e}")
        else:
            tended.due_at, tended.started_at = None, self._clock()
            tended.restarts += 1

    def _postpone(self, tended: _Tended, now: float, why: str) -> None:
        deaths = tended.early_deaths
        # the first death, and the first soon after a start, are answered at once
        pause = min(PAUSE_S * 2 ** (deaths - 2), LONGEST_PAUSE_S) if deaths > 1 else 0.0
        tended.due_at = now + pause
        then = f"starting it again in {pause:g} s" if pause else "starting it again"
        self._tell(f"the {tended.part.name} {why}; {then}")

    def states(self) -> list[PartState]:
        """How the parts fare, in the order they were given."""
        return [
            PartState(t.part.name, t.due_at is None and t.part.is_alive(), t.part.pid, t.restarts)
            for t in self._tended
        ]

    def stop(self) -> None:
        """End every part, the last started first."""
        with contextlib.ExitStack() as stack:
            for tended in self._tended:
                stack.callback(tended.part.stop)
