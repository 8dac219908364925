"""`gridwarden label`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridwarden.commands import kinds

if TYPE_CHECKING:
    from gridwarden.commands.kinds import Subparsers

FRAMES = ("onset_flame", "onset_smoke", "onset", "end", "stopped_from", "crash")
COUNTS = ("count", "up", "down", "left", "right")
WORDS = ("cat", "kind", "source", "line", "lanes", "calibration", "gauge")


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "label",
        help="write down what a clip shows, for `gridwarden evaluate`",
        description="Sets fields of the clip's entry in labels.json (made where there is none), or "
        "writes a contact sheet to find the right frame. Without either it prints the entry.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("clip", type=Path, metavar="CLIP", help="a video file")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="the nearest by default")
    for name in FRAMES:
        parser.add_argument(f"--{name.replace('_', '-')}", type=kinds.frame, metavar="FRAME")
    for name in COUNTS:
        parser.add_argument(f"--{name}", type=kinds.frame, metavar="N")
    parser.add_argument("--cat", help="fire, nonfire, traffic or environment")
    parser.add_argument("--kind", help="a word on what it shows")
    parser.add_argument("--source", help="where it comes from: clips of one source stay together")
    parser.add_argument("--line", help="the count line: y=0.60, or x=0.50")
    parser.add_argument("--lanes", help="in:down=x,y x,y x,y; ...: as the parameter of that name")
    parser.add_argument("--calibration", help="x,y>east,north, four of them: as the parameter")
    parser.add_argument("--gauge", help="x,y=metres, from the bottom up: as the parameter")
    parser.add_argument("--queue", type=kinds.frame, nargs=2, metavar=("FROM", "TO"))
    parser.add_argument("--benign", action="store_true", default=None)
    parser.add_argument(
        "--event", action="append", metavar="KIND[/LABEL]:FROM[:TO]", help="repeatable; sets all"
    )
    parser.add_argument(
        "--zone", action="append", metavar="KIND=x,y x,y x,y", help="repeatable; sets all"
    )
    parser.add_argument("--absent", action="append", metavar="KIND", help="what does not occur")
    parser.add_argument("--remove", action="append", default=[], metavar="FIELD")
    parser.add_argument("--sheet", type=Path, metavar="PNG", help="write a contact sheet")
    parser.add_argument("--around", type=kinds.frame, metavar="FRAME", help="middle of the sheet")
    parser.add_argument("--step", type=kinds.positive, default=1, metavar="N", help="between two")
    parser.add_argument("--undo", action="store_true", help="take the last change back")


def run(chosen: argparse.Namespace) -> int:
    """Undo, write a sheet, set fields, or print."""
    from gridwarden.evaluation import labels as labelling
    from gridwarden.evaluation import marking

    labels = marking.labels_of(chosen.clip, chosen.labels)
    if chosen.undo:
        labelling.undo(labels.path)
        print(f"{labels.path} is as it was before the last change")
        return 0
    if chosen.sheet is not None:
        first, last = marking.sheet(chosen.clip, chosen.sheet, chosen.around, chosen.step)
        print(f"frames {first} to {last} are in {chosen.sheet}")
    fields = _fields(chosen)
    if fields:
        found = marking.mark(chosen.clip, labels, fields)
        print(f"{labels.path}: {marking.describe(found)}")
    elif chosen.sheet is None:
        own = [
            c
            for c in labels.clips.values()
            if (labels.folder / c.file).resolve() == chosen.clip.resolve()
        ]
        print(marking.describe(own[0]) if own else f"{labels.path} says nothing of {chosen.clip}")
    return 0


def _fields(chosen: argparse.Namespace) -> dict[str, Any]:
    from gridwarden.evaluation import marking

    names = (*FRAMES, *COUNTS, *WORDS, "queue", "benign", "absent")
    fields: dict[str, Any] = {n: v for n in names if (v := getattr(chosen, n)) is not None}
    if chosen.event:
        fields["events"] = [marking.event(text) for text in chosen.event]
    if chosen.zone:
        fields["zones"] = dict(marking.zone(text) for text in chosen.zone)
    return fields | dict.fromkeys(chosen.remove)
