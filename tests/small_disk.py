"""A small disk that is really full when it is full."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class SmallDisk:
    """A mounted disk, and somebody else's file that fills it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._other = path / "somebody-elses"

    def fill(self) -> None:
        """Take all that is free."""
        free = os.statvfs(self.path)
        with self._other.open("ab") as file:
            size = self._other.stat().st_size
            os.posix_fallocate(file.fileno(), size, free.f_bavail * free.f_frsize)

    def free(self) -> None:
        """Give it back."""
        self._other.unlink()


@contextmanager
def mounted(folder: Path, megabytes: int = 24) -> Iterator[SmallDisk]:
    """A disk of that size in `folder`; skips the test where none can be mounted."""
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder.mkdir()
    command = [mount, "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    made = subprocess.run(command, capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"no small disk can be mounted here: {made.stderr.decode().strip()}")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
