"""Taking a backup of a hub that goes on working."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import psycopg

from gridwarden import __version__
from gridwarden.backup import archive, postgres_tools
from gridwarden.backup.site import PASSPHRASE, HubSite
from gridwarden.errors import BackupError
from gridwarden.identity.authority import FILE
from gridwarden.identity.sealed import seal
from hub.store.migrate import version


def back_up(
    site: HubSite, path: Path, *, with_evidence: bool, say: Callable[[str], None]
) -> archive.Facts:
    """Write a backup of the hub into a new file; it has its name only once it is whole.

    The database first, then the evidence: bytes are on disk before the database knows of them,
    so what the database names is there, and what came later does no harm.
    Raises BackupError.
    """
    facts, major = _facts(site.url, with_evidence)
    dumped = path.with_name(f"{path.name}.dump-part")
    with archive.writing(path) as backup:
        try:
            postgres_tools.dump(site.url, major, dumped)
            with dumped.open("rb") as file:
                size = backup.add(archive.DUMP, file)
        finally:
            dumped.unlink(missing_ok=True)
        say(f"database: version {facts.schema_version}, {_size(size)}")
        if with_evidence:
            files = total = 0
            for name, evidence in _each_file(site.evidence):
                with evidence:
                    total += backup.add(archive.EVIDENCE + name, evidence)
                files += 1
            say(f"evidence: {files} files, {_size(total)}")
        else:
            say(f"evidence: left out; keep a copy of {site.evidence} beside this backup")
        _add_authority(site, backup, say)
        backup.finish(facts)
    return facts


def _add_authority(site: HubSite, backup: archive.Writer, say: Callable[[str], None]) -> None:
    """The authority, but never in clear: a backup travels, and whoever has it can be any agent."""
    if site.authority is None or not (site.authority / FILE).exists():
        return
    if site.passphrase:
        backup.add_bytes(archive.AUTHORITY, seal(site.authority, site.passphrase))
        say(f"authority: under the passphrase of {PASSPHRASE}")
        return
    say(
        f"authority: NOT in this backup. Without {site.authority / FILE} no agent with a "
        f"certificate can be enrolled or renewed, and a new authority means new credentials for "
        f"all: keep a copy elsewhere, or set {PASSPHRASE} to have it in the backup, encrypted"
    )


def _facts(url: str, with_evidence: bool) -> tuple[archive.Facts, int]:
    """What the backup will say of itself, and the server's major version."""
    try:
        with psycopg.connect(url, connect_timeout=10, autocommit=True) as conn:
            schema = version(conn)
            extension = conn.execute(
                "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"
            ).fetchone()
            server = conn.info.parameter_status("server_version") or "?"
            major = conn.info.server_version // 10_000
    except psycopg.OperationalError as e:
        raise BackupError(f"the database is not to be reached: {first_line(e)}") from None
    if schema == 0:
        raise BackupError("the database has no tables of a hub: there is nothing to back up")
    facts = archive.Facts(
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        gridwarden=__version__,
        schema_version=schema,
        postgresql=server,
        timescaledb=None if extension is None else str(extension[0]),
        with_evidence=with_evidence,
    )
    return facts, major


def _each_file(folder: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Every file below the folder, opened, with its name there.

    A file under way may take its final name meanwhile, and one that is erased is gone.
    """
    for path in sorted(folder.rglob("*")):
        for candidate in (path, path.with_suffix("")):
            try:
                file = candidate.open("rb")
            except (FileNotFoundError, IsADirectoryError):
                continue
            yield candidate.relative_to(folder).as_posix(), file
            break


def first_line(error: Exception) -> str:
    """What is worth telling of it."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _size(n: int) -> str:
    return f"{n / 1e6:,.1f} MB"
