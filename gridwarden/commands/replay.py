"""`gridwarden replay`."""

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
        "replay",
        help="ask recorded scores what another threshold or rule would have told",
        description="Runs rules over the scores that `gridwarden evaluate` recorded, without "
        "the video, and tells what changed.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "recording", type=Path, metavar="RECORDING", help="a recording, or a folder of them"
    )
    kinds.add_report_arguments(parser)


def run(chosen: argparse.Namespace) -> int:
    """Replay and print."""
    from gridwarden.evaluation import evaluating, publishing, report, text
    from gridwarden.evaluation.splits import choose

    recordings = evaluating.load_all(chosen.recording)
    changed = evaluating.parameters(chosen.param)
    evaluating.check_recorded(recordings, changed)
    split = choose(chosen.split)
    after = report.build(recordings, changed, split)
    publishing.publish(after, recordings, None, chosen.json_file, chosen.html_file)
    if changed:
        before = report.build(recordings, {}, sweep=False)
        for line in text.change_lines(report.changes(before, after)):
            print(line)
    return 0
