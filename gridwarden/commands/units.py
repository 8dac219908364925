"""`gridwarden units import | matrix | list | who`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gridwarden.commands.kinds import add_config

if TYPE_CHECKING:
    from gridwarden.commands.kinds import Subparsers
    from hub.services.context import Hub


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "units",
        help="departments, stations and grid teams, and what each answers for",
        description="Tables are CSV; the formats are in docs/registry.md.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    take = actions.add_parser("import", help="take units over")
    take.add_argument("file", type=Path, metavar="FILE")
    take.set_defaults(run=run, table="units")

    matrix = actions.add_parser("matrix", help="take entries of the responsibility matrix over")
    matrix.add_argument("file", type=Path, metavar="FILE")
    matrix.set_defaults(run=run, table="matrix")

    listing = actions.add_parser("list", help="the units, and how much each answers for")
    listing.add_argument("--closed", action="store_true", help="those that were closed too")
    listing.set_defaults(run=run_list)

    who = actions.add_parser("who", help="which unit answers for a category in a cell")
    who.add_argument("category", metavar="CATEGORY", help="such as fire_safety")
    who.add_argument("cell", metavar="CELL")
    who.add_argument("--subcategory", metavar="ID")
    who.set_defaults(run=run_who)
    for action in (take, matrix, listing, who):
        add_config(action)


def run(chosen: argparse.Namespace) -> int:
    """Take a table over."""
    from gridwarden.office import take_table

    return _tell(chosen, lambda hub: take_table(hub, chosen.table, chosen.file))


def run_list(chosen: argparse.Namespace) -> int:
    """Print the units."""
    from gridwarden.office import list_units

    return _tell(chosen, lambda hub: list_units(hub, closed=chosen.closed))


def run_who(chosen: argparse.Namespace) -> int:
    """Print which unit answers."""
    from contract.taxonomy import Category
    from gridwarden.office import OfficeError, who_answers

    if chosen.category not in list(Category):
        raise OfficeError(
            f"no category {chosen.category!r}; there are {', '.join(str(c) for c in Category)}"
        )
    return _tell(
        chosen,
        lambda hub: who_answers(hub, Category(chosen.category), chosen.subcategory, chosen.cell),
    )


def _tell(chosen: argparse.Namespace, lines: Callable[[Hub], list[str]]) -> int:
    from gridwarden.received import opened
    from hub.config import load

    with opened(load(chosen.config, os.environ)) as hub:
        print("\n".join(lines(hub)))
    return 0
