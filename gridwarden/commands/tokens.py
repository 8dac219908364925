"""`gridwarden tokens create | list | revoke`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gridwarden.commands.accounts import by, codes, role_named
from gridwarden.commands.kinds import row_id

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from gridwarden.commands.kinds import Subparsers
    from hub.services.context import Hub

USUAL_DAYS = 90


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "tokens",
        help="what programs send instead of signing in: create, list, revoke",
        description="A token acts as its account, in its role and cells or fewer, and is sent as "
        "Authorization: Bearer TOKEN. It is shown once.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    create = actions.add_parser("create", help="a token of an account; it is shown once")
    create.add_argument("login", metavar="LOGIN", help="the account it is of")
    create.add_argument("--name", required=True, metavar="TEXT", help="what it is for")
    create.add_argument("--role", metavar="R", help="monitor, or the account's, as without")
    create.add_argument(
        "--cells", type=codes, default=(), metavar="CODE,...", help="fewer than its account has"
    )
    create.add_argument(
        "--days", type=int, default=USUAL_DAYS, metavar="N", help=f"its life ({USUAL_DAYS})"
    )
    create.set_defaults(run=run_create)
    listing = actions.add_parser("list", help="every token, and when it was last used")
    listing.add_argument("login", metavar="LOGIN", nargs="?", help="only of this account")
    listing.set_defaults(run=run_list)
    revoke = actions.add_parser("revoke", help="of no use at once")
    revoke.add_argument("id", type=row_id, metavar="ID", help="as `list` tells it")
    revoke.set_defaults(run=run_revoke)
    for action in (create, listing, revoke):
        action.add_argument("--config", type=Path, metavar="FILE", help="the hub's settings (TOML)")


def run_create(chosen: argparse.Namespace) -> int:
    """Make a token and show it."""
    from hub.services.accounts import create_token

    role = role_named(chosen.role) if chosen.role else None
    with _hub(chosen) as hub, hub.pool.connection() as conn:
        token = create_token(
            conn,
            hub,
            chosen.login,
            name=chosen.name,
            role=role,
            cells=chosen.cells,
            days=chosen.days,
            by=by(),
        )
    print(f"the token, shown this once, for {chosen.days} days:", file=sys.stderr)
    print(token)
    return 0


def run_list(chosen: argparse.Namespace) -> int:
    """Every token."""
    from hub.services.accounts import find_account
    from hub.store.tokens import every_token

    with _hub(chosen) as hub, hub.pool.connection() as conn:
        account = find_account(conn, chosen.login).id if chosen.login else None
        found, now = every_token(conn, account), hub.now()
    if not found:
        print("there is no token: gridwarden tokens create LOGIN --name TEXT")
    for t in found:
        used = (
            f"last used {t.last_used_at:%Y-%m-%d %H:%M} from {t.last_used_from}"
            if t.last_used_at
            else "never used"
        )
        over = (
            f"REVOKED {t.revoked_at:%Y-%m-%d}"
            if t.revoked_at
            else f"EXPIRED {t.expires_at:%Y-%m-%d}"
            if t.expires_at <= now
            else f"until {t.expires_at:%Y-%m-%d}"
        )
        where = f" in {', '.join(t.cells)}" if t.cells else ""
        print(f"{t.id}  {t.login}: {t.name}, {t.role}{where}, {used}, {over}")
    return 0


def run_revoke(chosen: argparse.Namespace) -> int:
    """Revoke a token."""
    from hub.services.accounts import revoke_token

    with _hub(chosen) as hub, hub.pool.connection() as conn:
        token = revoke_token(conn, hub, chosen.id, by())
    print(f"token {token.id} of {token.login} ({token.name}) is revoked")
    return 0


def _hub(chosen: argparse.Namespace) -> AbstractContextManager[Hub]:
    from gridwarden.received import opened
    from hub.config import load

    return opened(load(chosen.config, os.environ))
