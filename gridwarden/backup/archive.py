"""The file of a backup: an ordinary tar, whose last member tells what must be in it.

    gridwarden-backup          a word and the version of this layout
    database.dump              pg_dump's custom format
    evidence/ab/abcdef…        pictures and clips by digest, and `.part` of those under way
    authority.p12              the local authority, under a passphrase; where one was given
    contents.json              facts, and length and SHA-256 of every member before it

A file without its last member, or with a member that is not as told, is no backup.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import msgspec

from gridwarden.errors import BackupError

MARK, CONTENTS, DUMP, EVIDENCE, AUTHORITY = (
    "gridwarden-backup",
    "contents.json",
    "database.dump",
    "evidence/",
    "authority.p12",
)
LAYOUT = 1
PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Facts:
    """What a backup says of itself."""

    made_at: str  # ISO 8601, UTC
    gridwarden: str
    schema_version: int
    postgresql: str
    timescaledb: str | None  # its version, where the database has the extension
    with_evidence: bool


@dataclass(frozen=True, slots=True)
class Member:
    """One file in the backup."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything that must be there."""

    facts: Facts
    members: dict[str, Member]

    @property
    def evidence(self) -> list[str]:
        """Names of the pictures and clips."""
        return [name for name in self.members if name.startswith(EVIDENCE)]


@dataclass(slots=True)
class Writer:
    """Adds members to a backup under way."""

    _tar: tarfile.TarFile
    _members: dict[str, Member] = field(default_factory=dict)

    def add(self, name: str, source: IO[bytes]) -> int:
        """Add what `source` holds now, as long as it is now; the bytes added."""
        info = tarfile.TarInfo(name)
        info.size = os.fstat(source.fileno()).st_size
        reader = _Hashing(source, info.size)
        self._tar.addfile(info, reader)
        self._members[name] = Member(info.size, reader.sha256.hexdigest())
        return info.size

    def add_bytes(self, name: str, data: bytes) -> None:
        """Add these bytes."""
        _add_bytes(self._tar, name, data)
        self._members[name] = Member(len(data), hashlib.sha256(data).hexdigest())

    def finish(self, facts: Facts) -> None:
        """Add the last member; the backup is whole then."""
        contents = msgspec.json.encode(Contents(facts, self._members))
        _add_bytes(self._tar, CONTENTS, contents)


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """A backup that gets its name once it is whole and on the disk; else nothing is left.

    Raises BackupError where `path` is taken, or the disk or a file to be added refuses.
    """
    draft = path.with_name(f"{path.name}.part")
    if path.exists():
        raise BackupError(f"{path} exists: choose another name, or remove it")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                _add_bytes(tar, MARK, str(LAYOUT).encode())
                yield Writer(tar)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except OSError as e:
        draft.unlink(missing_ok=True)
        what = f"{e.filename}: {e.strerror}" if e.filename else e.strerror
        raise BackupError(f"the backup {path} cannot be written: {what}") from e
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def read_contents(path: Path) -> Contents:
    """What the backup holds, every byte of it checked.

    Raises BackupError where it is no backup, of a newer layout, cut short or damaged.
    """
    try:
        with tarfile.open(path, "r:") as tar:
            return _check(tar, path)
    except (tarfile.TarError, EOFError) as e:
        raise BackupError(f"{path} is no backup of a hub, or cut short: {e}") from None
    except OSError as e:
        raise BackupError(f"cannot read the backup {path}: {e.strerror or e}") from None


@contextmanager
def opened(path: Path, name: str) -> Iterator[IO[bytes]]:
    """One member of a backup that was checked."""
    with tarfile.open(path, "r:") as tar:
        member = tar.extractfile(name)
        assert member is not None
        with member:
            yield member


def each_evidence(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Name below the evidence folder, and bytes, of each picture and clip of a checked backup."""
    with tarfile.open(path, "r:") as tar:
        for info in tar:
            if info.name.startswith(EVIDENCE) and (member := tar.extractfile(info)) is not None:
                yield info.name.removeprefix(EVIDENCE), member


def _check(tar: tarfile.TarFile, path: Path) -> Contents:
    found: dict[str, Member] = {}
    last = b""
    for info in tar:
        member = tar.extractfile(info)
        if member is None:
            raise BackupError(f"{path} is no backup of a hub: {info.name} is no file")
        if not found and info.name == MARK:
            layout = member.read(32)
            if layout != str(LAYOUT).encode():
                raise BackupError(
                    f"{path} has backup layout {layout.decode('ascii', 'replace')}, this "
                    f"Gridwarden reads {LAYOUT}: use the Gridwarden that wrote it"
                )
            found[MARK] = Member(info.size, "")
        elif not found:
            break
        elif info.name == CONTENTS:
            last = member.read()
        else:
            reader = _Hashing(member, info.size)
            while reader.read(PIECE):
                pass
            found[info.name] = Member(info.size, reader.sha256.hexdigest())
    if not found.pop(MARK, None):
        raise BackupError(f"{path} is no backup of a hub: it does not begin as one")
    if not last:
        raise BackupError(f"{path} is cut short: its table of contents is missing")
    try:
        contents = msgspec.json.decode(last, type=Contents)
    except msgspec.MsgspecError as e:
        raise BackupError(f"{path} is damaged: its table of contents does not read ({e})") from None
    for name in contents.members.keys() | found.keys():
        if contents.members.get(name) != found.get(name):
            raise BackupError(f"{path} is damaged: {name} is not as its table of contents tells")
    return contents


class _Hashing(io.RawIOBase):
    """Reads at most `size` bytes of a source and takes their digest on the way."""

    def __init__(self, source: IO[bytes], size: int) -> None:
        self.sha256 = hashlib.sha256()
        self._source = source
        self._left = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        self.sha256.update(data)
        return data


def _add_bytes(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))
