"""`gridwarden hub [api|ingest|timers]`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridwarden.commands.kinds import Subparsers


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "hub",
        help="run the hub: ingestion, grid events, API and console",
        description="Runs until Ctrl-C or SIGTERM. Settings: the file, then the environment "
        "(GRIDWARDEN_HUB__DATABASE__URL and so on).",
    )
    parser.add_argument(
        "part",
        nargs="?",
        choices=("api", "ingest", "timers"),
        help="only this part; all of them where none is named",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="the hub's settings (TOML)")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Run the hub."""
    from gridwarden.serving import log_to_stderr, stop_on_signal
    from hub.config import load
    from hub.server import run as run_all
    from hub.server import run_api, run_ingest, run_timers

    parts = {"api": run_api, "ingest": run_ingest, "timers": run_timers}
    run_hub = parts.get(chosen.part, run_all)
    config = load(chosen.config, os.environ)
    log_to_stderr(chosen.debug)
    with stop_on_signal() as stop:
        run_hub(config, stop)
    return 0
