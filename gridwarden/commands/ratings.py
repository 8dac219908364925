"""`gridwarden ratings`: list, take-down."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from gridwarden.commands.kinds import row_id, rows_at_most

if TYPE_CHECKING:
    from gridwarden.commands.kinds import Subparsers


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "ratings",
        help="what reporters wrote beside their ratings: list, take-down",
        description="For words that name somebody, or abuse them. Works on the hub's database.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--config", type=Path, metavar="FILE", help="the hub's settings (TOML)")

    listing = actions.add_parser("list", parents=[shared], help="comments, the newest first")
    listing.add_argument("--event", metavar="NUMBER", help="of this event only")
    listing.add_argument(
        "--limit", type=rows_at_most, default=50, metavar="N", help="comments at most (50)"
    )
    listing.set_defaults(run=show)

    taking = actions.add_parser(
        "take-down",
        parents=[shared],
        help="delete a comment for good; the score stays, the history of the event tells why",
    )
    taking.add_argument("report", type=row_id, metavar="REPORT", help="as `list` names it")
    taking.add_argument("--reason", required=True, metavar="TEXT", help="why; it is kept")
    taking.set_defaults(run=take_down)


def show(chosen: argparse.Namespace) -> int:
    """Print what was written, a comment a line."""
    from gridwarden.received import opened
    from hub.config import load
    from hub.store import ratings, views

    with opened(load(chosen.config, os.environ)) as hub, hub.pool.connection() as conn:
        event = None if chosen.event is None else views.event(conn, chosen.event).id
        for said in ratings.with_comments(conn, event, chosen.limit):
            print(
                f"report {said.report}  {views.event_number(conn, said.event)}  {said.score} of 5  "
                f"{said.at:%Y-%m-%d %H:%M}  {' '.join(said.comment.split())}"
            )
    return 0


def take_down(chosen: argparse.Namespace) -> int:
    """Delete one; the audit log tells who did."""
    from dataclasses import replace

    from gridwarden.received import myself, opened
    from hub.config import load
    from hub.domain.actor import Role
    from hub.services.accounts import note
    from hub.services.outward.rate_case import take_down_comment
    from hub.store import views

    actor = replace(myself(), role=Role.MASTER)
    with opened(load(chosen.config, os.environ)) as hub, hub.pool.connection() as conn:
        said = take_down_comment(conn, hub, chosen.report, chosen.reason, actor)
        number = views.event_number(conn, said.event) or ""
        note(conn, hub, actor.name, "take_down", number, f"report {said.report}: {chosen.reason}")
        print(f"taken down: what report {said.report} wrote of {number}; {said.score} of 5 stays")
    return 0
