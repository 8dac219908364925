"""`gridwarden hub`: run it, or look after what it received."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gridwarden.commands.kinds import row_id, rows_at_most
from gridwarden.commands.merging import add_merging

if TYPE_CHECKING:
    from gridwarden.commands.kinds import Subparsers

_PARTS = {
    "api": "only API and console",
    "ingest": "only ingestion; a second one stands by for the stations of the first",
    "timers": "only the timers",
    "notify": "only what speaks to others: webhooks, alerts, mail; there may be several",
}


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "hub",
        help="run the hub: ingestion, grid events, API and console",
        description="Runs until Ctrl-C or SIGTERM. Settings: the file, then the environment "
        "(GRIDWARDEN_HUB__DATABASE__URL and so on).",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="the hub's settings (TOML)")
    parser.set_defaults(run=run, part=None)
    actions = parser.add_subparsers(metavar="WHAT")
    shared = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    shared.add_argument("--config", type=Path, metavar="FILE", help="the hub's settings (TOML)")
    for part, told in _PARTS.items():
        actions.add_parser(part, parents=[shared], help=told).set_defaults(part=part)
    completeness = actions.add_parser(
        "completeness",
        parents=[shared],
        help="what of every agent's lanes is here: have 1..N, holes, declared lost",
    )
    completeness.add_argument("agent", nargs="?", help="only this agent")
    completeness.add_argument("--json", action="store_true", help="for programs")
    completeness.set_defaults(run=_completeness)
    verify = actions.add_parser(
        "verify-history",
        parents=[shared],
        help="read every history and checkpoint: is all as it was written?",
        description="Exit code 1 where one byte was altered or one event is missing.",
    )
    verify.set_defaults(run=_verify_history)
    recompute = actions.add_parser(
        "recompute-deadlines",
        parents=[shared],
        help="bring deadlines to the calendar and limits as they are now",
        description="After calendar.toml or the limits in categories.toml were changed. What was "
        "done when a deadline passed stays done.",
    )
    recompute.add_argument(
        "--dry-run", action="store_true", help="only tell which deadlines would move"
    )
    recompute.set_defaults(run=_recompute_deadlines)
    _add_quarantine(actions, shared)
    add_merging(actions, shared)


def _add_quarantine(actions: Subparsers, shared: argparse.ArgumentParser) -> None:
    quarantine = actions.add_parser(
        "quarantine", help="what could not be taken: list, show, replay, give up"
    )
    verbs = quarantine.add_subparsers(metavar="VERB", required=True)

    listing = verbs.add_parser("list", parents=[shared], help="what waits, the newest first")
    _add_choice(listing)
    listing.add_argument("--all", action="store_true", help="what was settled too")
    listing.add_argument(
        "--limit", type=rows_at_most, default=50, metavar="N", help="entries at most (50)"
    )
    listing.set_defaults(verb="list")

    show = verbs.add_parser("show", parents=[shared], help="one entry with its bytes")
    show.add_argument("id", type=row_id, metavar="ID")
    show.set_defaults(verb="show")

    replay = verbs.add_parser(
        "replay",
        parents=[shared],
        help="take entries after all",
        description="Each once, however often it is asked for. Exit code 1 where one is refused "
        "again.",
    )
    replay.add_argument("ids", type=row_id, nargs="*", metavar="ID")
    replay.add_argument("--waiting", action="store_true", help="all that wait")
    _add_choice(replay)
    replay.add_argument(
        "--clock",
        choices=("told", "received"),
        default="told",
        help="received: as captured when it arrived, for a device whose clock was never set",
    )
    replay.set_defaults(verb="replay")

    give_up = verbs.add_parser("give-up", parents=[shared], help="an entry will never be taken")
    give_up.add_argument("id", type=row_id, metavar="ID")
    give_up.add_argument("--reason", required=True, metavar="TEXT", help="why")
    give_up.set_defaults(verb="give-up")
    quarantine.set_defaults(run=_quarantine)
    for verb in (listing, show, replay, give_up):
        verb.set_defaults(run=_quarantine)


def _add_choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--agent", default=None, help="only of this agent")
    parser.add_argument(
        "--fault", choices=("sender", "hub"), default=None, help="only through whose fault"
    )


def run(chosen: argparse.Namespace) -> int:
    """Run the hub."""
    from gridwarden.serving import log_to_stderr, stop_on_signal, tune_interpreter
    from hub.config import load
    from hub.server import run as run_all
    from hub.server import run_api, run_ingest, run_notify, run_timers

    parts = {
        "api": run_api,
        "ingest": run_ingest,
        "timers": run_timers,
        "notify": run_notify,
    }
    run_hub = parts.get(chosen.part, run_all)
    config = load(chosen.config, os.environ)
    log_to_stderr(chosen.debug)
    tune_interpreter()
    with stop_on_signal() as stop:
        run_hub(config, stop)
    return 0


def _completeness(chosen: argparse.Namespace) -> int:
    from gridwarden.received import completeness, opened
    from hub.config import load

    with opened(load(chosen.config, os.environ)) as hub:
        for line in completeness(hub, chosen.agent, as_json=chosen.json):
            print(line)
    return 0


def _verify_history(chosen: argparse.Namespace) -> int:
    from gridwarden import keeping_time
    from gridwarden.received import opened
    from hub.config import load

    began = time.monotonic()
    with opened(load(chosen.config, os.environ)) as hub:
        found = keeping_time.verify_history(hub)
    for line in keeping_time.told(found, time.monotonic() - began):
        print(line)
    return 1 if found.flaws else 0


def _recompute_deadlines(chosen: argparse.Namespace) -> int:
    from gridwarden import keeping_time
    from gridwarden.received import opened
    from hub.config import load

    with opened(load(chosen.config, os.environ)) as hub:
        for line in keeping_time.recompute_deadlines(hub, dry_run=chosen.dry_run):
            print(line)
    return 0


def _quarantine(chosen: argparse.Namespace) -> int:
    from gridwarden import received
    from hub.config import load

    with received.opened(load(chosen.config, os.environ)) as hub:
        if chosen.verb == "list":
            lines = received.quarantine_list(
                hub, chosen.agent, chosen.fault, all=chosen.all, limit=chosen.limit
            )
            good = True
        elif chosen.verb == "show":
            lines, good = received.quarantine_entry(hub, chosen.id), True
        elif chosen.verb == "replay":
            lines, good = received.quarantine_replay(
                hub, chosen.ids, chosen.waiting, chosen.agent, chosen.fault, chosen.clock
            )
        else:
            lines, good = received.quarantine_give_up(hub, chosen.id, chosen.reason), True
    for line in lines:
        print(line)
    return 0 if good else 1
