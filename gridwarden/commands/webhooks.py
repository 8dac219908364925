"""`gridwarden webhooks`: list, add, test, deliveries, redeliver, rotate, stop, start, remove."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gridwarden.commands.kinds import row_id, rows_at_most

if TYPE_CHECKING:
    from gridwarden.commands.kinds import Subparsers
    from hub.services.context import Hub
    from hub.store.webhooks import WebhookView

_WITH_ID = {
    "test": "send a test message; its delivery tells what came of it",
    "rotate": "a new secret, shown once; the one before signs beside it for a while",
    "stop": "send nothing for now; what happens meanwhile waits",
    "start": "send again, at once",
    "remove": "tell it nothing more; what waits for it is forgotten",
}


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "webhooks",
        help="tell other systems of grid events: list, add, test, deliveries, redeliver, remove",
        description="Signed CloudEvents over HTTP, tried again until they are taken. Works on the "
        "hub's database; the hub that runs sends them.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--config", type=Path, metavar="FILE", help="the hub's settings (TOML)")

    listing = actions.add_parser("list", parents=[shared], help="which there are, and how they do")
    listing.set_defaults(action="list")

    adding = actions.add_parser("add", parents=[shared], help="one more; its secret is shown once")
    adding.add_argument("url", metavar="URL")
    adding.add_argument("--note", default="", metavar="TEXT", help="what it is")
    adding.add_argument(
        "--step", action="append", default=[], metavar="NAME", help="only these steps; repeatable"
    )
    adding.add_argument(
        "--severity", action="append", default=[], metavar="S", help="only S1 .. S4; repeatable"
    )
    adding.add_argument("--cell", default="", metavar="CODE", help="only below this grid code")
    adding.add_argument("--tests", action="store_true", help="events of tests too")
    adding.set_defaults(action="add")

    deliveries = actions.add_parser(
        "deliveries", parents=[shared], help="messages to one, the newest first"
    )
    deliveries.add_argument("id", type=row_id, metavar="ID")
    deliveries.add_argument("--state", choices=("waiting", "delivered", "dead"))
    deliveries.add_argument(
        "--limit", type=rows_at_most, default=50, metavar="N", help="messages at most (50)"
    )
    deliveries.set_defaults(action="deliveries")

    again = actions.add_parser("redeliver", parents=[shared], help="send messages again")
    again.add_argument("id", type=row_id, metavar="ID")
    again.add_argument("deliveries", type=row_id, nargs="*", metavar="DELIVERY")
    again.add_argument("--dead", action="store_true", help="all that were given up")
    again.set_defaults(action="redeliver")

    for action, told in _WITH_ID.items():
        one = actions.add_parser(action, parents=[shared], help=told)
        one.add_argument("id", type=row_id, metavar="ID")
        one.set_defaults(action=action)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Do what was chosen."""
    from gridwarden.received import opened
    from hub.config import load

    if chosen.action == "redeliver" and bool(chosen.deliveries) == chosen.dead:
        print("gridwarden: name deliveries, or say --dead for all dead ones", file=sys.stderr)
        return 2
    with opened(load(chosen.config, os.environ)) as hub:
        for line in _lines(hub, chosen):
            print(line)
    return 0


def _lines(hub: Hub, chosen: argparse.Namespace) -> Iterator[str]:
    from hub.domain.actor import Actor, Role
    from hub.services.outward import keep_webhooks
    from hub.services.outward.deliver_webhooks import sender_of
    from hub.services.outward.keep_webhooks import Wanted
    from hub.store import webhooks

    actor = Actor(getpass.getuser(), Role.DISPATCHER)
    with hub.pool.connection() as conn:
        match chosen.action:
            case "list":
                yield from _listed(webhooks.views(conn))
            case "add":
                wanted = Wanted(
                    chosen.url,
                    chosen.note,
                    tuple(chosen.step),
                    tuple(chosen.severity),
                    chosen.cell,
                    chosen.tests,
                )
                made = keep_webhooks.add_webhook(conn, hub, sender_of(hub), wanted, actor)
                yield f"webhook {made.webhook.id}; its secret, shown this once:"
                yield made.secret
            case "rotate":
                made = keep_webhooks.rotate_secret(conn, hub, chosen.id, actor)
                yield f"webhook {chosen.id} has a new secret, shown this once:"
                yield made.secret
            case "test":
                id = keep_webhooks.queue_test(conn, hub, chosen.id, actor)
                yield f"test message {id} waits: gridwarden webhooks deliveries {chosen.id}"
            case "deliveries":
                keep_webhooks.show_webhook(conn, chosen.id, actor)
                for d in webhooks.deliveries(conn, chosen.id, chosen.state, None, chosen.limit):
                    what = f"{d.number}/{d.n} {d.step}" if d.number else "test"
                    said = d.last_error or (f"HTTP {d.last_status}" if d.last_status else "")
                    yield f"{d.id}  {d.state:<9}  {what}  attempts {d.attempts}  {said}".rstrip()
            case "redeliver":
                ids = None if chosen.dead else list(chosen.deliveries)
                found = keep_webhooks.redeliver(conn, hub, chosen.id, ids, actor)
                yield f"{len(found)} messages are sent again"
            case "stop":
                keep_webhooks.stop_webhook(conn, hub, chosen.id, actor)
                yield f"webhook {chosen.id} is stopped; what happens waits"
            case "start":
                keep_webhooks.start_webhook(conn, hub, chosen.id, actor)
                yield f"webhook {chosen.id} is sent to again"
            case _:
                keep_webhooks.remove_webhook(conn, chosen.id, actor)
                yield f"webhook {chosen.id} is removed"


def _listed(found: list[WebhookView]) -> Iterator[str]:
    if not found:
        yield "no webhooks: gridwarden webhooks add URL"
    for w in found:
        state = "works"
        if w.stopped_at is not None:
            state = f"stopped: {w.stopped_why}"
        elif w.failing_since is not None:
            state = f"fails since {w.failing_since:%Y-%m-%d %H:%M}Z, again {w.next_at:%H:%M:%S}Z"
        yield f"{w.id}  {w.url}  {state}; {w.waiting} wait, {w.dead} dead  {w.note}".rstrip()
