"""Forward-only migrations: `hub/sql/migrations/NNNN_name.sql`, each in one transaction.

Every file ends by recording its own number in `schema_version`, so that a database is the same
whichever tool ran it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection

from contract.errors import GridwardenError

MIGRATIONS = Path(__file__).resolve().parent.parent / "sql" / "migrations"
_NAME = re.compile(r"([0-9]{4})_[a-z0-9_]+\.sql")
_LOCK = 0x67772D6D69677261  # "gw-migra": one migration at a time


class MigrationError(GridwardenError):
    """The database cannot be brought to the version this hub needs."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step forward."""

    version: int
    path: Path


def migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """The migrations in the folder, oldest first; raises MigrationError where one is missing."""
    found = [
        Migration(int(match[1]), path)
        for path in sorted(folder.glob("*.sql"))
        if (match := _NAME.fullmatch(path.name))
    ]
    versions = [m.version for m in found]
    if versions != list(range(1, len(found) + 1)):
        raise MigrationError(
            f"migrations in {folder} must be numbered from 0001 on, got {versions}"
        )
    return found


def migrate(url: str, folder: Path = MIGRATIONS) -> list[int]:
    """Bring the database to the newest version; the versions that were added.

    Raises MigrationError with one clear line where the database is not to be reached, is newer
    than this hub, or refuses a migration, which then left nothing behind.
    """
    steps = migrations(folder)
    try:
        # nothing is prepared: a pooler in between may hand us somebody else's session
        conn = psycopg.connect(url, autocommit=True, connect_timeout=10, prepare_threshold=None)
    except psycopg.OperationalError as e:
        raise MigrationError(f"the database is not to be reached: {_line(e)}") from None
    with conn:
        conn.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))  # freed when the connection closes
        present = version(conn)
        if present > len(steps):
            raise MigrationError(
                f"the database has version {present}, this hub knows versions up to {len(steps)}: "
                "start a newer hub, or restore a backup from before the upgrade"
            )
        for step in steps[present:]:
            _apply(conn, step)
        return [s.version for s in steps[present:]]


def version(conn: Connection[Any]) -> int:
    """The version of the database, 0 where it is empty."""
    row = conn.execute("SELECT to_regclass('schema_version') IS NOT NULL").fetchone()
    if row is None or not row[0]:
        return 0
    row = conn.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()
    return int(row[0]) if row else 0


def _apply(conn: Connection[Any], step: Migration) -> None:
    try:
        with conn.transaction():
            conn.execute(step.path.read_bytes())
            if version(conn) != step.version:
                raise MigrationError(
                    f"migration {step.path.name} does not record itself: end it with "
                    f"INSERT INTO schema_version (version) VALUES ({step.version});"
                )
    except psycopg.Error as e:
        raise MigrationError(f"migration {step.path.name} failed: {_line(e)}") from e


def _line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
