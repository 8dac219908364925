"""A real PostgreSQL of our own, started from the programs of a wheel.

It listens on the loopback only, asks for a password that stands in a file only its owner can
read, and has no Unix socket: nothing to grow too long, and another user of the machine gets
neither in nor in the way. `require_auth` in the URL keeps a stranger who took the port from being
told the password.

The server is a session of its own and outlives us on purpose: what a killed demo leaves running,
the next one adopts.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import psycopg

from gridwarden import child, postgres_home, postmaster
from gridwarden.database_record import (
    LAYOUT,
    RECORD_NAME,
    DatabaseRecord,
    forget_record,
    home_of,
    is_home_of,
    read_record,
    write_record,
)
from gridwarden.errors import DatabaseError
from gridwarden.ports import LOOPBACK, choose, is_free

USUAL_PORT = 5433  # 5432 is left to a PostgreSQL the machine may have
USER = DATABASE = "gridwarden"
DRAFT = "cluster.draft"
READY_S = 60.0  # recovery after a crash replays at most a checkpoint interval
STOP_S = 15.0

SETTINGS = {  # for a small machine; safety as PostgreSQL ships it
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "min_wal_size": "256MB",  # kept to be written again: new segments cost more than old ones
    "checkpoint_timeout": "5min",
    "fsync": "on",
    "synchronous_commit": "on",
    "jit": "off",  # our queries are short
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "restart_after_crash": "on",
}
if sys.platform == "linux":  # a killed server is back in 0.5 s instead of 2: one call, not 1000
    SETTINGS["recovery_init_sync_method"] = "syncfs"


class EmbeddedDatabase:
    """One PostgreSQL server over one data folder. Not for use by several threads at once."""

    def __init__(
        self,
        data_dir: Path,
        *,
        environ: Mapping[str, str] = os.environ,
        settings: Mapping[str, str] = {},
        tethered: bool = False,
        port: int = USUAL_PORT,
    ) -> None:
        """data_dir: created when missing. settings: over those of this module, by name.

        tethered: the server ends with us, even by kill -9, instead of waiting to be adopted.
        port: for a new server, or the next free one above it.
        """
        self._wanted_port = port
        self._tethered = tethered
        self.data_dir = data_dir.resolve()
        self.adopted = False
        self._environ = environ
        self._settings = {**SETTINGS, **settings}
        self._record: DatabaseRecord | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._pid: int | None = None
        self._cluster: Path | None = None

    @property
    def pid(self) -> int | None:
        """The server's process; None while it is not running."""
        return self._pid

    @property
    def port(self) -> int:
        """Where it listens; known once started."""
        return self._known.port

    @property
    def url(self) -> str:
        """The URL of our database."""
        return self.url_of(DATABASE)

    @property
    def log(self) -> Path:
        """What the server says; appended to."""
        return self.data_dir / "postgresql.log"

    def url_of(self, database: str) -> str:
        """The URL of a database of this server."""
        known = self._known
        return (
            f"postgresql://{USER}:{known.password}@{LOOPBACK}:{known.port}/{database}"
            "?require_auth=scram-sha-256"
        )

    def start(self) -> str:
        """The URL of our database on a running server: adopted, recovered, or begun anew.

        Raises DatabaseError, having started nothing, where the folder is of another version or
        another user, and where the server does not come up.
        """
        if self.is_alive():
            return self.url
        restarted = self._record is not None
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            record = read_record(self.data_dir)
        except OSError as e:
            raise DatabaseError(
                f"database folder {self.data_dir} cannot be used ({e.strerror}): choose another "
                "with --data"
            ) from e
        account = postgres_home.choose_account(record.cluster if record else None, self._environ)
        programs = postgres_home.find_programs(account, self._environ)
        if record is None:
            self._forget_lost_homes()
            record = self._create(programs, account)
        cluster = record.cluster
        _finish(cluster)
        self._check_version(cluster, programs)
        self._record, self._cluster = record, cluster
        if not self._adopt(cluster):
            self._launch(programs, cluster, account, same_port=restarted)
        self._ensure_database()
        return self.url

    def is_alive(self) -> bool:
        """Whether the server's process lives. Cheap: for a supervisor to ask often."""
        if self._child is not None:
            return self._child.poll() is None
        if self._pid is None or self._cluster is None:
            return False
        return postmaster.is_server_over(self._pid, self._cluster)  # the number may be another's

    def stop(self) -> None:
        """End the server, disconnecting its clients; does nothing where it is not running."""
        for sign in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, at once
            if self._pid is None or not self.is_alive():
                break
            os.kill(self._pid, sign)
            deadline = time.monotonic() + STOP_S
            while self.is_alive() and time.monotonic() < deadline:
                time.sleep(0.01)
        self._pid = self._child = None

    def remove(self) -> None:
        """Stop the server and delete its files, wherever they lie."""
        home = home_of(self.data_dir)
        if self._pid is None and (running := postmaster.read(home / "cluster")) is not None:
            self._pid, self._cluster = running.pid, home / "cluster"
        self.stop()
        if home != self.data_dir and postgres_home.is_home_outside(home):
            shutil.rmtree(home)
        if (self.data_dir / "cluster").is_dir():
            shutil.rmtree(self.data_dir / "cluster")
        forget_record(self.data_dir)
        self._record = None

    @property
    def _known(self) -> DatabaseRecord:
        if self._record is None:
            raise DatabaseError(f"the database in {self.data_dir} has not been started")
        return self._record

    def _remember(self, record: DatabaseRecord) -> None:
        write_record(self.data_dir, record)
        self._record = record

    def _check_version(self, cluster: Path, programs: postgres_home.Programs) -> None:
        try:
            found = (cluster / "PG_VERSION").read_text(encoding="ascii").strip()
        except OSError as e:
            raise DatabaseError(
                f"{cluster} is not a database folder ({e.strerror}): restore it, or begin anew "
                "with --fresh"
            ) from e
        ours = programs.major
        if found != ours:
            raise DatabaseError(
                f"{self.data_dir} was written by PostgreSQL {found}, this Gridwarden brings "
                f"PostgreSQL {ours}: use the Gridwarden that wrote it, another folder with "
                "--data, or begin anew with --fresh"
            )

    def _create(
        self, programs: postgres_home.Programs, account: postgres_home.Account | None
    ) -> DatabaseRecord:
        """Make the database files as a draft, which `_finish` puts into their place."""
        if (self.data_dir / "cluster").exists():
            raise DatabaseError(
                f"{self.data_dir} holds a database but no {RECORD_NAME}, which has its password: "
                "restore that file, or begin anew with --fresh"
            )
        home = postgres_home.claim_home(self.data_dir, account)
        draft, password_file = home / DRAFT, home / "password"
        password = secrets.token_urlsafe(24)
        shutil.rmtree(draft, ignore_errors=True)
        password_file.unlink(missing_ok=True)
        draft.mkdir(mode=0o700)
        with os.fdopen(
            os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
        ) as f:
            f.write(password)
        if account is not None:
            for path in (draft, password_file):
                os.chown(path, account.uid, account.gid)
        try:
            made = subprocess.run(
                [
                    *(programs / "initdb", "--pgdata", str(draft), "--username", USER),
                    *("--pwfile", str(password_file), "--auth", "scram-sha-256"),
                    *("--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin"),
                    *("--builtin-locale", "C.UTF-8", "--no-instructions"),
                ],
                env=postgres_home.clean_environment(self._environ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                **postgres_home.identity(account),
            )
        finally:
            password_file.unlink()
        if made.returncode != 0:
            shutil.rmtree(draft, ignore_errors=True)
            raise DatabaseError(
                f"the database could not be made in {home}: {_last_line(made.stderr)}"
            )
        record = DatabaseRecord(LAYOUT, str(home), choose(self._wanted_port), password)
        self._remember(record)
        return record

    def _forget_lost_homes(self) -> None:
        """Delete what deleted data folders left outside of them, its server included."""
        for home in postgres_home.forgotten_homes(is_home_of, time.time()):
            if (running := postmaster.read(home / "cluster")) is not None:
                os.kill(running.pid, signal.SIGQUIT)
            shutil.rmtree(home, ignore_errors=True)

    def _adopt(self, cluster: Path) -> bool:
        """Take over a server that runs over these files; False where none does."""
        deadline = time.monotonic() + READY_S
        while (running := postmaster.read(cluster)) is not None:
            if running.ready:
                if running.port != self._known.port:
                    self._remember(replace(self._known, port=running.port))
                self._pid, self._child, self.adopted = running.pid, None, True
                return True
            if time.monotonic() > deadline:
                raise DatabaseError(
                    f"a server (process {running.pid}) over {cluster} is neither ready nor gone "
                    f"after {READY_S:.0f} s: look at {self.log}"
                )
            time.sleep(0.02)
        return False

    def _launch(
        self,
        programs: postgres_home.Programs,
        cluster: Path,
        account: postgres_home.Account | None,
        *,
        same_port: bool,
    ) -> None:
        """Start the server and wait until it takes connections.

        same_port: our clients know the port, so another one would not help them.
        """
        postmaster.clear_stale_pid_file(cluster)
        deadline = time.monotonic() + READY_S
        while True:
            record = self._known
            if not is_free(record.port):
                if same_port:
                    raise DatabaseError(f"port {record.port} of the database is taken by others")
                record = replace(record, port=choose(USUAL_PORT))
                self._remember(record)
            said_before = self.log.stat().st_size if self.log.exists() else 0
            self._spawn(programs, cluster, account, record.port)
            if self._wait_ready(cluster, deadline):
                return
            with self.log.open("rb") as log:
                log.seek(said_before)
                said = log.read().decode("utf-8", "replace")
            self.stop()
            # a killed server's sessions end within moments; a port can be taken meanwhile
            passing = "shared memory" in said or "Address already in use" in said
            if not passing or time.monotonic() > deadline:
                raise DatabaseError(
                    f"PostgreSQL does not start over {cluster}: {_last_line(said)} (all of it in "
                    f"{self.log})"
                )
            time.sleep(0.1)

    def _spawn(
        self,
        programs: postgres_home.Programs,
        cluster: Path,
        account: postgres_home.Account | None,
        port: int,
    ) -> None:
        command = [programs / "postgres", "-D", str(cluster), "-c", f"port={port}"]
        for name, value in self._settings.items():
            command += ["-c", f"{name}={value}"]
        identity = postgres_home.identity(account)
        if self._tethered:
            who = f"{account.uid}:{account.gid}" if account else "-"
            command = [*child.tether_command(who), *command]
            identity = postgres_home.identity(None)
        with os.fdopen(
            os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab"
        ) as log:
            self._child = subprocess.Popen(
                command,
                env=postgres_home.clean_environment(self._environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C in our terminal is not meant for it
                **identity,
            )
        self._pid, self.adopted = self._child.pid, False

    def _wait_ready(self, cluster: Path, deadline: float) -> bool:
        while self.is_alive() and time.monotonic() < deadline:
            running = postmaster.read(cluster)
            if running is not None and running.pid == self._pid and running.ready:
                return True
            time.sleep(0.01)
        return False

    def _ensure_database(self) -> None:
        """Our database exists, and the server is the one over our files. Raises DatabaseError."""
        try:
            with psycopg.connect(
                self.url_of("postgres"), autocommit=True, connect_timeout=10
            ) as conn:
                row = conn.execute(
                    "SELECT current_setting('data_directory'),"
                    " EXISTS (SELECT FROM pg_database WHERE datname = %s)",
                    (DATABASE,),
                ).fetchone()
                if row is None or Path(row[0]) != self._known.cluster:
                    raise DatabaseError(
                        f"port {self.port} is answered by another database than that of "
                        f"{self.data_dir}"
                    )
                if not row[1]:
                    conn.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.Error as e:
            raise DatabaseError(
                f"the database in {self.data_dir} does not let us in: {_last_line(str(e))}"
            ) from e


def _finish(cluster: Path) -> None:
    """Put files that were just made into their place, or those of a run killed before it could."""
    draft = cluster.with_name(DRAFT)
    if draft.is_dir() and not cluster.exists():
        draft.rename(cluster)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
