"""pg_dump and pg_restore: those of the machine or of the wheel, whichever fit the server."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import IO

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from gridwarden import postgres_home
from gridwarden.errors import BackupError

PIECE = 1 << 20


def dump(url: str, server_major: int, target: Path) -> None:
    """Write the database into a file in pg_dump's custom format. Raises BackupError."""
    _run("pg_dump", server_major, ["--format=custom", f"--file={target}"], url, None)


def load(url: str, server_major: int, source: IO[bytes]) -> None:
    """Load a dump in custom format into an empty database. Raises BackupError."""
    options = ["--exit-on-error", "--no-owner", "--no-privileges"]
    _run("pg_restore", server_major, options, url, source)


def _run(
    name: str, server_major: int, options: list[str], url: str, source: IO[bytes] | None
) -> None:
    address = {k: str(v) for k, v in conninfo_to_dict(url).items() if v is not None}
    environment = {**os.environ, "LC_ALL": "C"}
    if password := address.pop("password", ""):  # everybody can read a command line
        environment["PGPASSWORD"] = password
    command = [_find(name, server_major), *options, f"--dbname={make_conninfo('', **address)}"]
    with tempfile.TemporaryFile() as told:
        with subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE if source is not None else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=told,
        ) as process:
            if source is not None and process.stdin is not None:
                with contextlib.suppress(BrokenPipeError):  # it ended early, and says why
                    shutil.copyfileobj(source, process.stdin, PIECE)
                    process.stdin.close()
        told.seek(0)
        said = told.read().decode("utf-8", "replace").strip().splitlines()
    if process.returncode != 0:
        errors = [line for line in said if "error:" in line] or said[-1:]
        raise BackupError(f"{name} failed: {errors[0] if errors else process.returncode}")


def _find(name: str, server_major: int) -> str:
    """The program of the server's own major version, else of the next later one."""
    found: dict[int, str] = {}
    for place in (shutil.which(name), _of_wheel(name)):
        if place and (major := _major(place)) is not None and major >= server_major:
            found.setdefault(major, place)
    if not found:
        raise BackupError(
            f"there is no {name} of PostgreSQL {server_major} or later here: install the client "
            "programs of the server's version"
        )
    return found[min(found)]


def _of_wheel(name: str) -> str | None:
    folder = postgres_home.wheel_programs()
    return None if folder is None else str(folder / name)


def _major(program: str) -> int | None:
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, check=False, timeout=10
        ).stdout
    except OSError:
        return None
    version = re.search(r"\) (\d+)", answer)
    return int(version[1]) if version else None
