"""`database.json` in a data folder: where the embedded database lies, its port and password."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gridwarden.errors import DatabaseError

LAYOUT = 1  # of the record and what lies beside it
RECORD_NAME = "database.json"


@dataclass(frozen=True, slots=True)
class DatabaseRecord:
    """What a data folder remembers of its database."""

    layout: int
    home: str  # folder that holds `cluster`
    port: int
    password: str

    @property
    def cluster(self) -> Path:
        """PostgreSQL's data directory."""
        return Path(self.home) / "cluster"


def read_record(data_dir: Path) -> DatabaseRecord | None:
    """What is remembered; None where there is no database yet.

    Raises DatabaseError where it is of another layout, OSError where it is closed to us.
    """
    path = data_dir / RECORD_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        told: dict[str, Any] = json.loads(text)
        layout = told["layout"]
        if layout == LAYOUT:
            return DatabaseRecord(**told)
    except (ValueError, KeyError, TypeError) as e:
        raise DatabaseError(
            f"{path} cannot be read ({e}): restore it, or begin anew with --fresh"
        ) from e
    raise DatabaseError(
        f"{data_dir} has database layout {layout}, this Gridwarden reads {LAYOUT}: use "
        "the Gridwarden that wrote it, another folder with --data, or begin anew with --fresh"
    )


def write_record(data_dir: Path, record: DatabaseRecord) -> None:
    """Remember, for the owner's eyes only, complete or not at all."""
    path = data_dir / RECORD_NAME
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as f:
        json.dump(asdict(record), f, indent=1)
        f.flush()
        os.fsync(f.fileno())
    if os.geteuid() == 0:  # root visiting a user's folder leaves it the user's
        owner = data_dir.stat()
        os.chown(draft, owner.st_uid, owner.st_gid)
    draft.replace(path)


def home_of(data_dir: Path) -> Path:
    """Where the database's files lie, also those of a layout that this version cannot use."""
    try:
        return Path(json.loads((data_dir / RECORD_NAME).read_text(encoding="utf-8"))["home"])
    except (OSError, ValueError, KeyError, TypeError):
        return data_dir  # a home outside is swept once nothing names it


def is_home_of(data_dir: Path, home: Path) -> bool:
    """Whether the data folder names this home; also True where that cannot be told."""
    try:
        record = read_record(data_dir)
    except (OSError, DatabaseError):
        return True
    return record is not None and Path(record.home) == home


def forget_record(data_dir: Path) -> None:
    """Remember nothing."""
    (data_dir / RECORD_NAME).unlink(missing_ok=True)
