"""Events and evidence as far as somebody's reach goes."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor
from hub.domain.reach import Place, check_reach
from hub.store import evidence_index, training, views
from hub.store.rows import GridEventRow


def event_in_reach(conn: Connection[Any], number: str, actor: Actor) -> GridEventRow:
    """The grid event; raises NotFoundError, and ForbiddenError where it is not theirs."""
    event = views.event(conn, number)
    check_reach(actor, [Place(event.cell, event.responsible_unit)], f"event {number}")
    return event


def check_evidence_reach(conn: Connection[Any], digest: str, actor: Actor) -> None:
    """Raise ForbiddenError where no event or detection it shows is within the actor's reach.

    Whoever trains on a set sees its pictures, wherever they were taken.
    """
    if (actor.cells or actor.unit) and not training.shows(conn, actor.name, digest):
        check_reach(actor, evidence_index.places(conn, digest), f"evidence {digest[:12]}…")
