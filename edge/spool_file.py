"""The file a spool lives in: opened, tied to this machine, put back when it is damaged or gone.

WAL, synchronous = FULL, one connection under a lock. What a file cannot be mended of is moved
aside, and a new boot begins in a new file.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from contract.taxonomy import Lane
from edge.errors import SpoolError, SpoolFullError
from edge.spool_rows import key

log = logging.getLogger(__name__)

SCHEMA = (Path(__file__).parent / "spool.sql").read_text(encoding="utf-8")
VERSION = 2  # of the schema
PARTS = ("", "-wal", "-shm")  # of a database in WAL mode
MOST_PAGES = 2**30 - 1  # that every version of SQLite allows
CLAIM_STEP = 1_000_000  # bytes
NO_ROOM = 65536  # bytes; a disk with less is full, whatever an error says


class SpoolFile:
    """An open database. Safe to use from several threads."""

    def __init__(
        self,
        folder: Path,
        now: Callable[[], datetime],
        machine: Callable[[Path], str],
        begun: Callable[[], None],
        max_bytes: int | None,
    ) -> None:
        """Open the spool in `folder`, or begin one.

        machine: what tells this machine and folder from a copy of them. begun: called when a new
        boot had to begin while it was open. max_bytes: size the file may grow to; None: what the
        disk has room for. Raises SpoolError where it cannot be opened.
        """
        self.path = folder / "spool.sqlite"
        self.lock = threading.RLock()
        self._now = now
        self._machine = machine
        self._begun = begun
        self._max_bytes = max_bytes
        self._damaged = ""  # how; "" while it is not
        self._db = self._open()

    @property
    def boot(self) -> str:
        """The name of this run of sequence numbers."""
        with self.reading() as db:
            return str(db.execute("SELECT boot FROM identity").fetchone()[0])

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The database, ours alone meanwhile. Its errors become SpoolErrors."""
        with self.lock:
            try:
                yield self._db
            except sqlite3.Error as e:
                if _is_corrupt(e):
                    self._damaged = str(e)
                raise translated(e, self.path) from e

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction: committed and on the disk on leaving, or nothing of it."""
        with self.lock:
            self._mend()
            with self.reading() as db:
                try:
                    db.execute("BEGIN IMMEDIATE")
                    yield db
                    db.execute("COMMIT")
                except BaseException:
                    if db.in_transaction:
                        with suppress(sqlite3.Error):  # the first error says more
                            db.execute("ROLLBACK")
                    raise

    def checkpoint(self) -> None:
        """Move what is committed into the main file, so that the log can be written anew.

        Where the disk has no room even for that, it stays in the log, as safe as before.
        """
        with self.lock, suppress(sqlite3.OperationalError):
            self._db.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()

    def claim(self, size: int) -> None:
        """Make the main file larger by about `size` bytes of free pages, or by what there is."""
        with suppress(SpoolFullError):
            for _ in range(size // CLAIM_STEP):
                if _room(self.path.parent) < 2 * CLAIM_STEP:  # what the log cannot get rid of
                    break
                with self.transaction() as db:
                    db.execute("INSERT INTO claim (filler) VALUES (zeroblob(?))", (CLAIM_STEP,))
                self.checkpoint()
        with self.transaction() as db:
            db.execute("DELETE FROM claim")
        self.checkpoint()

    def freeze(self) -> None:
        """Let the main file grow no further.

        What is committed into the log and needs a larger file could not leave the log on a full
        disk, and then nothing could be written down any more.
        """
        with self.reading() as db:
            (pages,) = db.execute("PRAGMA page_count").fetchone()
            db.execute(f"PRAGMA max_page_count = {pages}")

    def thaw(self) -> None:
        """Let the main file grow again."""
        with self.reading() as db:
            _limit(db, self._max_bytes)

    def close(self) -> None:
        """Close the file; idempotent."""
        with self.lock:
            self._db.close()

    def _mend(self) -> None:
        """See that what is written now will be there after a restart."""
        if self._damaged:
            self._db.close()
            self._begin_anew(f"is corrupt ({self._damaged})")
        elif self._places() != self._at:
            self._write_again()

    def _begin_anew(self, why: str) -> None:
        try:
            self._move_aside(why)
            self._db = self._connect()
        except (sqlite3.Error, OSError) as e:
            raise SpoolError(f"spool {self.path} {why} and cannot be begun anew: {e}") from e
        self._damaged = ""
        self._begun()

    def _write_again(self) -> None:
        """Somebody deleted or replaced the file; all of it is still ours to read: write it again.

        Sequence numbers go on, so that nothing is lost and nothing doubled.
        """
        log.error("spool %s was deleted or replaced: writing it again", self.path)
        folder = self.path.parent
        copy = self.path.with_suffix(".again")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            copy.unlink(missing_ok=True)
            with self.reading() as db:
                db.execute("VACUUM INTO ?", (str(copy),))
            self._tie(copy)
            if self.path.exists():
                self._move_aside("was put in the place of ours")
            self._db.close()
            for part in PARTS[1:]:
                self.path.with_name(self.path.name + part).unlink(missing_ok=True)
            copy.replace(self.path)
            self._db = self._connect()
        except (sqlite3.Error, OSError) as e:
            if self._damaged:
                return self._mend()
            if isinstance(e, SpoolError):
                raise
            raise SpoolError(f"spool {self.path} was deleted and cannot be put back: {e}") from e

    def _tie(self, copy: Path) -> None:
        """Bind a copy to the folder as it is now, and have it on the disk."""
        db = sqlite3.connect(copy, isolation_level=None)
        try:
            db.execute("UPDATE identity SET machine = ?", (self._machine(self.path.parent),))
        finally:
            db.close()
        with copy.open("rb") as file:
            os.fsync(file.fileno())

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError as e:
            if not _is_corrupt(e):
                raise translated(e, self.path) from e
            self._move_aside(f"is corrupt ({e})")
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        machine = self._machine(self.path.parent)
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=5.0)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            # some builds of SQLite write zeros over all that is deleted: twice the writing
            db.execute("PRAGMA secure_delete = OFF")
            _limit(db, self._max_bytes)
            _upgrade(db)
            db.executescript(SCHEMA)
            row = db.execute("SELECT machine FROM identity").fetchone()
        except BaseException:
            db.close()
            raise
        if row is not None and row[0] != machine:
            db.close()
            self._move_aside("was copied here from another machine or folder")
            return self._connect()
        if row is None:
            db.execute(
                "INSERT INTO identity (one, boot, machine) VALUES (1, ?, ?)", (new_boot(), machine)
            )
        db.executemany("INSERT OR IGNORE INTO lane (lane) VALUES (?)", [(x,) for x in Lane])
        self._at = self._places()
        return db

    def _places(self) -> tuple[tuple[int, int] | None, ...]:
        """Which files stand at our names."""
        return tuple(_place(self.path.with_name(self.path.name + part)) for part in PARTS[:2])

    def _move_aside(self, why: str) -> None:
        aside = self.path.with_name(f"spool-{self._now():%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}.old")
        for suffix in PARTS:
            part = self.path.with_name(self.path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        log.error("spool %s %s: moved to %s, a new boot begins", self.path, why, aside.name)


def machine_id(folder: Path) -> str:
    """What tells this machine and folder from a copy of them, over restarts of the machine."""
    parts = [str(folder.stat().st_ino)]  # not the device: its number may change with a restart
    for name in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        path = Path(name)
        if path.is_file():
            parts.append(path.read_text(encoding="ascii", errors="replace").strip())
            break
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def new_boot() -> str:
    """A name no spool had before."""
    return uuid.uuid4().hex[:16]


def translated(e: sqlite3.Error, path: Path) -> SpoolError:
    """What an error of SQLite means to those who use the spool."""
    code = getattr(e, "sqlite_errorcode", 0) & 0xFF
    io = code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
    if code == sqlite3.SQLITE_FULL or (io and _room(path.parent) < NO_ROOM):
        return SpoolFullError(f"no room for spool {path}: free some space on its disk")
    return SpoolError(f"spool {path} failed: {e}")


def _limit(db: sqlite3.Connection, max_bytes: int | None) -> None:
    (page,) = db.execute("PRAGMA page_size").fetchone()
    db.execute(f"PRAGMA max_page_count = {MOST_PAGES if max_bytes is None else max_bytes // page}")


def _upgrade(db: sqlite3.Connection) -> None:
    """Rewrite the file of an earlier version: its records had no worth and no steady time."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    old = db.execute("SELECT 1 FROM pragma_table_info('record') WHERE name = 'lane'").fetchone()
    if version < VERSION and old is not None:
        cases = " ".join(f"WHEN '{lane}' THEN {key(lane, 0)}" for lane in Lane)
        db.executescript(
            "BEGIN; ALTER TABLE record RENAME TO record_1; DROP INDEX lost_record;"
            f"{SCHEMA}"
            f" INSERT INTO record SELECT CASE lane {cases} END + seq, captured_us, 0, size,"
            " is_lost, 0, '', record, payload FROM record_1;"
            f" DROP TABLE record_1; PRAGMA user_version = {VERSION}; COMMIT"
        )
    db.execute(f"PRAGMA user_version = {VERSION}")


def _place(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_corrupt(e: sqlite3.Error) -> bool:
    code = getattr(e, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _room(folder: Path) -> int:
    """Bytes that are free on the disk, as far as that can be told."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return NO_ROOM
    return disk.f_bavail * disk.f_frsize
