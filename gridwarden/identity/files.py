"""Files that hold secrets: whole or not at all, and closed to others."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from gridwarden.identity.errors import IdentityError


def make_folder(folder: Path) -> None:
    """The folder, made where it is missing, then closed to others. Raises IdentityError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as e:
        raise IdentityError(
            f"folder {folder} cannot be made: {e.strerror}; name one that can be written"
        ) from None


def write(path: Path, content: bytes) -> None:
    """Put `content` in place of the file, 0600, at once; its owner is the folder's.

    So a program that runs under its own account reads what root writes into its folder. Raises
    IdentityError; the file that was there is then as it was.
    """
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        folder = path.parent.stat()
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            if os.geteuid() == 0:
                os.fchown(descriptor, folder.st_uid, folder.st_gid)
            with os.fdopen(descriptor, "wb", closefd=False) as f:
                f.write(content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        new.replace(path)
        _sync(path.parent)
    except OSError as e:
        new.unlink(missing_ok=True)
        raise IdentityError(f"{path} cannot be written: {e.strerror}") from None


def read(path: Path) -> bytes | None:
    """What the file holds; None where there is none. Raises IdentityError."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as e:
        raise IdentityError(f"{path} cannot be read: {e.strerror}") from None


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
