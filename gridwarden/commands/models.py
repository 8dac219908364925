"""`gridwarden models`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from detectors.models.facts import ModelFacts
    from detectors.models.timing import Timed
    from gridwarden.commands.kinds import Subparsers

SHOWN = 12  # classes that are printed by name


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "models",
        help="look at a detector model before it is used",
        description="Model files of the detector `objects`.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    check = actions.add_parser(
        "check",
        help="say what a model file is, whether it is safe, and how to use it",
        description="Looks at a model file without running anything in it, and refuses one that "
        "could run code or eat memory. What passes is timed in a process of its own.",
    )
    check.add_argument("path", type=Path, metavar="PATH", help=".onnx, .pt or an OpenVINO folder")
    check.add_argument("--no-run", action="store_true", help="look only: do not time it")
    check.add_argument("--json", action="store_true", help="for programs")
    check.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Look, time, print. 1 where it is refused or cannot be run."""
    from detectors.models.errors import ModelError
    from detectors.models.inspecting import inspect
    from detectors.models.timing import timed

    facts = inspect(chosen.path)
    took: Timed | None = None
    fault = ""
    if not chosen.no_run:
        try:
            took = timed(chosen.path)
        except ModelError as e:
            fault = str(e)
    if chosen.json:
        print(json.dumps(_told(facts, took, fault), ensure_ascii=False))
    else:
        print("\n".join(lines(chosen.path, facts, took, fault)))
    return 1 if fault else 0


def lines(path: Path, facts: ModelFacts, took: Timed | None, fault: str) -> list[str]:
    """What a person is told."""
    names = ", ".join(facts.classes[:SHOWN])
    more = f", and {len(facts.classes) - SHOWN} more" if len(facts.classes) > SHOWN else ""
    size = "it does not say"
    if facts.input_size is not None:
        size = f"{facts.input_size[1]} x {facts.input_size[0]} pixels"
    told = [
        f"format      {facts.format}, {facts.size_bytes / 1e6:.1f} MB",
        f"SHA-256     {facts.sha256}",
        f"classes     {len(facts.classes)}: {names}{more}",
        f"input       {size}, {facts.batch or 'any number of'} at a time",
        f"task        {facts.task or 'it does not say'}",
        f"licence     {facts.licence or 'it names none: ask whoever made it'}",
    ]
    if took is not None:
        told.append(f"cost        {took.ms:.0f} ms a frame on this machine, output {took.output}")
        told.append(f"            {500.0 / took.ms:.1f} looks a second within budget_ms = 500")
    elif fault:
        told.append(f"cost        unknown: {fault}")
    else:
        told.append("cost        not asked for")
    first = facts.classes[0]
    return [
        *told,
        "",
        "[stream.detectors.objects]",
        f"model = {json.dumps(str(path.resolve()), ensure_ascii=False)}",
        f"classes = {json.dumps(first, ensure_ascii=False)}",
    ]


def _told(facts: ModelFacts, took: Timed | None, fault: str) -> dict[str, object]:
    return {
        "format": facts.format,
        "sha256": facts.sha256,
        "size_bytes": facts.size_bytes,
        "classes": list(facts.classes),
        "input": facts.input_size,
        "batch": facts.batch,
        "task": facts.task,
        "licence": facts.licence,
        "ms": took.ms if took is not None else None,
        "fault": fault,
    }
