"""The embedded PostgreSQL: real servers, real kills."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from gridwarden import postmaster
from gridwarden.database import EmbeddedDatabase
from gridwarden.errors import DatabaseError
from gridwarden.ports import LOOPBACK


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that the tests of this file hand on to each other."""
    return tmp_path_factory.mktemp("handed-on")


@pytest.fixture(scope="module")
def _cleaned(folder: Path) -> Iterator[None]:
    yield
    EmbeddedDatabase(folder).remove()


@pytest.fixture
def database(folder: Path, _cleaned: None) -> Iterator[EmbeddedDatabase]:
    """A running database over the folder."""
    running = EmbeddedDatabase(folder)
    running.start()
    yield running
    running.stop()


def answer(url: str, query: str) -> object:
    with psycopg.connect(url, connect_timeout=5) as conn:
        row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def cluster_of(database: EmbeddedDatabase) -> Path:
    return Path(str(answer(database.url, "SHOW data_directory")))


def recorded_cluster(database: EmbeddedDatabase) -> Path:
    told = json.loads((database.data_dir / "database.json").read_text())
    return Path(told["home"]) / "cluster"


def test_a_started_database_is_postgresql_18_in_utf8_and_utc(database: EmbeddedDatabase) -> None:
    assert str(answer(database.url, "SHOW server_version")).startswith("18.")
    assert answer(database.url, "SHOW server_encoding") == "UTF8"
    assert answer(database.url, "SHOW timezone") == "UTC"
    assert answer(database.url, "SELECT upper('ä') || length('网格')") == "Ä2"


def test_what_is_committed_is_on_the_disk(database: EmbeddedDatabase) -> None:
    assert answer(database.url, "SHOW fsync") == "on"
    assert answer(database.url, "SHOW synchronous_commit") == "on"


def test_a_stranger_on_the_same_machine_does_not_get_in(database: EmbeddedDatabase) -> None:
    address = f"host={LOOPBACK} port={database.port} dbname=gridwarden user=gridwarden"
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(address)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"{address} password=guess")
    assert answer(database.url, "SHOW listen_addresses") == LOOPBACK
    assert answer(database.url, "SHOW unix_socket_directories") == ""


def test_only_the_owner_can_read_where_the_password_stands(database: EmbeddedDatabase) -> None:
    mode = (database.data_dir / "database.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_a_running_server_is_adopted_and_not_started_twice(database: EmbeddedDatabase) -> None:
    second = EmbeddedDatabase(database.data_dir)
    assert second.start() == database.url
    assert second.adopted
    assert second.pid == database.pid


def test_an_adopted_server_can_be_stopped_by_who_adopted_it(database: EmbeddedDatabase) -> None:
    second = EmbeddedDatabase(database.data_dir)
    second.start()
    second.stop()
    assert not database.is_alive()
    assert postmaster.read(recorded_cluster(database)) is None


def test_after_a_kill_everything_committed_is_there_on_the_same_port(
    database: EmbeddedDatabase,
) -> None:
    with psycopg.connect(database.url) as conn:
        conn.execute("CREATE TABLE kept AS SELECT 7 AS n")
    url, pid = database.url, database.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while database.is_alive():
        time.sleep(0.01)
    assert database.start() == url
    assert database.pid != pid
    assert answer(url, "SELECT n FROM kept") == 7


def test_a_pid_file_that_names_another_program_is_not_believed(
    database: EmbeddedDatabase,
) -> None:
    cluster = cluster_of(database)
    database.stop()
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        lines = [str(stranger.pid), str(cluster), "1700000000", str(database.port)]
        lines += ["", LOOPBACK, "  0  0", "ready   "]
        (cluster / "postmaster.pid").write_text("\n".join(lines) + "\n")
        (cluster / "postmaster.pid").chmod(0o644)
        fresh = EmbeddedDatabase(database.data_dir)
        fresh.start()
        assert not fresh.adopted
        assert fresh.pid != stranger.pid
        assert stranger.poll() is None
        fresh.stop()
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_over_another_folder_is_not_taken_for_ours(
    database: EmbeddedDatabase, tmp_path: Path
) -> None:
    assert database.pid is not None
    assert postmaster.is_server_over(database.pid, cluster_of(database))
    assert not postmaster.is_server_over(database.pid, tmp_path)


def test_a_port_taken_by_another_program_is_left_to_it(database: EmbeddedDatabase) -> None:
    database.stop()
    with socket.create_server((LOOPBACK, database.port)):
        later = EmbeddedDatabase(database.data_dir)
        later.start()
        assert later.port != database.port
        assert answer(later.url, "SELECT 1") == 1
        later.stop()


def test_two_folders_are_two_databases(database: EmbeddedDatabase, tmp_path: Path) -> None:
    other = EmbeddedDatabase(tmp_path / "other")
    other.start()
    try:
        assert other.port != database.port
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(other.url.replace(f":{other.port}/", f":{database.port}/"))
    finally:
        other.remove()


def test_a_removed_database_leaves_no_file_and_no_process(tmp_path: Path) -> None:
    database = EmbeddedDatabase(tmp_path / "short")
    database.start()
    cluster, pid = cluster_of(database), database.pid
    assert pid is not None
    database.remove()
    assert not cluster.exists()
    assert not postmaster.lives(pid)


@pytest.mark.parametrize("tethered", [False, True])
def test_a_server_outlives_who_started_it_unless_it_is_tethered(
    tmp_path: Path, tethered: bool
) -> None:
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from gridwarden.database import EmbeddedDatabase\n"
        f"database = EmbeddedDatabase(Path(sys.argv[1]), tethered={tethered})\n"
        "database.start()\n"
        "print(database.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        owner.kill()
    deadline = time.monotonic() + 10 if tethered else time.monotonic() + 0.5
    while postmaster.lives(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert postmaster.lives(pid) is not tethered
    EmbeddedDatabase(tmp_path).remove()
    assert not postmaster.lives(pid)


def test_files_of_another_postgresql_are_refused_in_one_line(database: EmbeddedDatabase) -> None:
    cluster = cluster_of(database)
    database.stop()
    version = cluster / "PG_VERSION"
    version.write_text("17\n")
    try:
        with pytest.raises(DatabaseError, match=r"PostgreSQL 17.*brings PostgreSQL 18.*--fresh"):
            EmbeddedDatabase(database.data_dir).start()
        assert postmaster.read(cluster) is None
    finally:
        version.write_text("18\n")


def test_a_record_of_another_layout_is_refused_in_one_line(database: EmbeddedDatabase) -> None:
    database.stop()
    record = database.data_dir / "database.json"
    kept = record.read_text()
    record.write_text(json.dumps({**json.loads(kept), "layout": 99}))
    try:
        with pytest.raises(DatabaseError, match=r"layout 99.*reads 1.*--fresh"):
            EmbeddedDatabase(database.data_dir).start()
    finally:
        record.write_text(kept)


def test_files_made_by_a_run_that_was_killed_before_their_end_are_finished(
    database: EmbeddedDatabase,
) -> None:
    cluster = cluster_of(database)
    database.stop()
    cluster.rename(cluster.with_name("cluster.draft"))
    again = EmbeddedDatabase(database.data_dir)
    again.start()
    assert cluster_of(again) == cluster
    again.stop()


def test_a_database_without_its_password_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / "PG_VERSION").write_text("18\n")
    with pytest.raises(DatabaseError, match=r"no database\.json.*restore that file"):
        EmbeddedDatabase(tmp_path).start()
    assert (tmp_path / "cluster" / "PG_VERSION").exists()


def test_lost_database_files_are_told_and_not_silently_made_anew(tmp_path: Path) -> None:
    database = EmbeddedDatabase(tmp_path / "data")
    database.start()
    cluster = cluster_of(database)
    database.stop()
    cluster.rename(cluster.with_name("elsewhere"))
    try:
        with pytest.raises(DatabaseError, match=r"is not a database folder.*restore it"):
            EmbeddedDatabase(database.data_dir).start()
    finally:
        cluster.with_name("elsewhere").rename(cluster)
        database.remove()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to drop its rights")
def test_under_root_the_server_runs_without_rights_where_it_can_get_in(
    database: EmbeddedDatabase,
) -> None:
    cluster = cluster_of(database)
    assert cluster.stat().st_uid != 0
    assert stat.S_IMODE(cluster.stat().st_mode) == 0o700
    assert Path(f"/proc/{database.pid}").stat().st_uid == cluster.stat().st_uid
    # pytest's folders are closed to others, so the files had to go outside
    assert database.data_dir not in cluster.parents


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to drop its rights")
def test_under_root_an_open_folder_holds_its_database_itself(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="gridwarden-open-") as opened:
        Path(opened).chmod(0o755)
        database = EmbeddedDatabase(Path(opened) / "database")
        database.start()
        try:
            assert cluster_of(database) == Path(opened) / "database" / "cluster"
        finally:
            database.remove()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can choose the account")
def test_an_unknown_account_is_told_in_one_line(tmp_path: Path) -> None:
    environ = {**os.environ, "GRIDWARDEN_DATABASE_ACCOUNT": "nobody-of-this-name"}
    with pytest.raises(DatabaseError, match="no account 'nobody-of-this-name'"):
        EmbeddedDatabase(tmp_path, environ=environ).start()
    assert list(tmp_path.iterdir()) == []
