"""The spool in SQLite: what is taken, sent, committed and given up, and in which transaction.

The file itself is in `edge/spool_file.py`, the single statements are in `edge/spool_rows.py`, and
`edge/eviction.py` chooses what goes.

Longer than most modules: what its methods share is the transaction each of them is.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from contract.envelope import encode_record
from contract.messages import Lost
from contract.taxonomy import Lane
from edge.errors import SpoolBehindError, SpoolError, SpoolFullError
from edge.eviction import Run, of_least_worth, over_age
from edge.kept_evidence import KeptEvidence, chunks_of
from edge.reserve import Reserve
from edge.spool import Entry, LaneState, Spooled
from edge.spool_file import SpoolFile, machine_id, new_boot
from edge.spool_rows import (
    OVERHEAD,
    SEQS,
    beside,
    count_out,
    declared,
    delete,
    held,
    insert,
    lane_state,
    lower_watermark,
    newest_stored_s,
    raise_watermark,
    renumber,
    span,
)
from edge.worth import ORDER, Rank, no_dearer_than, worth_of

log = logging.getLogger(__name__)

EVICT_TO = 0.9  # of the budget: room for a while, so that Lost records stay few
EVICT_BYTES = 1_000_000  # at least so much goes at a time where the disk is full
STEP = 5000  # records that one transaction deletes, so that nobody waits long for the next
STEPS = 20  # of these at a time where nothing presses


@dataclass(slots=True)
class _Job:
    """Entries of one thread, waiting to be taken with those of others."""

    entries: Sequence[Entry]
    seqs: list[int] | None = None  # None: not yet, or an error
    error: SpoolError | None = None


class SqliteSpool:
    """A spool in a file."""

    def __init__(
        self,
        folder: Path,
        budgets: Mapping[Lane, int],
        now: Callable[[], datetime],
        *,
        ages_s: Mapping[Lane, float] | None = None,
        reserve_bytes: int = 0,
        max_bytes: int | None = None,
        machine: Callable[[Path], str] = machine_id,
        steady_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the spool in `folder`, or begin one; budgets: bytes per lane, ages_s: seconds.

        A corrupt file, or one copied from another machine, is moved aside and a new boot begins.
        reserve_bytes: room on the disk kept back for writing down losses. max_bytes: size the
        file may grow to; None: what the disk has room for. machine: what tells this machine and
        folder from a copy. steady_s: a clock that nobody sets.
        """
        self._budgets = dict(budgets)
        self._ages_s = dict(ages_s or {})
        self._now = now
        self._steady_s = steady_s
        self._queue: deque[_Job] = deque()  # bounded by the threads that append
        self._opened: dict[Lane, int]  # the first number of each lane that was given out since
        self._kept: KeptEvidence
        folder.mkdir(parents=True, exist_ok=True)
        reserve = folder / "spool.reserve"

        def opened() -> SpoolFile:
            return SpoolFile(folder, now, machine, self._take_stock, max_bytes)

        try:
            self._file = opened()
        except SpoolFullError:
            if not reserve.exists():
                raise
            reserve.unlink()
            self._file = opened()
        self.path = self._file.path
        self._take_stock()
        self._reserve = Reserve(reserve, reserve_bytes, steady_s)
        self._full = False  # whether the last append found no room
        if self._reserve.wanted:
            self._file.freeze()

    @property
    def boot(self) -> str:
        """The name of this run of sequence numbers."""
        return self._boot

    @property
    def epoch(self) -> str:
        """The epoch of the hub whose watermarks are held."""
        with self._file.reading() as db:
            return str(db.execute("SELECT epoch FROM identity").fetchone()[0])

    def append(self, entries: Sequence[Entry]) -> list[int]:
        """Take all of them or none; see `Spool`. Threads that wait share one transaction."""
        job = _Job(entries)
        self._queue.append(job)
        with self._file.lock:
            if job.seqs is None and job.error is None:
                self._take_queued()
        if job.error is not None:
            raise job.error
        return job.seqs or []

    def peek(
        self, lane: Lane, after: int, max_records: int, max_bytes: int, last: int | None = None
    ) -> list[Spooled]:
        """The oldest records above `after` (up to `last`); see `Spool`."""
        out: list[Spooled] = []
        total = 0
        with self._file.reading() as db:
            low, high = span(
                lane, max(after, lane_state(db, lane).watermark), SEQS if last is None else last
            )
            rows = db.execute(
                f"SELECT id % {SEQS}, record, captured_us, payload FROM record"
                " WHERE id > ? AND id <= ? ORDER BY id LIMIT ?",
                (low, high, max_records),
            )
            for record in map(Spooled._make, rows):
                total += record.size
                if out and total > max_bytes:
                    break
                out.append(record)
        return out

    def advance(self, lane: Lane, watermark: int) -> None:
        """Delete up to the hub's watermark; see `Spool`."""
        while True:
            with self._file.reading() as db:
                state = lane_state(db, lane)
            if watermark >= state.next_seq:
                raise SpoolBehindError(
                    f"the hub has {lane} {watermark} of boot {self.boot}, the spool gave out only "
                    f"{state.next_seq - 1}: an older copy of {self.path} was put back"
                )
            if watermark <= state.watermark:
                return
            step = min(watermark, state.watermark + STEP)
            with self._file.transaction() as db:
                raise_watermark(db, lane, state.watermark, step)
                if lane is not Lane.EVIDENCE:
                    delete(db, lane, state.watermark, step)
            if lane is Lane.EVIDENCE:
                self._kept.commit(step)

    def begin_epoch(self, epoch: str, watermarks: Mapping[Lane, int]) -> None:
        """Take the watermarks of another hub as they are; see `Spool`."""
        for lane, state in self.state().items():
            if watermarks.get(lane, 0) >= state.next_seq:
                raise SpoolBehindError(f"the hub has more of {lane} than was given out")
        with self._file.transaction() as db:
            db.execute("UPDATE identity SET epoch = ?", (epoch,))
            for lane in Lane:
                self._step_back(db, lane, watermarks.get(lane, 0))
        for lane in Lane:
            self.advance(lane, watermarks.get(lane, 0))

    def declare_lost(self, lane: Lane, first: int, last: int, reason: str) -> None:
        """Give up [first, last]; see `Spool`."""
        with self._file.transaction() as db:
            self._declare_lost(db, lane, first, last, reason)

    def waits(self, digest: str) -> bool:
        """Whether all of that evidence is still to be committed; see `Spool`."""
        with self._file.reading() as db:
            return bool(chunks_of(db, digest, lane_state(db, Lane.EVIDENCE).watermark))

    def repeat(self, digest: str) -> bool:
        """Take evidence again under new numbers; see `Spool`."""
        with self._file.transaction() as db:
            chunks = chunks_of(db, digest)
            insert(db, chunks, self._clock_s())
        return bool(chunks)

    def give_up(self, digest: str, reason: str) -> None:
        """Declare evidence lost; see `Spool`."""
        with self._file.transaction() as db:
            seq = lane_state(db, Lane.EVIDENCE).next_seq
            told = f"evidence {digest}: {reason}"
            self._insert_lost(db, Lane.EVIDENCE, seq, seq, told, evidence=digest)

    def tidy(self, *, connected: bool = True) -> None:
        """Let go of what is over age, and of evidence that has been looked at; see `Spool`."""
        for lane, age_s in self._ages_s.items():
            before_s = self._clock_s() - int(age_s)
            reason = f"older than {age_s / 86400:g} days, the spool's limit for {lane}"
            if before_s > 0:
                self._expire(lane, before_s, reason)
        if connected:
            self._kept.tidy()
        else:
            self._kept.hold()
        with self._file.lock:
            if self._reserve.restore():
                self._file.thaw()
                log.info("there is room on the disk of %s again", self.path)

    def fault(self) -> str:
        """What is wrong with the room it has; see `Spool`."""
        if self._full:
            return f"the disk of {self.path} is full: nothing is taken; free some space"
        if self._reserve.wanted:
            return f"the disk of {self.path} is nearly full: what is worth least goes"
        return ""

    def begin_boot(self) -> None:
        """Begin a new boot with what was taken since opening, renumbered; see `Spool`."""
        boot = new_boot()
        with self._file.transaction() as db:
            db.execute("UPDATE identity SET boot = ?, epoch = ''", (boot,))
            for lane in Lane:
                renumber(db, lane, self._opened[lane])
            self._boot = boot
        self._opened = dict.fromkeys(Lane, 1)
        self._kept.step_back(0)

    def state(self) -> dict[Lane, LaneState]:
        """Where each lane stands."""
        with self._file.reading() as db:
            return {lane: lane_state(db, lane) for lane in Lane}

    def close(self) -> None:
        """Close the file; idempotent."""
        self._file.close()

    def _take_stock(self) -> None:
        """Another file was opened: what is remembered of it."""
        self._boot = self._file.boot
        self._opened = {lane: state.next_seq for lane, state in self.state().items()}
        self._kept = KeptEvidence(self._file, self._steady_s)
        with self._file.reading() as db:
            self._clock_begun_s = newest_stored_s(db) - self._steady_s()

    def _clock_s(self) -> int:
        """Seconds that this spool has been open, over restarts: no clock that is set moves it."""
        return int(self._clock_begun_s + self._steady_s())

    def _take_queued(self) -> None:
        """Take all that waits in one transaction; where that fails, each in its own."""
        jobs: list[_Job] = []
        while self._queue:
            jobs.append(self._queue.popleft())
        try:
            if len(jobs) == 1 or not self._take_together(jobs):
                for job in jobs:
                    self._take_alone(job)
        finally:
            for job in jobs:
                if job.seqs is None and job.error is None:
                    job.error = SpoolError("taken together with records that cannot be stored")

    def _take_together(self, jobs: Sequence[_Job]) -> bool:
        try:
            seqs = iter(self._take([entry for job in jobs for entry in job.entries]))
        except SpoolError:
            return False
        for job in jobs:
            job.seqs = [next(seqs) for _ in job.entries]
        return True

    def _take_alone(self, job: _Job) -> None:
        try:
            job.seqs = self._take(job.entries)
        except SpoolError as e:
            job.error = e

    def _take(self, entries: Sequence[Entry]) -> list[int]:
        # the log may be all that cannot grow; then there is the reserve; then something must go
        for remedy in (self._file.checkpoint, self._use_reserve):
            try:
                return self._store(entries)
            except SpoolFullError:
                self._full = True
                remedy()
        try:
            return self._store(entries)
        except SpoolFullError:
            return self._store(entries, evicting=True)

    def _store(self, entries: Sequence[Entry], *, evicting: bool = False) -> list[int]:
        """One transaction. evicting: give up what is worth no more than these, if that helps."""
        with self._file.transaction() as db:
            if evicting:
                size = sum(len(e.record) + len(e.payload) + OVERHEAD for e in entries)
                ranks = {Rank(e.lane, worth_of(e.lane, e.record).minor) for e in entries}
                wanted = max(EVICT_BYTES, 2 * size)
                self._evict(db, no_dearer_than(ranks), wanted, "the disk is full")
            seqs = insert(db, entries, self._clock_s())
            for lane in {entry.lane for entry in entries}:
                self._keep_budget(db, lane)
        self._full = False
        return seqs

    def _keep_budget(self, db: sqlite3.Connection, lane: Lane) -> None:
        budget = self._budgets[lane]
        excess = lane_state(db, lane).bytes - budget
        if excess > 0:
            wanted = excess + int(budget * (1.0 - EVICT_TO))
            ranks = [rank for rank in ORDER if rank.lane is lane]
            self._evict(db, ranks, wanted, f"the spool's budget of {budget} bytes for {lane}")

    def _use_reserve(self) -> None:
        """Make what losses need to be written down: half of the reserve for the log, half for
        records. It is taken back when the disk has room again.
        """
        released = self._reserve.release()
        self._file.checkpoint()
        with suppress(SpoolFullError):  # the reserve went to somebody else
            if released:
                self._file.claim(self._reserve.size // 2)
            self._kept.drop()
        self._file.freeze()
        self._file.checkpoint()

    def _evict(
        self, db: sqlite3.Connection, ranks: Iterable[Rank], wanted: int, reason: str
    ) -> None:
        """Give up what is worth least until `wanted` bytes are free, if there is so much."""
        freed = 0
        for rank in ranks:
            if freed >= wanted:
                break
            after = lane_state(db, rank.lane).watermark
            for run in of_least_worth(db, rank, after, wanted - freed):
                self._give_up(db, rank.lane, run, reason)
                freed += run.bytes

    def _expire(self, lane: Lane, before_s: int, reason: str) -> None:
        for _ in range(STEPS):
            with self._file.transaction() as db:
                runs = over_age(db, lane, lane_state(db, lane).watermark, before_s, STEP)
                for run in runs:
                    self._give_up(db, lane, run, reason)
            if not runs:
                return

    def _give_up(self, db: sqlite3.Connection, lane: Lane, run: Run, reason: str) -> None:
        delete(db, lane, run.first - 1, run.last)
        count_out(db, lane, run.records, run.bytes)
        self._insert_lost(db, lane, run.first, run.last, reason)

    def _declare_lost(
        self, db: sqlite3.Connection, lane: Lane, first: int, last: int, reason: str
    ) -> None:
        """One Lost record for each part of the range that none stands for yet.

        Lost records within the range stay: what they say must not be forgotten.
        """
        known = declared(db, lane)
        for a, b in beside(first, last, known):
            count, size = held(db, lane, max(a - 1, lane_state(db, lane).watermark), b)
            delete(db, lane, a - 1, b)
            count_out(db, lane, count, size)
            self._insert_lost(db, lane, a, b, reason)

    def _insert_lost(
        self,
        db: sqlite3.Connection,
        lane: Lane,
        first: int,
        last: int,
        reason: str,
        evidence: str | None = None,
    ) -> None:
        record = encode_record(Lost(first=first, last=last, reason=reason, evidence=evidence))
        insert(db, [Entry(lane, record, self._now())], self._clock_s(), is_lost=True)
        db.execute("UPDATE lane SET lost = lost + ? WHERE lane = ?", (last - first + 1, lane))
        log.warning("%s %d to %d are lost: %s", lane, first, last, reason)

    def _step_back(self, db: sqlite3.Connection, lane: Lane, watermark: int) -> None:
        """The hub has less than it had: what lies between is sent again or declared lost.

        Above the old watermark every number is held or declared already.
        """
        old = lane_state(db, lane).watermark
        if watermark >= old:
            return
        here = lower_watermark(db, lane, old, watermark)
        for first, last in beside(watermark + 1, old, here):
            reason = "deleted after an earlier hub had committed it"
            self._declare_lost(db, lane, first, last, reason)
        if lane is Lane.EVIDENCE:
            self._kept.step_back(watermark)
