from __future__ import annotations

import re
import shutil
from pathlib import Path

import psycopg
import pytest

from hub.services.passwords import digest_of
from hub.store import open311, ratings, reports
from hub.store.epoch import current_epoch
from hub.store.migrate import MIGRATIONS, MigrationError, migrate, migrations
from hub.store.schema import SCHEMA_FILE, describe
from tests.hub.builders import together
from tests.migration.growing import grow


def test_an_empty_database_is_brought_to_the_newest_version_once(empty_database_url: str) -> None:
    assert migrate(empty_database_url) == [m.version for m in migrations()]
    assert migrate(empty_database_url) == []


def test_hubs_that_start_together_migrate_once(empty_database_url: str) -> None:
    added = together([lambda: migrate(empty_database_url)] * 4)

    assert sorted(str(a) for a in added) == sorted(
        ["[]"] * 3 + [str([m.version for m in migrations()])]
    )


def test_a_database_of_a_newer_version_is_refused_in_one_line(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        conn.execute("INSERT INTO schema_version (version) VALUES (999)")

    with pytest.raises(MigrationError, match=r"has version 999.*start a newer hub") as caught:
        migrate(database_url)
    assert "\n" not in str(caught.value)


def test_a_database_that_is_not_there_is_refused_in_one_line() -> None:
    with pytest.raises(MigrationError, match="not to be reached") as caught:
        migrate("postgresql://127.0.0.1:1/nowhere")
    assert "\n" not in str(caught.value)


def test_a_migration_that_fails_leaves_nothing_behind(
    empty_database_url: str, tmp_path: Path
) -> None:
    for migration in migrations():
        shutil.copy(migration.path, tmp_path)
    following = len(migrations()) + 1
    broken = tmp_path / f"{following:04}_broken.sql"
    broken.write_text("CREATE TABLE half (a int); SELECT 1 / 0;", encoding="utf-8")

    with pytest.raises(MigrationError, match=rf"{broken.name} failed: division by zero"):
        migrate(empty_database_url, tmp_path)

    with psycopg.connect(empty_database_url) as conn:
        assert conn.execute("SELECT to_regclass('half')").fetchone() == (None,)
        assert conn.execute("SELECT max(version) FROM schema_version").fetchone() == (
            following - 1,
        )


def test_a_migration_that_does_not_record_itself_is_refused(
    empty_database_url: str, tmp_path: Path
) -> None:
    for migration in migrations():
        shutil.copy(migration.path, tmp_path)
    (tmp_path / f"{len(migrations()) + 1:04}_silent.sql").write_text("SELECT 1;", encoding="utf-8")

    with pytest.raises(MigrationError, match="does not record itself"):
        migrate(empty_database_url, tmp_path)


def test_migrations_are_numbered_without_a_gap(tmp_path: Path) -> None:
    shutil.copy(migrations()[0].path, tmp_path / "0002_later.sql")

    with pytest.raises(MigrationError, match="numbered from 0001"):
        migrations(tmp_path)
    assert len(migrations()) == len(list(MIGRATIONS.glob("*.sql")))


def test_the_schema_file_shows_what_the_migrations_add_up_to(empty_database_url: str) -> None:
    migrate(empty_database_url)
    with psycopg.connect(empty_database_url) as conn:
        described = describe(conn)

    assert SCHEMA_FILE.read_text(encoding="utf-8") == described, (
        "rewrite it: python -m hub.store.schema URL"
    )


def test_the_epoch_stays_until_the_database_is_another(
    database_url: str, postgres_url: str
) -> None:
    with psycopg.connect(database_url) as conn:
        epoch = current_epoch(conn)
        name = conn.info.dbname
        assert current_epoch(conn) == epoch
    with psycopg.connect(postgres_url, autocommit=True) as maintenance:
        maintenance.execute(f'CREATE DATABASE "{name}_restored" TEMPLATE "{name}"'.encode())
    try:
        with psycopg.connect(database_url, dbname=f"{name}_restored") as conn:
            restored = current_epoch(conn)
            assert restored != epoch
            assert current_epoch(conn) == restored
            conn.execute("DELETE FROM hub")
            assert current_epoch(conn) != restored
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as maintenance:
            maintenance.execute(f'DROP DATABASE "{name}_restored" WITH (FORCE)'.encode())


def test_the_history_of_events_can_only_be_added_to(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        for statement in (
            "UPDATE grid_event_history SET actor = 'nobody'",
            "DELETE FROM grid_event_history",
            "TRUNCATE grid_event_history",
        ):
            with (
                pytest.raises(psycopg.errors.RaiseException, match="append-only"),
                conn.transaction(),
            ):
                conn.execute(statement.encode())


def test_tokens_of_reports_go_on_working_and_are_no_longer_stored(
    empty_database_url: str, tmp_path: Path
) -> None:
    for version, filled in grow(empty_database_url, tmp_path):
        if version == 20 and filled:
            break
    with psycopg.connect(empty_database_url) as conn:
        for minute, token in (("04", "the second"), ("03", "the first")):
            at = f"2026-03-01 08:{minute}+00"
            conn.execute(
                "INSERT INTO report (event, role, reporter, description, lon, lat, reported_at)"
                " VALUES (1, 'citizen', 'open311', %s, 113.65, 34.76, %s)",
                (token, at),
            )
            conn.execute(
                "INSERT INTO open311_request (token, event, at, description)"
                " VALUES (%s, 1, %s, %s)",
                (token, at, token),
            )
        conn.execute("DELETE FROM open311_request WHERE token = 't0ken'")  # it has no report
    migrate(empty_database_url)
    with psycopg.connect(empty_database_url) as conn:
        for token in ("the first", "the second"):
            report = ratings.report_of_token(conn, digest_of(token))
            assert report is not None
            said = reports.by_id(conn, report)
            assert said is not None
            assert said.description == token
            assert open311.event_of_token(conn, digest_of(token)) == 1
        stored = conn.execute("SELECT digest FROM open311_request").fetchall()
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for (digest,) in stored)
