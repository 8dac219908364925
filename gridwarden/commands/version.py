"""`gridwarden version`."""

from __future__ import annotations

import argparse
import platform
from typing import TYPE_CHECKING

from gridwarden import __version__

if TYPE_CHECKING:
    from gridwarden.commands.kinds import Subparsers


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser("version", help="print the version")
    parser.set_defaults(run=run)


def run(_chosen: argparse.Namespace) -> int:
    """Print it, with what a bug report needs."""
    print(f"gridwarden {__version__} (Python {platform.python_version()}, {platform.platform()})")
    return 0
