"""Fetching an event to change it, as the actor saw it."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor, Role
from hub.domain.errors import ConflictError, InvalidError, NotFoundError
from hub.domain.ladder import LADDER_ACTS
from hub.domain.reach import Place, check_reach
from hub.store import events
from hub.store.rows import GridEventRow


def lock_event(
    conn: Connection[Any],
    number: str,
    expected_version: int | None,
    parent: str | None,
    actor: Actor | None = None,
) -> tuple[GridEventRow, GridEventRow | None]:
    """The event, and the one it is to join if any, locked until the transaction ends.

    Raises NotFoundError, InvalidError, ForbiddenError where it is out of the actor's reach, and
    ConflictError (who did what when) where the event has another version than expected.
    """
    ids = [_id(conn, n) for n in (number, parent) if n is not None]
    if len(ids) == 2 and ids[0] == ids[1]:
        raise InvalidError(f"event {number} cannot join itself", field="parent")
    rows = {id: events.by_id(conn, id, lock=True) for id in sorted(ids)}  # always in this order
    event = rows[ids[0]]
    if event is None:
        raise NotFoundError("grid event", number)
    for row in rows.values():
        if actor is not None and row is not None:
            place = Place(row.cell, row.responsible_unit)
            check_reach(actor, [place], f"event {row.number}")
    if expected_version is not None and event.version != expected_version:
        _check_conflict(conn, event, expected_version)
    return event, rows[ids[1]] if len(ids) == 2 else None


def _id(conn: Connection[Any], number: str) -> int:
    row = events.by_number(conn, number) if "\x00" not in number else None
    if row is None:
        raise NotFoundError("grid event", number)
    return row.id


def _check_conflict(conn: Connection[Any], event: GridEventRow, expected: int) -> None:
    """Raise ConflictError unless all that came since are the rungs that a timer climbed: they
    change nothing an actor decides on."""
    since = [h for h in events.history(conn, event.id) if h.n > expected]
    others = [h for h in since if not (h.role == Role.RULE and h.name in LADDER_ACTS)]
    if since and not others and expected >= 1:
        return
    last = (others or events.history(conn, event.id))[-1]
    raise ConflictError(
        f"{last.actor} did {last.name} at {last.at.isoformat(timespec='seconds')}: event "
        f"{event.number} is {event.state} now (version {event.version}, you saw {expected}); "
        "nothing of yours was done",
        version=event.version,
        actor=last.actor,
        action=last.name,
        at=last.at,
    )
