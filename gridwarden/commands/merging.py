"""`gridwarden hub try-merging` and `gridwarden hub windows`: what becomes one event, and what is
filed by itself."""

from __future__ import annotations

import argparse
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gridwarden.commands.kinds import row_id

if TYPE_CHECKING:
    from gridwarden.commands.kinds import Subparsers


def add_merging(actions: Subparsers, shared: argparse.ArgumentParser) -> None:
    """Declare both."""
    _add_trial(actions, shared)
    _add_windows(actions, shared)


def _add_trial(actions: Subparsers, shared: argparse.ArgumentParser) -> None:
    trial = actions.add_parser(
        "try-merging",
        parents=[shared],
        help="dry run of merge rules on what was seen: how many events would there be?",
        description="Reads only, and can run beside the hub. Without --group every group by its "
        "rule in force, or by those of another categories file.",
    )
    trial.add_argument("--group", metavar="NAME", help="a merge group, such as fire")
    trial.add_argument("--radius-m", type=_above_zero, metavar="M", help="its radius to try")
    trial.add_argument("--time-s", type=_above_zero, metavar="S", help="its time to try")
    trial.add_argument(
        "--categories", type=Path, metavar="FILE", help="try the groups of this categories file"
    )
    trial.add_argument(
        "--days", type=_above_zero, default=30.0, metavar="N", help="the last so many days (30)"
    )
    trial.set_defaults(run=_try_merging)


def _add_windows(actions: Subparsers, shared: argparse.ArgumentParser) -> None:
    windows = actions.add_parser(
        "windows", help="control windows and silences: list, add, end; nothing is filed by itself"
    )
    verbs = windows.add_subparsers(metavar="VERB", required=True)
    listing = verbs.add_parser("list", parents=[shared], help="those in force or coming")
    listing.add_argument("--all", action="store_true", help="those that are over too")
    listing.set_defaults(run=_windows, verb="list")
    new = verbs.add_parser("add", parents=[shared], help="make one; it ends by itself")
    new.add_argument("--kind", choices=("works", "silence"), required=True)
    area = new.add_mutually_exclusive_group(required=True)
    area.add_argument("--cell", action="append", default=[], metavar="CODE", help="of any level")
    area.add_argument("--stream", metavar="AGENT/STREAM", help="one camera or sensor")
    new.add_argument("--category", help="only of this category")
    new.add_argument("--subcategory", help="only of this sub-category")
    new.add_argument("--detector", metavar="KIND", help="only what this kind of detector saw")
    new.add_argument(
        "--from", dest="from_at", type=_moment, metavar="TIME", help="now, if left out"
    )
    until = new.add_mutually_exclusive_group(required=True)
    until.add_argument("--until", type=_moment, metavar="TIME", help="2026-11-24T18:00+08:00")
    until.add_argument("--hours", type=_above_zero, metavar="N", help="so long from its begin on")
    new.add_argument("--permit", default="", metavar="NUMBER", help="number of the approval")
    new.add_argument("--reason", required=True, metavar="TEXT")
    new.set_defaults(run=_windows, verb="add")
    end = verbs.add_parser("end", parents=[shared], help="end one before its time")
    end.add_argument("id", type=row_id, metavar="ID")
    end.set_defaults(run=_windows, verb="end")


def _try_merging(chosen: argparse.Namespace) -> int:
    from gridwarden.merging_trial import lines
    from hub.config import load

    for line in lines(
        load(chosen.config, os.environ),
        group=chosen.group,
        radius_m=chosen.radius_m,
        time_s=chosen.time_s,
        categories_file=chosen.categories,
        days=chosen.days,
    ):
        print(line)
    return 0


def _windows(chosen: argparse.Namespace) -> int:
    from gridwarden import received, window_lines
    from hub.config import load

    with received.opened(load(chosen.config, os.environ)) as hub:
        if chosen.verb == "list":
            told = window_lines.listed(hub, all=chosen.all)
        elif chosen.verb == "end":
            told = window_lines.ended(hub, chosen.id)
        else:
            begin = chosen.from_at or hub.now()
            told = window_lines.made(
                hub,
                kind=chosen.kind,
                cells=tuple(chosen.cell),
                device=chosen.stream,
                category=chosen.category,
                subcategory=chosen.subcategory,
                detector=chosen.detector,
                from_at=chosen.from_at,
                until_at=chosen.until or begin + timedelta(hours=chosen.hours),
                permit=chosen.permit,
                reason=chosen.reason,
            )
    for line in told:
        print(line)
    return 0


def _above_zero(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 < value < 1e7:
        raise argparse.ArgumentTypeError(f"a number above 0 is wanted, got {text!r}")
    return value


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise argparse.ArgumentTypeError(
            f"a time with its zone is wanted, such as 2026-11-24T18:00+08:00, got {text!r}"
        )
    return at
