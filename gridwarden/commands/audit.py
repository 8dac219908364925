"""`gridwarden audit`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from gridwarden.commands.kinds import rows_at_most

if TYPE_CHECKING:
    from gridwarden.commands.kinds import Subparsers


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "audit",
        help="who did or saw what, when, from where",
        description="The newest first, times in UTC. Nothing in the log can be changed.",
    )
    parser.add_argument("--who", metavar="NAME", help="a staff number or login")
    parser.add_argument(
        "--about", metavar="WHAT", help="number of an event, digest, agent or login"
    )
    parser.add_argument("--outcome", choices=("done", "refused", "failed"))
    parser.add_argument(
        "--limit", type=rows_at_most, default=50, metavar="N", help="entries at most (50)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document a line")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the hub's settings (TOML)")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Show the log."""
    import msgspec

    from gridwarden.received import opened
    from hub.config import load
    from hub.store.audit import entries

    with opened(load(chosen.config, os.environ)) as hub, hub.pool.connection() as conn:
        found = entries(
            conn,
            actor=chosen.who,
            subject=chosen.about,
            outcome=chosen.outcome,
            limit=chosen.limit,
        )
    for e in found:
        if chosen.json:
            print(msgspec.json.encode(e).decode())
            continue
        role = f" ({e.role})" if e.role else ""
        place = f" from {e.address}" if e.address else ""
        told = f": {e.detail}" if e.detail else ""
        print(
            f"{e.at:%Y-%m-%d %H:%M:%S}  {e.actor}{role}{place} by {e.via}  "
            f"{e.action} {e.subject}{told}  {e.outcome or 'CUT OFF'}"
        )
    if not found and not chosen.json:
        print("no such entry")
    return 0
