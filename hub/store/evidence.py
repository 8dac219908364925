"""Evidence: bytes in a folder by their digest, what is known of them in the database."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

_DIGEST = re.compile(r"[0-9a-f]{64}")


class EvidenceFolder:
    """Pictures and clips under their SHA-256. Thread-safe.

    While chunks arrive a file is called `<digest>.part`; it takes its name only once it is
    complete and its digest is right, so what has its name can be trusted.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, digest: str) -> Path:
        """Where complete evidence lies, whether it is there or not.

        Raises ValueError where `digest` is not 64 hexadecimal digits: nothing else may name a
        file.
        """
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"{digest[:80]!r} is not a SHA-256 digest of 64 hexadecimal digits")
        return self.root / digest[:2] / digest

    def has(self, digest: str) -> bool:
        """Whether it is there, complete and verified."""
        return self.path(digest).is_file()

    def write(self, digest: str, chunks: Iterable[tuple[int, bytes]]) -> None:
        """Put (offset, bytes) in their place, on disk when this returns.

        Writing a chunk again is harmless. What is complete already is left alone.
        """
        path = self.path(digest)
        if path.is_file():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{digest}.part")
        begun = part.exists()
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            for offset, data in chunks:
                _write_at(fd, data, offset)
            os.fsync(fd)
        finally:
            os.close(fd)
        if not begun:
            _sync(path.parent)

    def complete(self, digest: str) -> bool:
        """Whether its bytes have the digest; then it gets its name, otherwise it is removed."""
        path = self.path(digest)
        if path.is_file():
            return True
        part = path.with_name(f"{digest}.part")
        try:
            with part.open("rb") as file:
                right = hashlib.file_digest(file, "sha256").hexdigest() == digest
        except FileNotFoundError:
            return False
        if right:
            part.replace(path)
        else:
            part.unlink()
        _sync(path.parent)
        return right

    def forget(self, digest: str) -> None:
        """Remove what has come of it, unless it is complete."""
        path = self.path(digest)
        path.with_name(f"{digest}.part").unlink(missing_ok=True)

    def remove(self, digest: str) -> None:
        """Take its bytes off the disk, complete or not; harmless where there are none."""
        path = self.path(digest)
        gone = False
        for file in (path, path.with_name(f"{digest}.part")):
            try:
                file.unlink()
                gone = True
            except FileNotFoundError:
                continue
        if gone:
            _sync(path.parent)

    def keep(self, data: bytes) -> str:
        """Store whole evidence and return its digest."""
        digest = hashlib.sha256(data).hexdigest()
        self.write(digest, [(0, data)])
        if not self.complete(digest):
            raise OSError(f"evidence {digest} could not be read back from {self.root}")
        return digest


def _write_at(fd: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
