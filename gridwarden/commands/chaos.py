"""`gridwarden chaos`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from gridwarden.commands import kinds

if TYPE_CHECKING:
    from gridwarden.commands.kinds import Subparsers


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "chaos",
        help="kill every part again and again and prove that no record is lost or doubled",
        description="Runs agents, broker, hub workers and database of its own, breaks them at "
        "random, mends them, and compares an independent book of what was written with the "
        "tables. Exit status: 0 nothing lost or doubled; 1 something was; 3 the run proves "
        "nothing. It touches nothing of a Gridwarden that runs here.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("--seed", type=int, help="which faults in which order; random by default")
    parser.add_argument(
        "--minutes", type=kinds.minutes, default=1.0, help="how long to break things; 1 by default"
    )
    parser.add_argument("--agents", type=kinds.positive, default=3, help="3 by default")
    parser.add_argument("--stations", type=kinds.positive, default=2, help="2 by default")
    parser.add_argument(
        "--broker",
        choices=("embedded", "mosquitto"),
        default="embedded",
        help="which broker to start and kill",
    )
    own = parser.add_argument_group(
        "a set-up of your own", "what is named here is cut off, but never killed"
    )
    own.add_argument("--mqtt", type=kinds.address, metavar="HOST:PORT", help="your broker")
    own.add_argument(
        "--database",
        metavar="URL",
        help="your PostgreSQL: a database of its own is made in it, and dropped at the end",
    )
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="keep logs and book in this empty folder"
    )


def run(chosen: argparse.Namespace) -> int:
    """Run chaos."""
    import secrets

    from gridwarden.broker import find_mosquitto
    from gridwarden.chaos.ground import Layout
    from gridwarden.chaos.run import ChaosOptions, run_chaos
    from gridwarden.errors import StartError
    from gridwarden.serving import stop_on_signal

    mosquitto = find_mosquitto() if chosen.broker == "mosquitto" else None
    if chosen.broker == "mosquitto" and mosquitto is None:
        raise StartError("there is no mosquitto on this machine: install it, or use the embedded")
    seed = secrets.randbelow(1_000_000) if chosen.seed is None else chosen.seed
    layout = Layout(
        agents=chosen.agents,
        stations=chosen.stations,
        mosquitto=mosquitto,
        broker=chosen.mqtt,
        database=chosen.database,
    )
    with stop_on_signal() as stop:
        return run_chaos(ChaosOptions(seed, chosen.minutes, layout, chosen.folder), stop)
