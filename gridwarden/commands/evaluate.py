"""`gridwarden evaluate`."""

from __future__ import annotations

import argparse
import dataclasses
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
    parser.add_argument(
        "--perturb",
        metavar="NAMES",
        help="measure again on the clips as they might have looked otherwise: mirror,dark or all; "
        "the recordings lie beside DIR as DIR-mirror",
    )
    kinds.add_report_arguments(parser)


def run(chosen: argparse.Namespace) -> int:
    """Record, judge, print. 1 where a clip could not be measured."""
    from gridwarden.evaluation import evaluating, perturbing, publishing, text
    from gridwarden.evaluation.errors import NothingToDoError

    names = perturbing.chosen(chosen.perturb)
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
    failed = bool(report.not_measured)
    for name in names:
        what = perturbing.find(name).text
        try:
            other, _, _ = evaluating.evaluate(
                dataclasses.replace(asked, perturbed=name), evaluating.progress_to_stderr
            )
        except NothingToDoError as e:
            print(f"== {name}: {what}\n{e}")
            continue
        for line in text.perturbed_lines(name, what, report, other):
            print(line, flush=True)
        failed |= bool(other.not_measured)
    return 1 if failed else 0
