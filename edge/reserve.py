"""Room on the disk that is kept back, so that losses can be written down when it is full."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)

RETRY_S = 10.0  # between two attempts to get the room back
SPARE = 2  # the disk must have so many times the reserve before it is taken back


class Reserve:
    """A file of a fixed size with nothing in it. Not thread-safe."""

    def __init__(self, path: Path, size: int, steady_s: Callable[[], float]) -> None:
        """size: bytes; 0 for none. steady_s: a clock that nobody sets."""
        self._path = path
        self.size = size
        self._steady_s = steady_s
        self._tried_s = steady_s()
        self.held = self._hold() if size else False

    @property
    def wanted(self) -> bool:
        """Whether it is to be held and is not."""
        return self.size > 0 and not self.held

    def release(self) -> bool:
        """Give the room to the disk; whether there was any."""
        was, self.held = self.held, False
        self._tried_s = self._steady_s()
        self._path.unlink(missing_ok=True)
        return was

    def restore(self) -> bool:
        """Take the room back once the disk has enough; True where it was taken back now."""
        now_s = self._steady_s()
        if self.held or not self.size or now_s - self._tried_s < RETRY_S:
            return False
        self._tried_s = now_s
        try:
            disk = os.statvfs(self._path.parent)
        except OSError:
            return False
        if disk.f_bavail * disk.f_frsize < SPARE * self.size:
            return False
        self.held = self._hold()
        return self.held

    def _hold(self) -> bool:
        try:
            with self._path.open("ab") as file:
                os.posix_fallocate(file.fileno(), 0, self.size)
        except OSError as e:
            log.warning("no room for the reserve %s of %d bytes: %s", self._path, self.size, e)
            self._path.unlink(missing_ok=True)
            return False
        return True
