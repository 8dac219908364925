"""`gridwarden backup`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridwarden.commands.kinds import Subparsers


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "backup",
        help="write a hub's database and evidence into one file, while it works",
        description="The hub goes on meanwhile. `gridwarden restore FILE` brings it back.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="what to write; must not exist")
    add_site(parser)
    parser.add_argument(
        "--without-evidence", action="store_true", help="only the database, not the pictures"
    )
    parser.set_defaults(run=run)


def add_site(parser: argparse.ArgumentParser) -> None:
    """Declare how the hub is named."""
    site = parser.add_mutually_exclusive_group()
    site.add_argument("--config", type=Path, metavar="FILE", help="the hub's settings (TOML)")
    site.add_argument("--data", type=Path, metavar="FOLDER", help="the data folder of a demo")


def run(chosen: argparse.Namespace) -> int:
    """Take the backup."""
    from gridwarden.backup.site import site_of
    from gridwarden.backup.taking import back_up

    with site_of(chosen.config, chosen.data, alone=False) as site:
        back_up(site, chosen.file, with_evidence=not chosen.without_evidence, say=_say)
    print(f"backed up to {chosen.file}")
    return 0


def _say(line: str) -> None:
    print(line, flush=True)
