"""Being signed in, for tests: an account and a session, without a password to be hashed."""

from __future__ import annotations

from datetime import timedelta

from hub.api.caller import COOKIE
from hub.domain.actor import Role
from hub.domain.sign_in import login_key
from hub.services.context import Hub
from hub.services.passwords import digest_of, new_secret
from hub.store import accounts, sessions

OPERATOR = "Chen Jing"  # the dispatcher on duty of the tests


def signed_in(
    hub: Hub,
    login: str = OPERATOR,
    role: Role = Role.DISPATCHER,
    cells: tuple[str, ...] = (),
    unit: str | None = None,
) -> dict[str, str]:
    """The cookies of a browser that is signed in as that account, which is made where missing."""
    now, secret = hub.now(), new_secret()
    with hub.pool.connection() as conn:
        account = accounts.account_of(conn, login_key(login)) or accounts.add_account(
            conn,
            login=login,
            login_key=login_key(login),
            role=role,
            cells=cells,
            unit=unit,
            person=None,
            password_hash="no password fits",
            by="test",
            at=now,
        )
        assert account is not None
        sessions.begin_session(
            conn,
            account.id,
            digest_of(secret),
            at=now,
            until=now + timedelta(hours=1),
            address="127.0.0.1",
            browser="test",
        )
    return {COOKIE: secret}
