"""The demo's data folder: marked as ours, of one layout, used by one demo at a time.

gridwarden.json   the marker: layout version
lock              held while a demo runs; names its process
database/         the embedded PostgreSQL (its files may lie outside: see postgres_home)
hub/  edge/       evidence; the agent's spool
run/              settings written at every start, ports, process numbers
log/              what the parts say
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gridwarden.database import EmbeddedDatabase
from gridwarden.errors import DataFolderError
from gridwarden.postmaster import lives

LAYOUT = 1
MARKER = "gridwarden.json"
LEFTOVER_S = 8.0  # how long parts of a killed demo may take to end


@dataclass(frozen=True, slots=True)
class DataFolder:
    """A data folder that this process holds. Closing it lets the next demo in."""

    path: Path
    _lock: IO[str]

    @property
    def database(self) -> Path:
        """The embedded database's folder."""
        return self.path / "database"

    @property
    def broker(self) -> Path:
        """The embedded broker's folder."""
        return self.path / "broker"

    @property
    def hub(self) -> Path:
        """The hub's evidence."""
        return self.path / "hub"

    @property
    def edge(self) -> Path:
        """The agent's spool and status."""
        return self.path / "edge"

    @property
    def run(self) -> Path:
        """Settings written at every start."""
        return self.path / "run"

    @property
    def log(self) -> Path:
        """What hub and agent say."""
        return self.path / "log"

    def close(self) -> None:
        """Let go of the folder."""
        self._lock.close()

    def remember_processes(self, pids: dict[str, int]) -> None:
        """Note who runs, so that a later run can wait for what a kill left behind."""
        draft = self.run / "processes.draft"
        draft.write_text(json.dumps(pids), encoding="utf-8")
        draft.replace(self.run / "processes.json")

    def await_leftovers(self) -> None:
        """Wait until parts of a killed demo have ended, then end them. Not the database."""
        try:
            noted: dict[str, int] = json.loads((self.run / "processes.json").read_text("utf-8"))
        except (OSError, ValueError):
            return
        deadline = time.monotonic() + LEFTOVER_S
        for pid in noted.values():
            while _mentions(pid, str(self.path)):
                if time.monotonic() > deadline:
                    with contextlib.suppress(ProcessLookupError):  # it ended by itself just now
                        os.kill(pid, signal.SIGKILL)
                time.sleep(0.05)

    def remembered_ports(self) -> dict[str, int]:
        """The ports of the last run by part."""
        try:
            return dict(json.loads((self.run / "ports.json").read_text("utf-8")))
        except (OSError, ValueError):
            return {}

    def remember_ports(self, ports: dict[str, int]) -> None:
        """Note the ports: a web browser's tab finds the console again."""
        (self.run / "ports.json").write_text(json.dumps(ports), encoding="utf-8")


def open_folder(path: Path, *, fresh: bool) -> DataFolder:
    """The data folder, held: made when missing, emptied when `fresh`.

    Raises DataFolderError, having changed nothing, where the folder is not ours, of another
    layout, or in use.
    """
    path = path.resolve()
    _check_marker(path)
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o755)
        (path / MARKER).touch()
        lock = (path / "lock").open("a+", encoding="utf-8")
    except OSError as e:
        raise DataFolderError(
            f"data folder {path} cannot be used ({e.strerror}): choose another with --data"
        ) from e
    try:
        _take(lock, path)
        if fresh:
            _empty(path)
        else:
            _check_layout(path)
        return _laid_out(path, lock)
    except BaseException:
        lock.close()
        raise


def _laid_out(path: Path, lock: IO[str]) -> DataFolder:
    marker = path / MARKER
    if not marker.read_text(encoding="utf-8"):
        marker.write_text(json.dumps({"layout": LAYOUT}), encoding="utf-8")
    folder = DataFolder(path, lock)
    for part in (folder.database, folder.broker, folder.hub, folder.edge, folder.run, folder.log):
        part.mkdir(exist_ok=True)
    folder.run.chmod(0o700)  # the hub's settings name the database's password
    return folder


def _check_marker(path: Path) -> None:
    """Refuse a folder that is somebody else's: nothing of it is touched, `--fresh` or not."""
    if not path.exists():
        return
    if not path.is_dir():
        raise DataFolderError(f"{path} is not a folder: choose another with --data")
    if any(path.iterdir()) and not (path / MARKER).is_file():
        raise DataFolderError(
            f"{path} holds other things (no {MARKER} in it): choose an empty folder with --data"
        )


def _check_layout(path: Path) -> None:
    text = (path / MARKER).read_text(encoding="utf-8")
    if not text:
        return  # just made
    try:
        layout = json.loads(text)["layout"]
    except (ValueError, KeyError, TypeError):
        layout = "unreadable"
    if layout != LAYOUT:
        raise DataFolderError(
            f"data folder {path} has layout {layout}, this Gridwarden reads {LAYOUT}: use the "
            "Gridwarden that wrote it, another folder with --data, or begin anew with --fresh"
        )


def _take(lock: IO[str], path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        raise DataFolderError(
            f"data folder {path} is in use by a running demo (process {holder}): stop it, or "
            "choose another folder with --data"
        ) from None
    lock.seek(0)
    lock.truncate()
    lock.write(f"{os.getpid()}\n")
    lock.flush()


def _empty(path: Path) -> None:
    """Delete what a demo left, its database wherever it lies, but not the held lock."""
    EmbeddedDatabase(path / "database").remove()
    for entry in path.iterdir():
        if entry.name not in ("lock", MARKER):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
    (path / MARKER).write_text("", encoding="utf-8")


def _mentions(pid: int, word: str) -> bool:
    """Whether this process lives and was started with `word` in its command line."""
    if not lives(pid):
        return False
    proc = Path(f"/proc/{pid}/cmdline")
    try:
        command = proc.read_bytes().decode("utf-8", "replace") if proc.exists() else ""
    except OSError:
        return False
    if not command:
        asked = ["ps", "-o", "command=", "-p", str(pid)]
        command = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    return word in command
