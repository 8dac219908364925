"""`gridwarden readiness`."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from gridwarden.commands.kinds import add_config

if TYPE_CHECKING:
    from gridwarden.commands.kinds import Subparsers

_NEEDS = ("leader", "assistant", "terminal", "account", "budget_line", "polygon")


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "readiness",
        help="what each cell lacks: leader, assistant, terminal, account, budget line, polygon",
        description="Exit code 1 while a cell lacks something.",
    )
    parser.add_argument("cell", nargs="?", default="", metavar="CELL", help="a code or its begin")
    parser.add_argument("--need", choices=_NEEDS, help="only gaps of this kind")
    parser.add_argument("--all", action="store_true", help="every line")
    add_config(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Print what each cell lacks."""
    from gridwarden.office import readiness_lines
    from gridwarden.received import opened
    from hub.config import load
    from hub.domain.readiness import Need

    need = Need(chosen.need) if chosen.need else None
    with opened(load(chosen.config, os.environ)) as hub:
        lines, ready = readiness_lines(hub, chosen.cell, need, all=chosen.all)
    print("\n".join(lines))
    return 0 if ready else 1
