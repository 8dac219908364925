"""Starting a program as a part of ours: a group of its own, tethered to us, its words in a log."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from gridwarden import tether

LINE_CHARACTERS = 300  # of a log's line shown to a person
LOG_BYTES = 4 * 1024 * 1024  # then the log is put aside under `.1`


def spawn(
    command: Sequence[str],
    log: Path,
    *,
    account: str = "-",
    stdin: int | IO[bytes] = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """The program, running. Call it from a thread that lives as long as the program should.

    account: who it is to be, as tether.py takes it.
    """
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            [*tether_command(account), *command],
            stdin=stdin,
            stdout=descriptor,
            stderr=descriptor,
            process_group=0,  # a Ctrl-C in our terminal is for us to pass on
        )
    finally:
        os.close(descriptor)


def tether_command(account: str) -> list[str]:
    """What to put before a command, so that it becomes that account and ends when we end."""
    return [sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), account]


def end(child: subprocess.Popen[bytes], patience_s: float) -> None:
    """Ask the program to end, then end it and all of its group."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(patience_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    end_group(child)


def end_group(child: subprocess.Popen[bytes]) -> None:
    """End what an ended program left behind in its group."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # nobody left; or the number went to a stranger's group


def trim(log: Path) -> None:
    """Put a log that has grown long aside; the program writes on at its beginning."""
    try:
        if log.stat().st_size <= LOG_BYTES:
            return
    except FileNotFoundError:
        return
    shutil.copy(log, log.with_suffix(f"{log.suffix}.1"))
    os.truncate(log, 0)


def last_line(log: Path) -> str:
    """What the program said last, for a person to read."""
    try:
        with log.open("rb") as f:
            f.seek(max(0, log.stat().st_size - 8192))
            lines = f.read().decode("utf-8", "replace").split("\n")
    except FileNotFoundError:
        lines = []
    said = [line.strip() for line in lines if line.strip()]
    return said[-1].removeprefix("gridwarden: ")[:LINE_CHARACTERS] if said else "it said nothing"
