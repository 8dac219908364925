"""`gridwarden evaluate`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from gridwarden.commands import kinds

if TYPE_CHECKING:
    from gridwarden.commands.kinds import Subparsers

RECORDINGS = Path("gridwarden-recordings")


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "evaluate",
        help="measure detectors on labelled clips",
        description="Runs detectors over the clips of a labels file and tells how right they are. "
        "Every score is recorded, so that `gridwarden replay` answers other thresholds in seconds.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="whose clips are measured")
    parser.add_argument(
        "--labels", type=Path, metavar="FILE", help="labels.json of FOLDER or above by default"
    )
    parser.add_argument("--clips", metavar="GLOB", help="only clips whose file fits, as 'fire/*'")
    parser.add_argument(
        "--detector", action="append", default=[], metavar="KIND", help="only this; repeatable"
    )
    parser.add_argument(
        "--jobs", type=kinds.positive, metavar="N", help="clips at a time; the cores by default"
    )
    parser.add_argument(
        "--recordings",
        type=Path,
        default=RECORDINGS,
        metavar="DIR",
        help=f"where scores are kept; {RECORDINGS} by default",
    )
    kinds.add_report_arguments(parser)


def run(chosen: argparse.Namespace) -> int:
    """Record, judge, print. 1 where a clip could not be measured."""
    from gridwarden.evaluation import evaluating, publishing

    asked = evaluating.Asked(
        folder=chosen.folder,
        labels=chosen.labels,
        clips=chosen.clips,
        detectors=tuple(chosen.detector),
        parameters=evaluating.parameters(chosen.param),
        jobs=chosen.jobs,
        recordings=chosen.recordings,
        split=chosen.split,
    )
    report, recordings, folder = evaluating.evaluate(asked, evaluating.progress_to_stderr)
    publishing.publish(report, recordings, folder, chosen.json_file, chosen.html_file)
    return 1 if report.not_measured else 0
