"""`gridwarden assets`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridwarden.commands.kinds import Subparsers


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "assets", help="fetch the console's browser libraries, so that it works without internet"
    )
    parser.add_argument("folder", nargs="?", type=Path, help="where to put them")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Fetch them, unless they are there."""
    from gridwarden.assets import default_folder, fetch_assets

    target = (chosen.folder or default_folder()).absolute()
    print(f"console assets are in {fetch_assets(target, print)}")
    return 0
