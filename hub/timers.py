"""What happens by itself as time goes by: one thread, a few jobs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import Connection

from hub.services.climb_ladder import AT_ONCE, climb_ladders
from hub.services.context import Hub
from hub.services.count_cases import FinishedCases
from hub.services.dispatch.dispatch_by_rule import dispatch_by_rule
from hub.services.dispatch.look_again import look_again
from hub.services.end_state import end_states
from hub.services.evidence.erase_evidence import expire_evidence, remove_erased
from hub.services.lapse import lapse_cleared
from hub.services.recompute_deadlines import RulesWatch
from hub.services.seal_history import seal_history
from hub.services.signing_in import forget_old
from hub.services.watch_expiry import ExpiryWatch

EVERY_S = 5.0
_JOBS = (
    lapse_cleared,
    end_states,
    climb_ladders,
    dispatch_by_rule,
    look_again,
    seal_history,
    expire_evidence,
    remove_erased,
    forget_old,
)
MAX_REPEATS = 40  # of one job in one round
JUMP = timedelta(seconds=60)  # more than a clock is corrected by while it is kept right
SETTLES_S = 600.0  # a clock that was set is believed after so long

_log = logging.getLogger(__name__)


def run_timers(
    hub: Hub, stop: threading.Event, *, compare: bool = False, every_s: float = EVERY_S
) -> None:
    """Look after everything that falls due, until `stop` is set.

    A database that is away is waited for; what fell due meanwhile is done then. compare: nothing
    is done while the hub's clock and the database's differ by more than `JUMP`.
    """
    away = False
    jobs = (RulesWatch(), *_JOBS, ExpiryWatch(), FinishedCases())
    clock, comparison = ClockWatch(hub.now), Comparison()
    while not stop.wait(every_s):
        if not clock.is_steady():
            continue
        try:
            if compare and not comparison.agrees(hub):
                continue
            do_each(jobs, hub)
        except psycopg.OperationalError as e:
            if not away:
                _log.warning("timers wait for the database: %s", str(e).strip().split("\n")[0])
            away = True
        else:
            if away:
                _log.info("timers go on: the database is back")
            away = False


def do_each(jobs: Iterable[Callable[[Connection[Any], Hub], object]], hub: Hub) -> None:
    """Do the jobs in order; one that fails keeps no other from what falls due.

    Raises psycopg.OperationalError where the database is away.
    """
    for job in jobs:
        try:
            repeat(job, hub)
        except psycopg.OperationalError:
            raise
        except Exception:  # noqa: BLE001 - logged; tried again in the next round
            _log.exception("the timer %r failed; it is tried again", job)


def repeat(job: Callable[[Connection[Any], Hub], object], hub: Hub) -> None:
    """Do a job in transactions of its own, each bounded, while it finds as much as it may do.

    After an outage there is a lot to make up for; short transactions keep nobody waiting for it.
    """
    for _ in range(MAX_REPEATS):
        with hub.pool.connection(timeout=2.0) as conn:
            done = job(conn, hub)
        if not isinstance(done, int) or done < AT_ONCE:
            return


def _since_boot() -> float:
    """Seconds that go on while the machine sleeps, and that nobody can set."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class ClockWatch:
    """Notices a clock that was set: what it makes due all at once cannot be taken back.

    The timers then wait until it is set back, or has stayed as it is for ten minutes. For one
    thread.
    """

    def __init__(
        self, now: Callable[[], datetime], steady: Callable[[], float] = _since_boot
    ) -> None:
        self._now = now
        self._steady = steady
        self._began = self._reading()
        self._jumped_at: float | None = None  # on the steady clock
        self._off = timedelta(0)  # as it was when it jumped

    def is_steady(self) -> bool:
        """Whether the clock goes on as it did."""
        wall, steady = self._reading()
        off = (wall - self._began[0]) - timedelta(seconds=steady - self._began[1])
        if abs(off) <= JUMP:
            if self._jumped_at is not None:
                _log.info("the clock is back: timers go on")
            self._jumped_at = None
            self._began = wall, steady  # a clock that drifts is no clock that jumps
            return True
        if self._jumped_at is None or abs(off - self._off) > JUMP:
            self._jumped_at, self._off = steady, off
            _log.warning(
                "the clock jumped by %s to %s: timers wait %d min; set it right, or leave it",
                off,
                wall.isoformat(timespec="seconds"),
                SETTLES_S / 60,
            )
            return False
        if steady - self._jumped_at < SETTLES_S:
            return False
        _log.warning("the clock has stayed at %s: timers go on by it", wall.isoformat())
        self._began, self._jumped_at = (wall, steady), None
        return True

    def _reading(self) -> tuple[datetime, float]:
        return self._now(), self._steady()


class Comparison:
    """Notices a hub that was started with a wrong clock: the database's tells another time."""

    def __init__(self) -> None:
        self._told = False

    def agrees(self, hub: Hub) -> bool:
        """Whether both clocks tell the same time; told once while they do not."""
        with hub.pool.connection(timeout=2.0) as conn:
            row = conn.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None
        there = row[0]
        assert isinstance(there, datetime)
        off = hub.now() - there
        agrees = abs(off) <= JUMP
        if not agrees and not self._told:
            _log.warning(
                "this machine's clock and the database's differ by %s: timers wait until they "
                "agree; set the one that is wrong",
                abs(off),
            )
        elif agrees and self._told:
            _log.info("the clocks agree again: timers go on")
        self._told = not agrees
        return agrees
