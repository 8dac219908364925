"""`gridwarden assessment bulletin`."""

from __future__ import annotations

import argparse
import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridwarden.commands.kinds import Subparsers


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "assessment",
        help="figures about everyone's work: the bulletin of a month",
        description="Figures computed from the histories of grid events alone.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    bulletin = actions.add_parser(
        "bulletin", help="write the bulletin of a month as a page and as CSV"
    )
    bulletin.add_argument("--month", type=_month, required=True, metavar="YYYY-MM")
    bulletin.add_argument(
        "--out", type=Path, default=Path(), metavar="FOLDER", help="where to; here by default"
    )
    bulletin.add_argument("--config", type=Path, metavar="FILE", help="the hub's settings (TOML)")
    bulletin.set_defaults(run=run_bulletin)


def run_bulletin(chosen: argparse.Namespace) -> int:
    """Compute the month and the one before, and write both files."""
    from gridwarden.bulletin import write_bulletin
    from gridwarden.received import opened
    from gridwarden.serving import tune_interpreter
    from hub.config import load

    tune_interpreter()  # a month is up to some million objects
    with opened(load(chosen.config, os.environ)) as hub:
        for path in write_bulletin(hub, chosen.month, chosen.out):
            print(path)
    return 0


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no month: write it as 2026-10") from None
