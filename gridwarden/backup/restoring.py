"""Restoring a backup: beside the database as it is, and into its place once it is whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from gridwarden.backup import archive, postgres_tools
from gridwarden.backup.site import PASSPHRASE, HubSite
from gridwarden.backup.taking import first_line
from gridwarden.errors import BackupError
from gridwarden.identity import files
from gridwarden.identity.authority import FILE
from gridwarden.identity.sealed import unseal
from hub.store.migrate import migrations, version


def restore(site: HubSite, path: Path, *, say: Callable[[str], None]) -> str | None:
    """Put the backup into the hub's place; the name of the database as it was, which is kept.

    Refused with nothing changed where the backup is not whole, or anybody uses the database. The
    restored database is another one to the hub, so its epoch is renewed when the hub starts.
    Raises BackupError.
    """
    contents = archive.read_contents(path)
    known = len(migrations())
    if contents.facts.schema_version > known:
        raise BackupError(
            f"{path} has database version {contents.facts.schema_version}, this Gridwarden knows "
            f"versions up to {known}: restore it with a newer one"
        )
    authority = _authority(site, path, contents)
    name = str(conninfo_to_dict(site.url).get("dbname") or "")
    loading = f"{name}_restoring"
    try:
        with _maintenance(site.url, name) as conn:
            _refuse_in_use(conn, name)
            _refuse_without_timescaledb(conn, contents.facts)
            drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                sql.Identifier(loading)
            )
            conn.execute(drop)  # of a restore that was killed
            try:
                conn.execute(
                    sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(loading))
                )
                _load(site.url, loading, path, contents.facts)
                say(
                    f"database: version {contents.facts.schema_version} of {contents.facts.made_at}"
                )
                _put_evidence(site.evidence, path, contents, say)
                kept = _swap(conn, site.url, name, loading)
            except BaseException:
                conn.execute(drop)
                raise
            _put_authority(site, authority, say)
            return kept
    except psycopg.errors.InsufficientPrivilege as e:
        raise BackupError(
            f"the database's user may not do it ({first_line(e)}): grant it CREATEDB, and make it "
            "the owner of the database"
        ) from None
    except psycopg.Error as e:
        raise BackupError(f"the database refuses: {first_line(e)}") from e


def _authority(site: HubSite, path: Path, contents: archive.Contents) -> bytes | None:
    """The authority in the backup, opened; None where there is none, or none to be put back.

    Raises BackupError where its passphrase is missing or another, before anything is changed.
    """
    if archive.AUTHORITY not in contents.members or site.authority is None:
        return None
    if (site.authority / FILE).exists():
        return None
    if not site.passphrase:
        raise BackupError(
            f"{path} holds the authority under a passphrase: set {PASSPHRASE}, or put "
            f"{site.authority / FILE} in its place first"
        )
    with archive.opened(path, archive.AUTHORITY) as member:
        return unseal(member.read(), site.passphrase)


def _put_authority(site: HubSite, authority: bytes | None, say: Callable[[str], None]) -> None:
    """One that is there stays: certificates in use hang on it."""
    if site.authority is None:
        return
    if authority is not None:
        files.make_folder(site.authority)
        files.write(site.authority / FILE, authority)
        say("authority: brought back; write the broker's files by `gridwarden agents broker`")
    elif (site.authority / FILE).exists():
        say(f"authority: the one in {site.authority} stays")


def _maintenance(url: str, name: str) -> Connection[Any]:
    """A connection to another database of the server, as this one cannot rename its own."""
    last: Exception | None = None
    for other in ("postgres", "template1"):
        if other != name:
            try:
                return psycopg.connect(_at(url, other), autocommit=True, connect_timeout=10)
            except psycopg.OperationalError as e:
                last = last or e
    raise BackupError(f"the database server is not to be reached: {first_line(last or OSError())}")


def _at(url: str, database: str) -> str:
    return make_conninfo(url, dbname=database)


def _refuse_in_use(conn: Connection[Any], name: str) -> None:
    users = [
        str(who)
        for (who,) in conn.execute(
            "SELECT DISTINCT coalesce(nullif(application_name, ''), 'unnamed')"
            " FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"
            " ORDER BY 1",
            (name,),
        )
    ]
    if users:
        raise BackupError(
            f"the database {name} is in use by {', '.join(users)}: stop the hub, every part of it, "
            "and restore then"
        )


def _refuse_without_timescaledb(conn: Connection[Any], facts: archive.Facts) -> None:
    if facts.timescaledb is None:
        return
    row = conn.execute(
        "SELECT count(*) FROM pg_available_extension_versions"
        " WHERE name = 'timescaledb' AND version = %s",
        (facts.timescaledb,),
    ).fetchone()
    if row is None or row[0] == 0:
        raise BackupError(
            f"the backup is of a database with TimescaleDB {facts.timescaledb}, which this server "
            "has not: install that very version; it can be updated afterwards"
        )


def _load(url: str, loading: str, path: Path, facts: archive.Facts) -> None:
    target = _at(url, loading)
    with psycopg.connect(target, autocommit=True) as conn:
        major = conn.info.server_version // 10_000
        if facts.timescaledb is not None:
            _with_timescaledb(conn, facts.timescaledb)
            conn.execute("SELECT timescaledb_pre_restore()")
    with archive.opened(path, archive.DUMP) as dump:
        postgres_tools.load(target, major, dump)
    with psycopg.connect(target, autocommit=True) as conn:
        if facts.timescaledb is not None:
            conn.execute("SELECT timescaledb_post_restore()")
        if version(conn) != facts.schema_version:
            raise BackupError(f"{path} does not hold the database version it tells of")
        # no server takes it for the database it was dumped from, whatever becomes of this process
        conn.execute("DELETE FROM hub")
        conn.execute("ANALYZE")


def _with_timescaledb(conn: Connection[Any], wanted: str) -> None:
    conn.execute(
        sql.SQL("CREATE EXTENSION IF NOT EXISTS timescaledb VERSION {}").format(sql.Literal(wanted))
    )


def _put_evidence(
    folder: Path, path: Path, contents: archive.Contents, say: Callable[[str], None]
) -> None:
    """Bring back pictures and clips. What is there under its digest is there already."""
    if not contents.facts.with_evidence:
        say(f"evidence: not in this backup; bring it to {folder}")
        return
    put = 0
    for name, source in archive.each_evidence(path):
        target = folder / name
        if not target.resolve().is_relative_to(folder.resolve()):
            raise BackupError(f"{path} is damaged: {name} lies outside of the evidence")
        if target.exists() and target.suffix != ".part":
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f"{target.name}.restoring")
        with draft.open("wb") as file:
            shutil.copyfileobj(source, file, archive.PIECE)
            file.flush()
            os.fsync(file.fileno())
        if os.geteuid() == 0:  # root restoring for a hub of another account
            owner = folder.stat()
            os.chown(target.parent, owner.st_uid, owner.st_gid)
            os.chown(draft, owner.st_uid, owner.st_gid)
        draft.replace(target)
        put += 1
    say(f"evidence: {put} files brought back, {len(contents.evidence) - put} were there")


def _swap(conn: Connection[Any], url: str, name: str, loading: str) -> str | None:
    """Put the loaded database into the place of the other, in one step, if nobody uses it."""
    here = conn.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone()
    kept = f"{name}_before_{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    for database in (name, loading) if here is not None else (loading,):
        _let_timescaledb(_at(url, database), "stop")
    try:
        with conn.transaction():
            if here is not None:
                conn.execute(rename.format(sql.Identifier(name), sql.Identifier(kept)))
            conn.execute(rename.format(sql.Identifier(loading), sql.Identifier(name)))
    except psycopg.errors.ObjectInUse:
        raise BackupError(
            f"the database {name} came into use meanwhile: stop the hub, every part of it, and "
            "restore again"
        ) from None
    finally:
        _let_timescaledb(url, "start")
    return kept if here is not None else None


def _let_timescaledb(url: str, verb: Literal["start", "stop"]) -> None:
    """Start or stop its background workers, which hold a database as any user does."""
    with psycopg.connect(url, autocommit=True) as conn:
        if conn.execute("SELECT FROM pg_extension WHERE extname = 'timescaledb'").fetchone():
            conn.execute(f"SELECT _timescaledb_functions.{verb}_background_workers()".encode())
