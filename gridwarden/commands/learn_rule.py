"""`gridwarden learn-rule`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridwarden.commands.kinds import Subparsers


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "learn-rule",
        help="learn from recorded scores how a detector's scores are best confirmed",
        description="Learns from the scores and labels that `gridwarden evaluate` recorded how "
        "much each score speaks for the thing, and prints the rule as a parameter. Ask "
        "`gridwarden replay` what it would have told before you use it.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "recording", type=Path, metavar="RECORDING", help="a recording, or a folder of them"
    )
    parser.add_argument("--detector", required=True, metavar="KIND", help="whose scores")


def run(chosen: argparse.Namespace) -> int:
    """Learn and print."""
    from gridwarden.evaluation import evaluating, learning

    recordings = evaluating.load_all(chosen.recording)
    evaluating.check_recorded(recordings, {chosen.detector: {}})
    print("\n".join(learning.lines(learning.learn(recordings, chosen.detector))))
    return 0
