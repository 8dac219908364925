"""`gridwarden grid import | check | budget`."""

from __future__ import annotations

import argparse
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gridwarden.commands.kinds import add_config

if TYPE_CHECKING:
    from gridwarden.commands.kinds import Subparsers


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "grid",
        help="import the grid's cells, and check that they fit together",
        description="The formats are in docs/registry.md.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    take = actions.add_parser(
        "import",
        help="take cells over from GeoJSON, as a whole or not at all",
        description="Running hubs take it over within 5 s. Outlines that are replaced stay known: "
        "an event keeps the cell of its time.",
    )
    take.add_argument("file", type=Path, metavar="FILE")
    take.add_argument("--dry-run", action="store_true", help="only say what it would do")
    take.add_argument("--part", action="store_true", help="cells that it does not name stay")
    take.add_argument(
        "--from",
        dest="valid_from",
        type=_time,
        metavar="TIME",
        help="when the outlines begin to hold, such as 2027-01-01; now",
    )
    take.set_defaults(run=run_import)

    check = actions.add_parser(
        "check",
        help="gaps, overlaps, what sticks out, cells nobody owns",
        description="Of the hub's grid, or of a file before it is imported. Exit code 1 where "
        "something is wrong.",
    )
    check.add_argument("file", type=Path, nargs="?", metavar="FILE", help="instead of the hub's")
    check.add_argument("--geojson", type=Path, metavar="OUT", help="write the faults for a map")
    check.add_argument("--all", action="store_true", help="every line")
    check.set_defaults(run=run_check)

    budget = actions.add_parser("budget", help="take budget lines over from CSV")
    budget.add_argument("file", type=Path, metavar="FILE")
    budget.set_defaults(run=run_budget)
    for action in (take, check, budget):
        add_config(action)


def run_import(chosen: argparse.Namespace) -> int:
    """Import, or say what it would do."""
    from gridwarden.office import take_grid
    from gridwarden.received import opened
    from hub.config import load

    with opened(load(chosen.config, os.environ)) as hub:
        lines = take_grid(
            hub,
            chosen.file,
            dry_run=chosen.dry_run,
            part=chosen.part,
            valid_from=chosen.valid_from,
        )
    print("\n".join(lines))
    return 0


def run_check(chosen: argparse.Namespace) -> int:
    """Print the topology report."""
    import json

    from gridwarden import office
    from gridwarden.received import opened
    from hub.config import load

    if chosen.file is not None:
        faults = office.check_file(chosen.file)
    else:
        with opened(load(chosen.config, os.environ)) as hub:
            faults = office.check_hub(hub)
    print("\n".join(office.fault_lines(faults, all=chosen.all)))
    if chosen.geojson is not None:
        text = json.dumps(office.faults_as_geojson(faults), ensure_ascii=False)
        chosen.geojson.write_text(text + "\n", encoding="utf-8")
    return 1 if faults else 0


def run_budget(chosen: argparse.Namespace) -> int:
    """Take budget lines over."""
    from gridwarden.office import take_table
    from gridwarden.received import opened
    from hub.config import load

    with opened(load(chosen.config, os.environ)) as hub:
        print("\n".join(take_table(hub, "budget", chosen.file)))
    return 0


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"a time is such as 2027-01-01 or 2027-01-01T08:00, got {text!r}"
        ) from None
