"""`gridwarden accounts create | list | disable | enable | reset-password | link | roles`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from contract.errors import GridwardenError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from gridwarden.commands.kinds import Subparsers
    from hub.domain.actor import Role
    from hub.services.context import Hub


class PasswordError(GridwardenError, ValueError):
    """A password was not typed twice the same."""


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "accounts",
        help="say who may sign in, in which role and where: create, list, disable",
        description="Works on the hub's database. There is no account and no password until one is "
        "made here. What is done here stands in the audit log.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    create = actions.add_parser("create", help="an account; its password is shown once")
    create.add_argument("login", metavar="LOGIN")
    create.add_argument(
        "--role",
        metavar="R",
        help="see: gridwarden accounts roles; with --person one of their posts, and not needed",
    )
    create.add_argument(
        "--cells",
        type=codes,
        default=(),
        metavar="CODE,...",
        help="grid codes, or their beginnings, to whose subtrees it is limited; "
        "without: the whole district",
    )
    create.add_argument("--unit", metavar="CODE", help="the department or station it acts for")
    create.add_argument(
        "--person",
        metavar="CODE",
        help="staff number that histories name: role, cells and unit follow from their posts",
    )
    how = create.add_mutually_exclusive_group()
    how.add_argument("--ask", action="store_true", help="ask for a password instead of making one")
    how.add_argument(
        "--system", action="store_true", help="a program: no password, it is given tokens"
    )
    create.set_defaults(run=run_create)

    listing = actions.add_parser("list", help="every account, and where it may act")
    listing.set_defaults(run=run_list)

    disable = actions.add_parser("disable", help="of no use at once, with its sessions and tokens")
    disable.set_defaults(run=run_disable)
    enable = actions.add_parser("enable", help="may be used again; its tokens stay revoked")
    enable.set_defaults(run=run_enable)
    reset = actions.add_parser("reset-password", help="another password; signs out everywhere")
    reset.add_argument("--ask", action="store_true", help="ask for it instead of making one")
    reset.set_defaults(run=run_reset)
    link = actions.add_parser("link", help="a link that signs in once, within ten minutes")
    link.set_defaults(run=run_link)
    for action in (disable, enable, reset, link):
        action.add_argument("login", metavar="LOGIN")

    roles = actions.add_parser("roles", help="what each role may do")
    roles.set_defaults(run=run_roles)
    for action in (create, listing, disable, enable, reset, link):
        action.add_argument("--config", type=Path, metavar="FILE", help="the hub's settings (TOML)")


def run_create(chosen: argparse.Namespace) -> int:
    """Make an account and show its password."""
    from hub.services.accounts import NewAccount, create_account
    from hub.services.passwords import new_password

    role = role_named(chosen.role) if chosen.role else None
    with _hub(chosen) as hub:
        password = None if chosen.system else _asked() if chosen.ask else new_password()
        asked = NewAccount(chosen.login, role, password, chosen.cells, chosen.unit, chosen.person)
        with hub.pool.connection() as conn:
            account = create_account(conn, hub, asked, by=by())
    where = f"in {', '.join(account.cells)}" if account.cells else "in the whole district"
    if account.person:
        where = f"by the posts of {account.person}"
    print(f"account {account.login!r} is {account.role} {where}", file=sys.stderr)
    if chosen.system:
        print(f"give it a token: gridwarden tokens create {account.login} --name NAME")
    elif not chosen.ask:
        _show(password or "")
    return 0


def run_list(chosen: argparse.Namespace) -> int:
    """Every account."""
    from hub.store.accounts import every_account

    with _hub(chosen) as hub, hub.pool.connection() as conn:
        found = every_account(conn)
    if not found:
        print("there is no account yet: gridwarden accounts create LOGIN --role dispatcher")
    for a in found:
        place = f"in {', '.join(a.cells) or 'the whole district'}"
        where = f"by the posts of {a.person}" if a.person else place
        kind = "" if a.password_hash else ", a system"
        unit = f" for {a.unit}" if a.unit else ""
        state = f"  DISABLED {a.disabled_at:%Y-%m-%d}" if a.disabled_at else ""
        print(f"{a.login}  {a.role}{unit} {where}{kind}{state}")
    return 0


def run_disable(chosen: argparse.Namespace) -> int:
    """Disable an account."""
    from hub.services.accounts import disable_account

    with _hub(chosen) as hub, hub.pool.connection() as conn:
        account = disable_account(conn, hub, chosen.login, by())
    print(f"account {account.login!r} is disabled; its sessions and tokens are of no use any more")
    return 0


def run_enable(chosen: argparse.Namespace) -> int:
    """Enable an account again."""
    from hub.services.accounts import enable_account

    with _hub(chosen) as hub, hub.pool.connection() as conn:
        account = enable_account(conn, hub, chosen.login, by())
    print(f"account {account.login!r} may be used again, with the password it had")
    return 0


def run_reset(chosen: argparse.Namespace) -> int:
    """Set another password and show it."""
    from hub.services.accounts import reset_password
    from hub.services.passwords import new_password

    with _hub(chosen) as hub:
        password = _asked() if chosen.ask else new_password()
        with hub.pool.connection() as conn:
            account = reset_password(conn, hub, chosen.login, password, by())
    print(f"account {account.login!r} has another password and is signed out", file=sys.stderr)
    if not chosen.ask:
        _show(password)
    return 0


def run_link(chosen: argparse.Namespace) -> int:
    """Show a link that signs in once."""
    from hub.services.accounts import find_account, note
    from hub.services.signing_in import make_link

    with _hub(chosen) as hub, hub.pool.connection() as conn:
        account = find_account(conn, chosen.login)
        secret = make_link(conn, hub, account)
        note(conn, hub, by(), "make_link", account.login)
        http = hub.config.http
    host = http.allowed_hosts[0] if http.allowed_hosts else f"{http.host}:{http.port}"
    print("it signs in once, within ten minutes, whoever opens it:", file=sys.stderr)
    print(f"http://{host}/sign-in/once/{secret}")
    return 0


def run_roles(_chosen: argparse.Namespace) -> int:
    """What each role may do."""
    from hub.domain.lifecycle import load_lifecycle
    from hub.services.accounts import ROLES, SYSTEMS_ONLY

    lifecycle = load_lifecycle()
    for role in ROLES:
        steps = [
            step.name
            for step in (*lifecycle.transitions.values(), *lifecycle.acts.values())
            if role in step.by
        ]
        kind = "  (systems only)" if role in SYSTEMS_ONLY else ""
        print(f"{role}{kind}\n    {', '.join(steps) or 'the figures at /metrics'}")
    return 0


def role_named(name: str) -> Role:
    """The role of that name; raises InvalidError naming those there are."""
    from hub.domain.errors import InvalidError
    from hub.services.accounts import ROLES

    for role in ROLES:
        if role == name:
            return role
    raise InvalidError(f"no account has the role {name!r}; there are {', '.join(ROLES)}")


def by() -> str:
    """Who acts on the command line, as the audit log names them."""
    from gridwarden.received import myself

    return myself().name


def _hub(chosen: argparse.Namespace) -> AbstractContextManager[Hub]:
    from gridwarden.received import opened
    from hub.config import load

    return opened(load(chosen.config, os.environ))


def _asked() -> str:
    from getpass import getpass

    password = getpass("Password: ")
    if password != getpass("Once more: "):
        raise PasswordError("the two passwords differ: nothing was changed")
    return password


def _show(password: str) -> None:
    print("its password, shown this once:", file=sys.stderr)
    print(password)


def codes(text: str) -> tuple[str, ...]:
    """Grid codes with commas between."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
