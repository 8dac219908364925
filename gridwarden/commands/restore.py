"""`gridwarden restore`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from gridwarden.commands.backup import add_site

if TYPE_CHECKING:
    from gridwarden.commands.kinds import Subparsers


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "restore",
        help="bring a hub back to a backup",
        description="The hub must be stopped. The database as it is now is kept under another "
        "name. Agents send again what they still have once the hub is back.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="what `gridwarden backup` wrote")
    add_site(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Restore it."""
    from gridwarden.backup.restoring import restore
    from gridwarden.backup.site import site_of

    with site_of(chosen.config, chosen.data, alone=True) as site:
        kept = restore(site, chosen.file, say=lambda line: print(line, flush=True))
    print(f"restored from {chosen.file}")
    if kept is not None:
        print(f"the database as it was is kept as {kept}; DROP DATABASE it once you are sure")
    return 0
