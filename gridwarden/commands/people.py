"""`gridwarden people import | shifts | list | leave | duty`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gridwarden.commands.kinds import add_config

if TYPE_CHECKING:
    from contract.geometry import Point
    from gridwarden.commands.kinds import Subparsers
    from hub.services.context import Hub

_ROLES = ("assistant", "leader", "master", "dispatcher", "dept", "supervisor")


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "people",
        help="who works in the district: import, shifts, list, leave, duty",
        description="Tables are CSV, in UTF-8 or as a Chinese spreadsheet writes it; the formats "
        "are in docs/registry.md.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    take = actions.add_parser(
        "import",
        help="take people and their posts over",
        description="As a whole or not at all. Whom the table names holds the posts it names from "
        "now on; nobody else changes.",
    )
    take.add_argument("file", type=Path, metavar="FILE")
    take.set_defaults(run=run, table="people")

    shifts = actions.add_parser("shifts", help="take shifts over")
    shifts.add_argument("file", type=Path, metavar="FILE")
    shifts.set_defaults(run=run, table="shifts")

    listing = actions.add_parser("list", help="people with their posts")
    listing.add_argument("--role", choices=_ROLES)
    listing.add_argument("--cell", metavar="CODE", help="a grid code or its beginning")
    listing.add_argument("--unit", metavar="CODE")
    listing.add_argument("--text", metavar="WORDS", help="in staff number or name")
    listing.add_argument("--left", action="store_true", help="those that left too")
    listing.set_defaults(run=run_list)

    leave = actions.add_parser("leave", help="somebody works here no more; their posts end")
    leave.add_argument("code", metavar="STAFF-NUMBER")
    leave.set_defaults(run=run_leave)

    duty = actions.add_parser("duty", help="who is on duty for a cell now")
    duty.add_argument("cell", metavar="CELL")
    duty.add_argument("--role", choices=_ROLES, default="assistant")
    duty.add_argument(
        "--near", type=_place, metavar="LON,LAT", help="the nearest of this place first"
    )
    duty.set_defaults(run=run_duty)
    for action in (take, shifts, listing, leave, duty):
        add_config(action)


def run(chosen: argparse.Namespace) -> int:
    """Take a table over."""
    from gridwarden.office import take_table

    return _tell(chosen, lambda hub: take_table(hub, chosen.table, chosen.file))


def run_list(chosen: argparse.Namespace) -> int:
    """Print people."""
    from gridwarden.office import list_people
    from hub.store.people import PeopleFilter

    wanted = PeopleFilter(chosen.unit, chosen.role, chosen.cell, chosen.text, chosen.left)
    return _tell(chosen, lambda hub: list_people(hub, wanted))


def run_leave(chosen: argparse.Namespace) -> int:
    """Somebody left."""
    from gridwarden.office import leave

    return _tell(chosen, lambda hub: leave(hub, chosen.code))


def run_duty(chosen: argparse.Namespace) -> int:
    """Print who is on duty."""
    from gridwarden.office import duty
    from hub.domain.actor import Role

    return _tell(chosen, lambda hub: duty(hub, Role(chosen.role), chosen.cell, chosen.near))


def _tell(chosen: argparse.Namespace, lines: Callable[[Hub], list[str]]) -> int:
    from gridwarden.received import opened
    from hub.config import load

    with opened(load(chosen.config, os.environ)) as hub:
        print("\n".join(lines(hub)))
    return 0


def _place(text: str) -> Point:
    from contract.geometry import Point

    try:
        lon, lat = (float(part) for part in text.split(","))
        return Point(lon, lat)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"a place is longitude,latitude such as 113.65,34.76, got {text!r}"
        ) from None
