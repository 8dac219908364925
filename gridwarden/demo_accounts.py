"""The accounts of a demo: one person's for each role, with passwords in a file for its owner."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from psycopg import Connection

from gridwarden.district import CENTRE
from hub.domain.actor import Role
from hub.domain.sign_in import login_key
from hub.services.accounts import NewAccount, create_account
from hub.services.context import Hub
from hub.services.passwords import new_password
from hub.services.signing_in import make_link
from hub.store import accounts, people

FILE = "accounts.txt"
OPERATOR = "dispatcher"
_BY = "gridwarden demo"
_UNIT = "urban"  # whose officer signs in: most of what the demo's cameras see is theirs
_ROLES = {
    OPERATOR: Role.DISPATCHER,
    "master": Role.MASTER,
    "supervisor": Role.SUPERVISOR,
    "leader": Role.LEADER,
    "assistant": Role.ASSISTANT,
    "department": Role.DEPT,
}
_HEAD = """# Who may sign in to this demo. `gridwarden demo --fresh` makes others.
"""


def prepare_accounts(hub: Hub, folder: Path) -> str | None:
    """Make the accounts that are missing; the secret of a link that signs the operator in once.

    None where an account of the operator's name is somebody else's. The file in `folder` is for
    its owner's eyes only.
    """
    path = folder / FILE
    known = _read(path)
    for login, role in _ROLES.items():
        password = _make(hub, login, role)
        if password is not None:
            known[login] = password
            _write(path, known)  # before the next one: a demo that is killed loses none
    if OPERATOR not in known:
        return None
    with hub.pool.connection() as conn:
        account = accounts.account_of(conn, OPERATOR)
        return make_link(conn, hub, account) if account is not None else None


def _make(hub: Hub, login: str, role: Role) -> str | None:
    """The password of a new account; None where there is one of that name."""
    password = new_password()
    with hub.pool.connection() as conn:
        if accounts.account_of(conn, login_key(login)) is not None:
            return None
        cells = _cells(hub, role)
        person = _person(conn, hub, role, cells)
        asked = NewAccount(login, role, password, () if person else cells, None, person)
        create_account(conn, hub, asked, _BY)
    return password


def _cells(hub: Hub, role: Role) -> tuple[str, ...]:
    """A leader has the secondary grid in the middle, an assistant one basic grid of it."""
    middle = hub.grid.locate(CENTRE)
    if middle is None or role not in (Role.LEADER, Role.ASSISTANT):
        return ()
    return (middle.code if role is Role.ASSISTANT else middle.parent or middle.code,)


def _person(conn: Connection[Any], hub: Hub, role: Role, cells: tuple[str, ...]) -> str | None:
    """The first who holds that post there and has no account yet; None where there is nobody."""
    cell = cells[0] if cells else hub.config.hub.district
    unit = _UNIT if role is Role.DEPT else None
    taken = {a.person for a in accounts.every_account(conn)}
    held = people.holders(conn, role, cell, hub.now(), unit=unit)
    return next((p.code for p in held if p.code not in taken), None)


def _read(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.split() for line in lines if not line.startswith("#"))
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def _write(path: Path, known: Mapping[str, str]) -> None:
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as f:
        f.write(_HEAD + "".join(f"{login:<12}{password}\n" for login, password in known.items()))
    draft.replace(path)
