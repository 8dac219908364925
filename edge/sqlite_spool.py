"""The spool in SQLite: WAL, synchronous = FULL, one writer connection under a lock."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from contract.envelope import encode_record
from contract.messages import Lost
from contract.ranges import SequenceSet
from contract.taxonomy import Lane
from edge.errors import SpoolBehindError, SpoolError, SpoolFullError
from edge.spool import Entry, LaneState, Spooled, missing

log = logging.getLogger(__name__)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
OVERHEAD = 96  # bytes a row costs beside its record and payload: keys, page share, overhead
EVICT_TO = 0.9  # of the budget: room for a while, so that Lost records stay few
RENUMBERED = 1000  # records at a time
SCHEMA = (Path(__file__).parent / "spool.sql").read_text(encoding="utf-8")


class SqliteSpool:
    """A spool in a file."""

    def __init__(
        self,
        folder: Path,
        budgets: Mapping[Lane, int],
        now: Callable[[], datetime],
        max_bytes: int | None = None,
    ) -> None:
        """Open the spool in `folder`, or begin one; budgets: bytes per lane.

        A corrupt file, or one copied from another machine, is moved aside and a new boot begins.
        max_bytes: size the file may grow to; None: what the disk has room for.
        """
        self.path = folder / "spool.sqlite"
        self._budgets = dict(budgets)
        self._now = now
        self._lock = threading.RLock()
        self._max_bytes = max_bytes
        folder.mkdir(parents=True, exist_ok=True)
        self._machine = machine_id(folder)
        self._db = self._open()
        self._boot = self._identity("boot")
        self._opened = {lane: state.next_seq for lane, state in self.state().items()}

    @property
    def boot(self) -> str:
        """The name of this run of sequence numbers."""
        return self._boot

    @property
    def epoch(self) -> str:
        """The epoch of the hub whose watermarks are held."""
        return self._identity("epoch")

    def append(self, entries: Sequence[Entry]) -> list[int]:
        """Take all of them or none; see `Spool`."""
        with self._transaction():
            seqs = [self._insert(entry) for entry in entries]
            for lane in {entry.lane for entry in entries}:
                self._keep_budget(lane)
            return seqs

    def peek(
        self, lane: Lane, after: int, max_records: int, max_bytes: int, last: int | None = None
    ) -> list[Spooled]:
        """The oldest records above `after` (up to `last`); see `Spool`."""
        out: list[Spooled] = []
        total = 0
        with self._reading():
            rows = self._db.execute(
                "SELECT seq, record, captured_us, payload FROM record"
                " WHERE lane = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
                (lane, after, 2**62 if last is None else last, max_records),
            )
            for seq, record, captured_us, payload in rows:
                total += len(record) + len(payload)
                if out and total > max_bytes:
                    break
                out.append(Spooled(seq, record, _time(captured_us), payload))
        return out

    def advance(self, lane: Lane, watermark: int) -> None:
        """Delete up to the hub's watermark; see `Spool`."""
        state = self._lane(lane)
        if watermark >= state.next_seq:
            raise SpoolBehindError(
                f"the hub has {lane} {watermark} of boot {self.boot}, the spool gave out only "
                f"{state.next_seq - 1}: an older copy of {self.path} was put back"
            )
        if watermark <= state.watermark:
            return
        with self._transaction():
            self._delete(lane, 0, watermark)
            self._db.execute("UPDATE lane SET watermark = ? WHERE lane = ?", (watermark, lane))

    def begin_epoch(self, epoch: str, watermarks: Mapping[Lane, int]) -> None:
        """Take the watermarks of another hub as they are; see `Spool`."""
        with self._transaction():
            self._db.execute("UPDATE identity SET epoch = ?", (epoch,))
            for lane, state in self.state().items():
                watermark = watermarks.get(lane, 0)
                if watermark >= state.next_seq:
                    raise SpoolBehindError(f"the hub has more of {lane} than was given out")
                self._delete(lane, 0, watermark)
                self._db.execute("UPDATE lane SET watermark = ? WHERE lane = ?", (watermark, lane))
                self._declare_gaps(lane, watermark, state.next_seq)

    def declare_lost(self, lane: Lane, first: int, last: int, reason: str) -> None:
        """Give up [first, last]; see `Spool`."""
        with self._transaction():
            self._declare_lost(lane, first, last, reason)

    def begin_boot(self) -> None:
        """Begin a new boot with what was taken since opening, renumbered; see `Spool`."""
        boot = _new_boot()
        with self._transaction():
            self._db.execute("UPDATE identity SET boot = ?, epoch = ''", (boot,))
            for lane in Lane:
                self._db.execute(
                    "DELETE FROM record WHERE lane = ? AND (seq < ? OR is_lost = 1)",
                    (lane, self._opened[lane]),
                )
                kept = self._renumber(lane)
                self._db.execute(
                    "UPDATE lane SET next_seq = ? + 1, watermark = 0, waiting = ?, lost = 0,"
                    " bytes = (SELECT coalesce(sum(size), 0) FROM record WHERE lane = ?)"
                    " WHERE lane = ?",
                    (kept, kept, lane, lane),
                )
        self._boot = boot
        self._opened = dict.fromkeys(Lane, 1)

    def state(self) -> dict[Lane, LaneState]:
        """Where each lane stands."""
        return {lane: self._lane(lane) for lane in Lane}

    def close(self) -> None:
        """Close the file; idempotent."""
        with self._lock:
            self._db.close()

    def _lane(self, lane: Lane) -> LaneState:
        with self._reading():
            row = self._db.execute(
                "SELECT next_seq, watermark, waiting, bytes, lost FROM lane WHERE lane = ?", (lane,)
            ).fetchone()
        return LaneState(*row)

    def _identity(self, column: str) -> str:
        with self._reading():
            return str(self._db.execute(f"SELECT {column} FROM identity").fetchone()[0])

    def _insert(self, entry: Entry, is_lost: bool = False) -> int:
        size = len(entry.record) + len(entry.payload) + OVERHEAD
        (seq,) = self._db.execute(
            "UPDATE lane SET next_seq = next_seq + 1, waiting = waiting + 1, bytes = bytes + ?"
            " WHERE lane = ? RETURNING next_seq - 1",
            (size, entry.lane),
        ).fetchone()
        captured_us = (entry.captured_at - EPOCH) // MICROSECOND
        self._db.execute(
            "INSERT INTO record (lane, seq, captured_us, size, is_lost, record, payload)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (entry.lane, seq, captured_us, size, is_lost, entry.record, entry.payload),
        )
        return int(seq)

    def _renumber(self, lane: Lane) -> int:
        """Number the records of a lane from 1 on, in their order; how many there are.

        A number never grows, so the place it moves to is free.
        """
        number = after = 0
        while True:
            rows = self._db.execute(
                "SELECT seq FROM record WHERE lane = ? AND seq > ? ORDER BY seq LIMIT ?",
                (lane, after, RENUMBERED),
            ).fetchall()
            if not rows:
                return number
            moves = []
            for (after,) in rows:
                number += 1
                moves.append((number, lane, after))
            self._db.executemany("UPDATE record SET seq = ? WHERE lane = ? AND seq = ?", moves)

    def _delete(self, lane: Lane, after: int, last: int) -> int:
        count, size = self._db.execute(
            "SELECT count(*), coalesce(sum(size), 0) FROM record"
            " WHERE lane = ? AND seq > ? AND seq <= ?",
            (lane, after, last),
        ).fetchone()
        if count:
            self._db.execute(
                "DELETE FROM record WHERE lane = ? AND seq > ? AND seq <= ?", (lane, after, last)
            )
            self._db.execute(
                "UPDATE lane SET waiting = waiting - ?, bytes = bytes - ? WHERE lane = ?",
                (count, size, lane),
            )
        return int(count)

    def _keep_budget(self, lane: Lane) -> None:
        budget = self._budgets[lane]
        if self._lane(lane).bytes <= budget:
            return
        wanted = int(budget * EVICT_TO)
        while (excess := self._lane(lane).bytes - wanted) > 0:
            run = self._oldest_run(lane, excess)
            if run is None:
                return  # nothing but Lost records, and what they say must stay
            self._declare_lost(lane, *run, f"the spool's budget of {budget} bytes for {lane}")

    def _oldest_run(self, lane: Lane, excess: int) -> tuple[int, int] | None:
        """The oldest consecutive records that free `excess` bytes, or as much of it as they can."""
        first = last = freed = 0
        rows = self._db.execute(
            "SELECT seq, size FROM record WHERE lane = ? AND is_lost = 0 ORDER BY seq", (lane,)
        )
        for seq, size in rows:
            if first and seq != last + 1:
                break
            first = first or seq
            last = seq
            freed += size
            if freed >= excess:
                break
        return (first, last) if first else None

    def _declare_lost(self, lane: Lane, first: int, last: int, reason: str) -> None:
        """One Lost record for each part of the range that none stands for yet.

        Lost records within the range stay: what they say must not be forgotten.
        """
        known = SequenceSet()
        for seq, raw in self._db.execute(
            "SELECT seq, record FROM record INDEXED BY lost_record WHERE lane = ? AND is_lost = 1",
            (lane,),
        ):
            earlier = msgspec.json.decode(raw, type=Lost)
            known.add(earlier.first, earlier.last)
            known.add(seq)
        for a, b in _beside(first, last, known):
            self._delete(lane, a - 1, b)
            self._insert_lost(lane, a, b, reason)

    def _insert_lost(self, lane: Lane, first: int, last: int, reason: str) -> None:
        record = encode_record(Lost(first=first, last=last, reason=reason))
        self._insert(Entry(lane, record, self._now()), is_lost=True)
        self._db.execute("UPDATE lane SET lost = lost + ? WHERE lane = ?", (last - first + 1, lane))
        log.warning("%s %d to %d are lost: %s", lane, first, last, reason)

    def _declare_gaps(self, lane: Lane, watermark: int, next_seq: int) -> None:
        """Declare lost what lies above the watermark and is not held."""
        rows = self._db.execute("SELECT seq FROM record WHERE lane = ? ORDER BY seq", (lane,))
        gaps = list(missing(watermark + 1, next_seq - 1, (seq for (seq,) in rows)))
        for first, last in gaps:
            self._declare_lost(lane, first, last, "deleted after an earlier hub had committed it")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.Error as e:
                raise _translated(e, self.path) from e

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._reading():
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except SpoolError:
            raise
        except sqlite3.DatabaseError as e:
            if isinstance(e, sqlite3.OperationalError) and not _is_corrupt(e):
                raise SpoolError(f"spool {self.path} cannot be opened: {e}") from None
            self._move_aside(f"is corrupt ({e})")
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=5.0)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            if self._max_bytes is not None:
                (page,) = db.execute("PRAGMA page_size").fetchone()
                db.execute(f"PRAGMA max_page_count = {self._max_bytes // page}")
            (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict)
            db.executescript(SCHEMA)
            row = db.execute("SELECT machine FROM identity").fetchone()
        except BaseException:
            db.close()
            raise
        if row is not None and row[0] != self._machine:
            db.close()
            self._move_aside("was copied here from another machine or folder")
            return self._connect()
        self._db = db
        if row is None:
            db.execute(
                "INSERT INTO identity (one, boot, machine) VALUES (1, ?, ?)",
                (_new_boot(), self._machine),
            )
        self._begin_lanes()
        return db

    def _begin_lanes(self) -> None:
        self._db.executemany("INSERT OR IGNORE INTO lane (lane) VALUES (?)", [(x,) for x in Lane])

    def _move_aside(self, why: str) -> None:
        aside = self.path.with_name(f"spool-{self._now():%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}.old")
        for suffix in ("", "-wal", "-shm"):
            part = self.path.with_name(self.path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        log.warning("spool %s %s: moved to %s, a new boot begins", self.path, why, aside.name)


def machine_id(folder: Path) -> str:
    """What tells this machine and folder from a copy of them, over restarts of the machine."""
    parts = [str(folder.stat().st_ino)]  # not the device: its number may change with a restart
    for name in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        path = Path(name)
        if path.is_file():
            parts.append(path.read_text(encoding="ascii", errors="replace").strip())
            break
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _beside(first: int, last: int, known: SequenceSet) -> Iterator[tuple[int, int]]:
    """The closed parts of [first, last] that are not in `known`."""
    for a, b in ((1, known.watermark), *known.ranges):
        if a > last:
            break
        if first < a:
            yield first, a - 1
        first = max(first, b + 1)
    if first <= last:
        yield first, last


def _new_boot() -> str:
    return uuid.uuid4().hex[:16]


def _time(captured_us: int) -> datetime:
    return EPOCH + timedelta(microseconds=captured_us)


def _is_corrupt(e: sqlite3.Error) -> bool:
    return e.sqlite_errorcode in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _translated(e: sqlite3.Error, path: Path) -> SpoolError:
    if getattr(e, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL:
        return SpoolFullError(f"no room for spool {path}: free some space on its disk")
    return SpoolError(f"spool {path} failed: {e}")
