"""`gridwarden district`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridwarden.commands.kinds import Subparsers


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser("district", help="write the demo district as GeoJSON")
    parser.add_argument("file", type=Path, metavar="FILE", help="what to write")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Write it."""
    from gridwarden.district import write_district

    write_district(chosen.file)
    return 0
