"""`gridwarden edge` and `gridwarden edge check-config`."""

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
        "edge",
        help="run an agent beside cameras",
        description="Runs until Ctrl-C or SIGTERM. Settings: the file, then the environment "
        "(GRIDWARDEN_EDGE__BROKER__HOST and so on).",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="the agent's settings (TOML)")
    parser.set_defaults(run=run)
    actions = parser.add_subparsers(metavar="check-config")
    check = actions.add_parser(
        "check-config", help="print each setting and where it comes from, and run nothing"
    )
    check.add_argument("file", type=Path, metavar="FILE", help="the agent's settings (TOML)")
    check.set_defaults(run=check_config)


def run(chosen: argparse.Namespace) -> int:
    """Run the agent."""
    from edge.agent import run as run_agent
    from edge.config import load
    from gridwarden.errors import StartError
    from gridwarden.serving import log_to_stderr, stop_on_signal

    if chosen.config is None:
        raise StartError("the agent needs its settings: gridwarden edge --config FILE")
    config = load(chosen.config, os.environ)
    log_to_stderr(chosen.debug)
    with stop_on_signal() as stop:
        run_agent(config, stop)
    return 0


def check_config(chosen: argparse.Namespace) -> int:
    """Print the settings, each with its layer."""
    from edge.config import explain

    for line in explain(chosen.file, os.environ):
        print(line)
    return 0
