"""Events and evidence as far as somebody's reach goes."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor
from hub.domain.reach import Place, check_reach
from hub.store import cohandlers, evidence_index, training, views
from hub.store.rows import GridEventRow


def event_in_reach(conn: Connection[Any], number: str, actor: Actor) -> GridEventRow:
    """The grid event; raises NotFoundError, and ForbiddenError where it is not theirs."""
    event = views.event(conn, number)
    check_event_reach(conn, event, actor)
    return event


def check_event_reach(conn: Connection[Any], event: GridEventRow, actor: Actor) -> None:
    """Raise ForbiddenError where the event is not theirs; whoever it was given to reaches it."""
    if event.assignee != actor.name:
        check_reach(actor, places_of(conn, event), f"event {event.number}")


def places_of(conn: Connection[Any], event: GridEventRow) -> list[Place]:
    """Whose the event is: of its responsible unit, and of every unit that helps."""
    helping = [Place(event.cell, c.unit) for c in cohandlers.of_event(conn, event.id)]
    return [Place(event.cell, event.responsible_unit), *helping]


def check_evidence_reach(conn: Connection[Any], digest: str, actor: Actor) -> None:
    """Raise ForbiddenError where no event or detection it shows is within the actor's reach.

    Whoever trains on a set sees its pictures, wherever they were taken; whoever a case was given to
    sees those of the case.
    """
    if not (actor.cells or actor.unit) or training.shows(conn, actor.name, digest):
        return
    if not evidence_index.is_of_case_of(conn, digest, actor.name):
        check_reach(actor, evidence_index.places(conn, digest), f"evidence {digest[:12]}…")
