"""Fetching an event to change it, as the actor saw it."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor, Role
from hub.domain.errors import ConflictError, InvalidError, NotFoundError
from hub.domain.ladder import LADDER_ACTS
from hub.services.reach import check_event_reach
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
    seen = _find(conn, number)
    into = None if parent is None else _find(conn, parent)
    if into is not None and seen.id == into.id:
        raise InvalidError(f"event {number} cannot join itself", field="parent")
    wanted = (seen.id, seen.parent, None if into is None else into.id)
    ids = {id for id in wanted if id is not None}
    rows = {id: events.by_id(conn, id, lock=True) for id in sorted(ids)}  # always in this order
    event = rows[seen.id]
    if event is None:
        raise NotFoundError("grid event", number)
    for row in rows.values():
        if actor is not None and row is not None:
            check_event_reach(conn, row, actor)
    if expected_version is not None and event.version != expected_version:
        _check_conflict(conn, event, expected_version)
    return event, rows[into.id] if into is not None else None


def _find(conn: Connection[Any], number: str) -> GridEventRow:
    row = events.by_number(conn, number) if "\x00" not in number else None
    if row is None:
        raise NotFoundError("grid event", number)
    return row


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
