"""A running PostgreSQL server, seen from its files: `postmaster.pid`, checked for real.

A pid file alone proves nothing: after a crash it stays, and its number may be another program's.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc/self").exists()


@dataclass(frozen=True, slots=True)
class Running:
    """A server that lives over a folder."""

    pid: int
    port: int  # 0 while it is not known yet
    ready: bool  # takes connections


def read(cluster: Path) -> Running | None:
    """The server that runs over this folder; None where none does, whatever a file says."""
    try:
        lines = (cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        pid = int(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    if not is_server_over(pid, cluster):
        return None
    port = int(lines[3]) if len(lines) > 3 and lines[3].isdigit() else 0
    return Running(pid, port, len(lines) > 7 and lines[7].strip() == "ready")


def lives(pid: int) -> bool:
    """Whether a process of this number lives (one that ended and was not reaped does not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    if PROC:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False
        return stat.rpartition(")")[2].split()[0] not in ("Z", "X")
    return True


def is_server_over(pid: int, cluster: Path) -> bool:
    """Whether this process is a PostgreSQL server and has this folder as its data directory."""
    if pid <= 1 or not lives(pid):
        return False
    if PROC:
        try:
            program = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
            return program == "postgres" and Path(f"/proc/{pid}/cwd").samefile(cluster)
        except OSError:
            return False  # not ours to look at, so not ours
    answer = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "postgres" in answer.stdout and str(cluster) in answer.stdout


def clear_stale_pid_file(cluster: Path) -> None:
    """Remove the pid file of a server that is gone.

    PostgreSQL would do so itself, unless the number meanwhile belongs to another program of the
    same account. Its check of the shared memory still keeps two servers from one folder.
    """
    if read(cluster) is None:
        (cluster / "postmaster.pid").unlink(missing_ok=True)
