"""A disk small enough to be filled: a tmpfs in a mount namespace of our own (Linux, as root).

The namespace ends with the last process of the run, so nothing stays mounted, even after kill -9.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

CLONE_NEWNS = 0x00020000  # linux/sched.h
MS_REC, MS_PRIVATE = 0x4000, 0x40000  # linux/mount.h
MNT_DETACH = 2  # sys/mount.h
PIECE = 65536  # bytes
FILLER = "filler"


class SmallDisk:
    """A folder on a disk of its own."""

    def __init__(self, folder: Path, size: int) -> None:
        """Mount it. To be called while there is one thread only; raises OSError where it fails."""
        self.folder = folder
        if sys.platform != "linux":
            raise OSError(errno.ENOSYS, "only Linux has mount namespaces")
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNS) != 0:
            raise _last_error()
        if libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) != 0:
            raise _last_error()
        folder.mkdir(parents=True)
        options = f"size={size},mode=700".encode()
        if libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, options) != 0:
            raise _last_error()

    def close(self) -> None:
        """Take it away with all that is on it; the folder can then be deleted."""
        ctypes.CDLL(None).umount2(os.fsencode(self.folder), MNT_DETACH)

    def fill(self) -> None:
        """Leave no byte free."""
        with (self.folder / FILLER).open("ab", buffering=0) as filler:
            for piece in (PIECE, 1):
                try:
                    while filler.write(bytes(piece)):
                        pass
                except OSError as e:
                    if e.errno != errno.ENOSPC:
                        raise

    def empty(self) -> None:
        """Give the room back."""
        (self.folder / FILLER).unlink(missing_ok=True)


def _last_error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
