"""Signing in by password or by a link, staying signed in, signing out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor, Role
from hub.domain.capacity import Capacity, choose
from hub.domain.errors import InvalidError, SignedOutError, TooManyTriesError
from hub.domain.sign_in import LONGEST_LOGIN, LONGEST_PASSWORD, check_password, login_key, net_of
from hub.services.context import Hub
from hub.services.passwords import Passwords, digest_of, new_secret
from hub.services.posts_of_accounts import actor_of, capacities_of, usual
from hub.store import accounts, audit, people, sessions, tokens
from hub.store.accounts import Account
from hub.store.locks import lock

KNOWN_FOR = timedelta(days=30)  # a net somebody signed in from is theirs for so long
KEEP = timedelta(days=60)  # tries, links and sessions that are over
_LINK_LIVES = timedelta(minutes=10)
_FORGET_AT_ONCE = 1000
WRONG = "login or password is wrong, or the account is disabled"
_NO_POST = "left, or holds no post"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, how they showed it, and from where."""

    actor: Actor
    account: int
    login: str
    via: str  # session | token
    key: int  # id of the session or token
    address: str
    expires_at: datetime
    capacities: tuple[Capacity, ...] = ()  # in which they may act, this one among them
    known_as: str = ""  # the person's name; empty: the login is all there is


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that began: the secret is the browser's alone."""

    account: Account
    role: Role
    secret: str
    until: datetime


def sign_in(hub: Hub, login: str, password: str, address: str, browser: str) -> SignedIn:
    """A new session for the right password.

    Raises TooManyTriesError before anything is looked at, and SignedOutError, the same whether
    there is no such account, it is disabled, or the password is another.
    """
    key, now = login_key(login)[:LONGEST_LOGIN], hub.now()
    with hub.pool.connection() as conn:
        id = _admit(conn, hub, key, net_of(address), now)
        account = accounts.account_of(conn, key)
        found = capacities_of(conn, account, now) if account is not None else ()
    passwords = Passwords(hub.config.accounts)
    stored = account.password_hash if account is not None else None
    right = len(password) <= LONGEST_PASSWORD and passwords.fits(stored, password)
    used = usual(account, found) if account is not None else None
    if account is None or used is None or account.disabled_at is not None or not right:
        with hub.pool.connection() as conn:
            # what is typed as an unknown login may be somebody's password: it is not kept
            if account is None:
                _note(conn, now, "-", "", "password", address, audit.REFUSED, "unknown login")
            else:
                disabled = account.disabled_at is not None
                why = "wrong password" if not right else "disabled" if disabled else _NO_POST
                _note(
                    conn,
                    now,
                    account.name,
                    account.role,
                    "password",
                    address,
                    audit.REFUSED,
                    why,
                    account.login,
                )
        raise SignedOutError(WRONG)
    with hub.pool.connection() as conn:
        sessions.try_succeeded(conn, id)
        if passwords.is_outdated(account.password_hash or ""):
            accounts.set_password(conn, account.id, passwords.hashed(password), now)
        return _begin(conn, hub, account, used, "password", address, browser)


def sign_in_by_link(hub: Hub, secret: str, address: str, browser: str) -> SignedIn:
    """A new session by a link, which is used up; raises SignedOutError."""
    with hub.pool.connection() as conn:
        id = sessions.use_link(conn, digest_of(secret), hub.now())
        account = accounts.account_by_id(conn, id) if id is not None else None
        if account is not None and account.disabled_at is None:
            used = usual(account, capacities_of(conn, account, hub.now()))
            if used is not None:
                return _begin(conn, hub, account, used, "link", address, browser)
    raise SignedOutError("this link was used already, or is too old: sign in with your password")


def make_link(conn: Connection[Any], hub: Hub, account: Account) -> str:
    """The secret of a link that signs an account in once, within ten minutes."""
    secret, now = new_secret(), hub.now()
    sessions.add_link(conn, account.id, digest_of(secret), at=now, until=now + _LINK_LIVES)
    return secret


def by_session(hub: Hub, secret: str, address: str) -> Caller | None:
    """Who holds this session; None where it ended, expired or stood idle, or its person left.

    They act as they chose; where they hold that post no longer, as usual.
    """
    now = hub.now()
    idle_since = now - timedelta(minutes=hub.config.accounts.idle_minutes)
    with hub.pool.connection() as conn:
        session = sessions.use_session(conn, digest_of(secret), now, idle_since)
        account = accounts.account_by_id(conn, session.account) if session else None
        if session is None or account is None or account.disabled_at is not None:
            return None
        found = capacities_of(conn, account, now)
        known_as = people.by_code(conn, account.person).name if account.person else ""
    used = choose(found, (session.role, session.unit), (account.role, account.unit))
    if used is None:
        return None
    return Caller(
        actor_of(account, used),
        account.id,
        account.login,
        "session",
        session.id,
        address,
        session.expires_at,
        found,
        known_as,
    )


def switch(hub: Hub, caller: Caller, role: str, unit: str | None) -> Capacity:
    """From now on they act in another of their posts, in this session.

    Raises InvalidError where it is none of theirs.
    """
    wanted = next((c for c in caller.capacities if (c.role, c.unit) == (role, unit)), None)
    if wanted is None or caller.via != "session":
        raise InvalidError(
            f"{caller.actor.name} is no {role}{f' of {unit}' if unit else ''}: "
            + "; ".join(map(str, caller.capacities)),
            field="role",
        )
    with hub.pool.connection() as conn:
        sessions.act_in(conn, caller.key, wanted.role, wanted.unit)
    return wanted


def by_token(hub: Hub, secret: str, address: str) -> Caller | None:
    """Whose token this is; None where it is none, or no longer.

    It acts in its own role and cells, as far as they are the account's, or its person's, still.
    """
    now = hub.now()
    with hub.pool.connection() as conn:
        token = tokens.use_token(conn, digest_of(secret), now, address)
        account = accounts.account_by_id(conn, token.account) if token else None
        if token is None or account is None or account.disabled_at is not None:
            return None
        found = capacities_of(conn, account, now)
    used = choose(found, (token.role, account.unit), (account.role, account.unit))
    if used is None or token.role not in (used.role, Role.MONITOR):
        return None  # the account has another role since, or its person has no post any more
    cells = within(token.cells, used.cells)
    if cells is None:
        return None  # the account lost every cell it was for
    actor = Actor(account.name, token.role, cells, used.unit)
    return Caller(actor, account.id, account.login, "token", token.id, address, token.expires_at)


def within(wanted: tuple[str, ...], granted: tuple[str, ...]) -> tuple[str, ...] | None:
    """What of the wanted subtrees lies in the granted ones; None: nothing. Empty means all."""
    if not wanted or not granted:
        return wanted or granted
    both = [w for w in wanted if w.startswith(granted)]
    both += [g for g in granted if g.startswith(wanted) and g not in both]
    return tuple(both) or None


def sign_out(hub: Hub, caller: Caller, *, everywhere: bool) -> None:
    """End this session, or every session of the account."""
    with hub.pool.connection() as conn:
        if everywhere:
            sessions.end_sessions(conn, caller.account, hub.now())
        elif caller.via == "session":
            sessions.end_session(conn, caller.key, hub.now())


def change_password(hub: Hub, caller: Caller, old: str, new: str) -> None:
    """Another password, by who knows the present one; ends every other session and all links.

    Raises InvalidError and TooManyTriesError.
    """
    now, config = hub.now(), hub.config.accounts
    key, net = login_key(caller.login), net_of(caller.address)
    with hub.pool.connection() as conn:
        id = _admit(conn, hub, key, net, now)
        account = accounts.account_by_id(conn, caller.account)
    passwords = Passwords(config)
    stored = account.password_hash if account is not None else None
    if not passwords.fits(stored, old[: LONGEST_PASSWORD + 1]):
        raise InvalidError("the present password is another", field="old")
    with hub.pool.connection() as conn:
        sessions.try_succeeded(conn, id)
    check_password(new, caller.login, config.least_password)
    hashed = passwords.hashed(new)
    with hub.pool.connection() as conn:
        accounts.set_password(conn, caller.account, hashed, now)
        for session in sessions.open_sessions(conn, caller.account, now):
            if caller.via != "session" or session.id != caller.key:
                sessions.end_session(conn, session.id, now)


def forget_old(conn: Connection[Any], hub: Hub) -> int:
    """Delete tries, links and sessions that are over long since, so many at once; how many."""
    return sessions.forget(conn, hub.now() - KEEP, _FORGET_AT_ONCE)


def _admit(conn: Connection[Any], hub: Hub, key: str, net: str, now: datetime) -> int:
    """Count a try before it is looked at, so that many at once are no more than the limit."""
    config = hub.config.accounts
    window = timedelta(minutes=config.tries_minutes)
    lock(conn, ["sign-in"])
    held = [
        sessions.nth_failure_of_login(
            conn, key, net, n=config.tries_per_login, since=now - window, known=now - KNOWN_FOR
        ),
        sessions.nth_failure_of_net(conn, net, n=config.tries_per_address, since=now - window),
    ]
    if any(held):
        until = max(at for at in held if at is not None) + window
        raise TooManyTriesError(max(1, round((until - now).total_seconds())))
    return sessions.add_try(conn, key, net, now)


def _begin(
    conn: Connection[Any],
    hub: Hub,
    account: Account,
    used: Capacity,
    via: str,
    address: str,
    browser: str,
) -> SignedIn:
    secret, now = new_secret(), hub.now()
    until = now + timedelta(hours=hub.config.accounts.longest_hours)
    sessions.begin_session(
        conn,
        account.id,
        digest_of(secret),
        at=now,
        until=until,
        address=address,
        browser=browser[:200],
    )
    _note(conn, now, account.name, used.role, via, address, audit.DONE, "", account.login)
    return SignedIn(account, used.role, secret, until)


def _note(
    conn: Connection[Any],
    at: datetime,
    actor: str,
    role: str,
    via: str,
    address: str,
    outcome: str,
    detail: str,
    login: str = "",
) -> None:
    audit.write(
        conn,
        at=at,
        actor=actor,
        role=role,
        login=login,
        via=via,
        address=address,
        action="sign_in",
        subject=login or actor,
        detail=detail,
        outcome=outcome,
    )
