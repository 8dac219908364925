"""What a backup is taken of: the database and the evidence of one hub."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gridwarden.database import EmbeddedDatabase
from gridwarden.datafolder import open_folder
from gridwarden.errors import BackupError
from hub.config import load

PASSPHRASE = "GRIDWARDEN_BACKUP_PASSPHRASE"  # of the environment


@dataclass(frozen=True, slots=True)
class HubSite:
    """Where a hub keeps what it must not lose."""

    url: str
    evidence: Path
    authority: Path | None = None  # folder of the local authority; a demo has none
    passphrase: str = field(default="", repr=False)  # of the authority in a backup


@contextmanager
def site_of(
    config: Path | None,
    data: Path | None,
    *,
    alone: bool,
    environ: Mapping[str, str] = os.environ,
) -> Iterator[HubSite]:
    """The hub of a settings file, or of a demo's data folder, whose database is started for it.

    alone: refuse a data folder that a running demo holds. Raises GridwardenError.
    """
    if data is None:
        settings = load(config, environ)
        yield HubSite(
            settings.database.url,
            settings.hub.data_dir / "evidence",
            settings.identity.authority_dir or settings.hub.data_dir / "authority",
            environ.get(PASSPHRASE, ""),
        )
        return
    data = data.resolve()
    if not (data / "database" / "database.json").exists() and not alone:
        raise BackupError(f"{data} is no data folder of a demo: it has no database")
    folder = open_folder(data, fresh=False) if alone else None
    database = EmbeddedDatabase(data / "database", environ=environ)
    try:
        yield HubSite(database.start(), data / "hub" / "evidence")
    finally:
        if not database.adopted or alone:
            database.stop()
        if folder is not None:
            folder.close()
