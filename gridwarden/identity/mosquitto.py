"""What Mosquitto reads: passwords, access rules, certificates; written whole, 0600, then reloaded.

    passwords     of the hub and of agents that have one
    acl           exactly the topics each may write and read: an agent's own, at its own station
    ca.crt        the authority that signed the certificates
    revoked.crl   those it takes back
    broker.crt, broker.key   the broker's own
    revision      changes when any of them does: what the container's start script watches

Lines of your own go into `local.passwords` and `local.acl` beside them; they are added as they are.
"""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from contract.topics import PREFIX
from gridwarden.identity import files
from gridwarden.identity.authority import Authority, Issued, Revoked, expiry_of
from gridwarden.identity.errors import IdentityError
from gridwarden.identity.passwords import CHOSEN_ROUNDS, hash_password, matches
from hub.store.enrolments import Credential, Enrolment

PASSWORDS, ACL, CA, CRL, REVISION = "passwords", "acl", "ca.crt", "revoked.crl", "revision"
CERTIFICATE, KEY, NAMES = "broker.crt", "broker.key", "broker.names"
ALWAYS = ("localhost", "127.0.0.1", "::1")  # so that the broker can be looked after where it runs
RENEW_BEFORE = timedelta(days=90)

_HEAD = "# Written by `gridwarden agents`: changes are lost. Yours go into local.{}\n"


@dataclass(frozen=True, slots=True)
class HubLogin:
    """How the hub itself logs in."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"HubLogin({self.username})"


def write_access(
    folder: Path,
    hub: HubLogin,
    enrolments: Sequence[Enrolment],
    authority: Authority,
    revoked: Iterable[Revoked],
    now: datetime,
) -> None:
    """Bring everything but the broker's own certificate up to date. Raises IdentityError."""
    files.make_folder(folder)
    standing = [e for e in enrolments if e.revoked_at is None]
    _write_if_new(folder / ACL, _acl(folder, hub, standing))
    _write_if_new(folder / PASSWORDS, _passwords(folder, hub, standing))
    _write_if_new(folder / CA, authority.certificate)
    files.write(folder / CRL, authority.revocations(revoked, now))
    digest = hashlib.sha256()
    for name in (ACL, PASSWORDS, CA, CRL, CERTIFICATE):
        digest.update(files.read(folder / name) or b"")
    files.write(folder / REVISION, f"{digest.hexdigest()}\n".encode())


def ensure_certificate(
    folder: Path,
    authority: Authority,
    names: Sequence[str],
    usual: Sequence[str],
    now: datetime,
) -> Issued | None:
    """The broker's new certificate, None where the one it has will do.

    names: host names and addresses it is called by; where empty, those of its last certificate;
    where there is none, the usual ones. Raises IdentityError.
    """
    files.make_folder(folder)
    before = (files.read(folder / NAMES) or b"").decode().split()
    wanted = list(dict.fromkeys([*(names or before or usual), *ALWAYS]))
    certificate = files.read(folder / CERTIFICATE)
    key = files.read(folder / KEY)
    same_authority = files.read(folder / CA) in (None, authority.certificate)
    if certificate and key and wanted == before and same_authority:
        try:
            if expiry_of(certificate) - now > RENEW_BEFORE:
                return None
        except ValueError:
            pass  # damaged: made anew
    issued = authority.issue_broker(wanted, now)
    files.write(folder / KEY, issued.key)
    files.write(folder / CERTIFICATE, issued.certificate)
    files.write(folder / NAMES, "\n".join([*wanted, ""]).encode())
    return issued


def broker_expiry(folder: Path) -> datetime | None:
    """When the broker's certificate expires; None where there is none."""
    certificate = files.read(folder / CERTIFICATE)
    try:
        return expiry_of(certificate) if certificate else None
    except ValueError:
        return None


def reload(pid_file: Path) -> bool:
    """Make the running Mosquitto read its files again (SIGHUP); False where none is running.

    Raises IdentityError where we may not.
    """
    try:
        pid = int((files.read(pid_file) or b"").split()[0])
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
        if name != "mosquitto":  # it ended, and its number went to somebody else
            return False
        os.kill(pid, signal.SIGHUP)
    except (IndexError, ValueError, FileNotFoundError, ProcessLookupError):
        return False
    except PermissionError:
        raise IdentityError(
            f"no right to signal mosquitto (process {pid}): run `systemctl reload mosquitto`"
        ) from None
    return True


def _acl(folder: Path, hub: HubLogin, standing: Iterable[Enrolment]) -> bytes:
    lines = [
        _HEAD.format("acl"),
        f"user {hub.username}",
        f"topic read {PREFIX}/+/up/#",
        f"topic write {PREFIX}/+/dn/#",
    ]
    for e in standing:
        for name in dict.fromkeys(n for n in (e.agent, e.login, e.former_login) if n):
            lines += [
                "",
                f"user {name}",
                f"topic write {PREFIX}/{e.station}/up/{e.agent}/#",
                f"topic read {PREFIX}/{e.station}/dn/{e.agent}/#",
            ]
    return "\n".join([*lines, "", ""]).encode() + (files.read(folder / "local.acl") or b"")


def _passwords(folder: Path, hub: HubLogin, standing: Iterable[Enrolment]) -> bytes:
    lines = [f"{hub.username}:{_hub_hash(folder, hub)}"]
    for e in standing:
        if e.credential is Credential.PASSWORD:
            lines.append(f"{e.username}:{e.password_hash}")
        if e.former_login is not None:
            lines.append(f"{e.former_login}:{e.former_hash}")
    local = files.read(folder / "local.passwords") or b""
    return "\n".join([*lines, ""]).encode() + local


def _hub_hash(folder: Path, hub: HubLogin) -> str:
    """The hash the file has already, where it is of this password: nothing need change."""
    prefix = f"{hub.username}:"
    for line in (files.read(folder / PASSWORDS) or b"").decode("utf-8", "replace").splitlines():
        hashed = line.removeprefix(prefix)
        if line.startswith(f"{prefix}$7$") and matches(hub.password, hashed):
            return hashed
    return hash_password(hub.password, CHOSEN_ROUNDS)


def _write_if_new(path: Path, content: bytes) -> None:
    if files.read(path) != content:
        files.write(path, content)
