"""Accounts and tokens: made, disabled, revoked. Each of these acts stands in the audit log."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from psycopg import Connection

from hub.domain.actor import Role
from hub.domain.capacity import Capacity, choose
from hub.domain.errors import ConflictError, InvalidError, NotFoundError
from hub.domain.sign_in import check_login, check_password, login_key
from hub.services.context import Hub
from hub.services.handed_in import check_text
from hub.services.passwords import Passwords, digest_of, new_token
from hub.services.posts_of_accounts import capacities_of, of_person
from hub.services.signing_in import within
from hub.store import accounts, audit, people, sessions, tokens
from hub.store.accounts import Account
from hub.store.tokens import Token

# whom an account may be of; devices and rules act by themselves
ROLES = (
    Role.ASSISTANT,
    Role.LEADER,
    Role.MASTER,
    Role.DISPATCHER,
    Role.DEPT,
    Role.SUPERVISOR,
    Role.CITIZEN,
    Role.MONITOR,
)
SYSTEMS_ONLY = (Role.CITIZEN, Role.MONITOR)  # nobody signs in to the console in these


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account as it is asked for.

    role None: what the person's posts say, of several the most responsible. password None: a
    system, which is given tokens.
    """

    login: str
    role: Role | None
    password: str | None
    cells: tuple[str, ...] = ()
    unit: str | None = None
    person: str | None = None


def create_account(conn: Connection[Any], hub: Hub, asked: NewAccount, by: str) -> Account:
    """The new account. Raises InvalidError and ConflictError."""
    check_login(asked.login)
    for name in ("unit", "person"):
        check_text(name, getattr(asked, name) or "", 64)
    used = _capacity(conn, hub, asked)
    if asked.password is not None and used.role in SYSTEMS_ONLY:
        raise InvalidError(
            f"{used.role} is for systems, which have tokens and no password", field="role"
        )
    hashed = None
    if asked.password is not None:
        check_password(asked.password, asked.login, hub.config.accounts.least_password)
        hashed = Passwords(hub.config.accounts).hashed(asked.password)
    account = accounts.add_account(
        conn,
        login=asked.login,
        login_key=login_key(asked.login),
        role=used.role,
        cells=() if asked.person else used.cells,
        unit=used.unit,
        person=asked.person,
        password_hash=hashed,
        by=by,
        at=hub.now(),
    )
    if account is None:
        raise ConflictError(
            f"there is an account {asked.login!r} already"
            + (f", or {asked.person} has one" if asked.person else "")
        )
    place = f" in {', '.join(used.cells)}" if used.cells else ""
    note(conn, hub, by, "create_account", account.login, f"{account.role}{place}")
    return account


def _capacity(conn: Connection[Any], hub: Hub, asked: NewAccount) -> Capacity:
    """In what a new account is usually used; raises InvalidError."""
    if asked.role is not None and asked.role not in ROLES:
        raise InvalidError(f"no account has the role {asked.role}: {_words(ROLES)}", field="role")
    if asked.person is None:
        if asked.role is None:
            raise InvalidError("say the role, or whose account it is", field="role")
        check_cells(hub, asked.cells)
        return Capacity(asked.role, asked.cells, asked.unit)
    if asked.cells or asked.unit:
        raise InvalidError(
            f"cells and unit follow from the posts of {asked.person}: leave them out",
            field="cells" if asked.cells else "unit",
        )
    try:
        people.by_code(conn, asked.person)
    except NotFoundError as e:
        raise InvalidError(str(e), field="person") from None
    held = of_person(conn, asked.person, hub.now())
    if not held:
        raise InvalidError(f"{asked.person} left, or holds no post yet", field="person")
    used = choose(held, (asked.role, None))
    if used is None or asked.role not in (None, used.role):
        raise InvalidError(
            f"{asked.person} is no {asked.role}: {'; '.join(map(str, held))}", field="role"
        )
    return used


def disable_account(conn: Connection[Any], hub: Hub, login: str, by: str) -> Account:
    """From now on it is of no use, nor are its sessions and tokens. Raises NotFoundError."""
    account = find_account(conn, login)
    now = hub.now()
    accounts.set_disabled(conn, account.id, account.disabled_at or now)
    ended = sessions.end_sessions(conn, account.id, now)
    revoked = tokens.revoke_tokens(conn, account.id, now)
    note(
        conn,
        hub,
        by,
        "disable_account",
        account.login,
        f"{ended} sessions ended, {revoked} tokens revoked",
    )
    return account


def enable_account(conn: Connection[Any], hub: Hub, login: str, by: str) -> Account:
    """It may be used again, with the password it had; its tokens stay revoked."""
    account = find_account(conn, login)
    accounts.set_disabled(conn, account.id, None)
    note(conn, hub, by, "enable_account", account.login)
    return account


def reset_password(conn: Connection[Any], hub: Hub, login: str, password: str, by: str) -> Account:
    """Another password, without the old one; whoever is signed in is signed out.

    Raises NotFoundError and InvalidError.
    """
    account = find_account(conn, login)
    if account.password_hash is None:
        raise InvalidError(
            f"{account.login} is a system and has no password: make it a token", field="login"
        )
    check_password(password, account.login, hub.config.accounts.least_password)
    now = hub.now()
    accounts.set_password(conn, account.id, Passwords(hub.config.accounts).hashed(password), now)
    ended = sessions.end_sessions(conn, account.id, now)
    note(conn, hub, by, "reset_password", account.login, f"{ended} sessions ended")
    return account


def create_token(
    conn: Connection[Any],
    hub: Hub,
    login: str,
    *,
    name: str,
    role: Role | None,
    cells: tuple[str, ...],
    days: int,
    by: str,
) -> str:
    """The token, which is nowhere to be read again. Raises NotFoundError and InvalidError."""
    account = find_account(conn, login)
    if account.disabled_at is not None:
        raise InvalidError(f"{account.login} is disabled: enable it first", field="login")
    check_text("name", name, 64, needed=True)
    wanted = role or account.role
    used = choose(
        capacities_of(conn, account, hub.now()), (wanted, account.unit), (account.role, None)
    )
    if used is None:
        raise InvalidError(f"{account.person} left, or holds no post", field="login")
    if wanted not in (used.role, Role.MONITOR):
        raise InvalidError(
            f"{account.login} is {used.role}: a token of it is that, or monitor", field="role"
        )
    check_cells(hub, cells)
    if cells and within(cells, used.cells) != cells:
        raise InvalidError(
            f"{account.login} may act in {', '.join(used.cells)} only", field="cells"
        )
    most = hub.config.accounts.token_days
    if not 1 <= days <= most:
        raise InvalidError(f"a token lives 1 to {most} days, got {days}", field="days")
    token, now = new_token(), hub.now()
    id = tokens.add_token(
        conn,
        account.id,
        digest_of(token),
        name=name,
        role=wanted,
        cells=cells,
        by=by,
        at=now,
        until=now + timedelta(days=days),
    )
    note(conn, hub, by, "create_token", account.login, f"token {id} {name!r}, {wanted}, {days} d")
    return token


def revoke_token(conn: Connection[Any], hub: Hub, id: int, by: str) -> Token:
    """The token, of no use from now on. Raises NotFoundError."""
    token = tokens.revoke_token(conn, id, hub.now())
    if token is None:
        raise NotFoundError("token", str(id))
    note(conn, hub, by, "revoke_token", token.login, f"token {id} {token.name!r}")
    return token


def find_account(conn: Connection[Any], login: str) -> Account:
    """The account of a login, however it is written; raises NotFoundError."""
    account = accounts.account_of(conn, login_key(login))
    if account is None:
        raise NotFoundError("account", login)
    return account


def check_cells(hub: Hub, cells: Collection[str]) -> None:
    """Raise InvalidError where a code is none, or no cell of the grid begins with it."""
    for code in cells:
        if not (code.isascii() and code.isdigit() and len(code) <= 15):
            raise InvalidError(f"{code!r} is no grid code, nor the beginning of one", field="cells")
        if hub.grid.cells and not any(c.startswith(code) for c in hub.grid.cells):
            raise InvalidError(f"no cell of the grid begins with {code}", field="cells")


def note(
    conn: Connection[Any], hub: Hub, by: str, action: str, subject: str, detail: str = ""
) -> None:
    """Something done at the command line, as the audit log tells it."""
    audit.write(
        conn,
        at=hub.now(),
        actor=by,
        role="",
        login="",
        via="command",
        address="",
        action=action,
        subject=subject,
        detail=detail,
    )


def _words(roles: Collection[Role]) -> str:
    return ", ".join(roles)
