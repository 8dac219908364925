"""Which other systems are told: webhooks are added, tested, given a new secret, removed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from psycopg import Connection

from contract.taxonomy import Severity
from hub.domain.actor import OFFICE, Actor
from hub.domain.errors import ForbiddenError, InvalidError, NotFoundError, WrongRoleError
from hub.domain.webhook import new_secret
from hub.services.context import Hub
from hub.services.handed_in import check_text
from hub.services.outward.sending import AddressError, Sender
from hub.store import webhooks
from hub.store.webhooks import WebhookRow, WebhookView

MOST = 100  # webhooks of one hub
_BY_HAND = "stopped by hand"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A webhook somebody wants; what is left empty lets everything through."""

    url: str
    note: str = ""
    steps: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    cell: str = ""
    tests: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A webhook with the secret that signs its messages, which is shown this once."""

    webhook: WebhookView
    secret: str


def add_webhook(
    conn: Connection[Any], hub: Hub, sender: Sender, wanted: Wanted, actor: Actor
) -> Made:
    """A new webhook: it is told of what happens from now on.

    Raises WrongRoleError, ForbiddenError where it would tell of cells beyond the actor's, and
    InvalidError where the address may not be sent to or a filter names nothing.
    """
    _check_role(actor)
    _check_reach(actor, wanted.cell)
    check_text("note", wanted.note, 200)
    try:
        sender.check(wanted.url)
    except AddressError as e:
        raise InvalidError(str(e), field="url") from None
    known = {*hub.lifecycle.transitions, *hub.lifecycle.acts}
    for step in wanted.steps:
        if step not in known:
            raise InvalidError(
                f"{step!r} is no step; there are {', '.join(sorted(known))}", field="steps"
            )
    for severity in wanted.severities:
        if severity not in list(Severity):
            raise InvalidError(f"{severity!r} is no severity", field="severities")
    if not re.fullmatch(r"[0-9]{0,15}", wanted.cell):
        raise InvalidError(f"{wanted.cell!r} begins no grid code", field="cell")
    if len(webhooks.views(conn)) >= MOST:
        raise InvalidError(f"there are {MOST} webhooks, which is the most: remove one", field="url")
    secret = new_secret()
    id = webhooks.insert(
        conn,
        url=wanted.url,
        note=wanted.note,
        secret=secret,
        steps=list(wanted.steps),
        severities=list(wanted.severities),
        cell=wanted.cell,
        tests=wanted.tests,
        at=hub.now(),
        by=actor.name,
    )
    return Made(show_webhook(conn, id, actor), secret)


def webhooks_of(conn: Connection[Any], actor: Actor) -> list[WebhookView]:
    """Those that tell of nothing beyond the actor's cells, in the order they were made."""
    return [w for w in webhooks.views(conn) if actor.reaches(w.cell)]


def show_webhook(conn: Connection[Any], id: int, actor: Actor) -> WebhookView:
    """How far a webhook has come; raises NotFoundError, ForbiddenError."""
    found = webhooks.views(conn, id)
    if not found:
        raise NotFoundError("webhook", str(id))
    _check_reach(actor, found[0].cell)
    return found[0]


def rotate_secret(conn: Connection[Any], hub: Hub, id: int, actor: Actor) -> Made:
    """A new secret; the one before signs beside it for as long as the settings say."""
    _locked(conn, id, actor)
    secret = new_secret()
    until = hub.now() + timedelta(hours=hub.config.webhooks.rotation_hours)
    webhooks.replace_secret(conn, id, secret, until)
    return Made(show_webhook(conn, id, actor), secret)


def remove_webhook(conn: Connection[Any], id: int, actor: Actor) -> None:
    """Tell that system nothing more; what waits for it is forgotten."""
    _locked(conn, id, actor)
    webhooks.remove(conn, id)


def stop_webhook(conn: Connection[Any], hub: Hub, id: int, actor: Actor) -> WebhookView:
    """Send nothing for now; what happens waits for the start."""
    _locked(conn, id, actor)
    webhooks.stop(conn, id, _BY_HAND, hub.now())
    return show_webhook(conn, id, actor)


def start_webhook(conn: Connection[Any], hub: Hub, id: int, actor: Actor) -> WebhookView:
    """Send again, at once."""
    _locked(conn, id, actor)
    webhooks.start(conn, id, hub.now())
    return show_webhook(conn, id, actor)


def queue_test(conn: Connection[Any], hub: Hub, id: int, actor: Actor) -> int:
    """The id of a test message that is sent like any other."""
    _locked(conn, id, actor)
    return webhooks.queue_test(conn, id, hub.now())


def redeliver(
    conn: Connection[Any], hub: Hub, id: int, deliveries: list[int] | None, actor: Actor
) -> list[int]:
    """Send these messages again, or all that are dead for None; which they are.

    Raises NotFoundError where one of them is not this webhook's.
    """
    _locked(conn, id, actor)
    found = webhooks.redeliver(conn, id, deliveries, hub.now())
    missing = sorted(set(deliveries or ()) - set(found))
    if missing:
        raise NotFoundError("delivery of this webhook", str(missing[0]))
    return sorted(found)


def _locked(conn: Connection[Any], id: int, actor: Actor) -> WebhookRow:
    _check_role(actor)
    webhook = webhooks.by_id(conn, id, lock=True)
    if webhook is None:
        raise NotFoundError("webhook", str(id))
    _check_reach(actor, webhook.cell)
    return webhook


def _check_role(actor: Actor) -> None:
    if actor.role not in OFFICE:
        raise WrongRoleError(
            f"webhooks are not for the role {actor.role}; they are for {', '.join(OFFICE)}",
            action="keep_webhooks",
            role=actor.role,
        )


def _check_reach(actor: Actor, cell: str) -> None:
    """Raise ForbiddenError where steps in cells beyond the actor's would be told.

    cell: the beginning of the grid codes that are told of, empty for all.
    """
    if not actor.reaches(cell):
        raise ForbiddenError(
            f"a webhook for {f'cell {cell}' if cell else 'every cell'} tells of more than "
            f"{', '.join(actor.cells)}, where you may act: name one of these as its cell",
            role=actor.role,
            cells=actor.cells,
            cell=cell or None,
        )
