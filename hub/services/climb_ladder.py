"""The ladder of clocks that run out: every rung is climbed once, whichever hub comes to it.

What fell due while nobody looked is done in order, at once; of several rungs of one event only the
highest tells people, so that an outage is no storm.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from psycopg import Connection

from contract.errors import GridwardenError
from hub.domain.actor import Actor, Role
from hub.domain.guards import Facts
from hub.domain.ladder import Moment, Rung
from hub.domain.lifecycle import EventState
from hub.services.context import Hub
from hub.services.event_clock import clocks_of, rung_given
from hub.services.event_history import record_step
from hub.store import events
from hub.store.rows import GridEventRow

RULE = Actor("ladder", Role.RULE)
AT_ONCE = 100  # events in one transaction
PUT_OFF = timedelta(hours=1)  # an event that cannot be done must not stand in the way of others

_log = logging.getLogger(__name__)


def climb_ladders(conn: Connection[Any], hub: Hub) -> int:
    """Climb what is due by now, for up to `AT_ONCE` events; the number of rungs."""
    return sum(_climb(conn, hub, e) for e in events.with_rung_due(conn, hub.now(), AT_ONCE))


def _climb(conn: Connection[Any], hub: Hub, event: GridEventRow) -> int:
    climbed = 0
    try:
        with conn.transaction():
            after, moment = event, None
            while (reached := _next(conn, hub, after)) is not None:
                after, moment = _record(conn, hub, after, reached), reached
                climbed += 1
            if moment is not None:
                _tell(conn, hub, after, moment.rung)
    except GridwardenError:
        _log.exception("the ladder of event %s is put off for an hour", event.number)
        events.note(conn, event.id, {"next_rung_at": hub.now() + PUT_OFF})
        return 0
    return climbed


def _next(conn: Connection[Any], hub: Hub, event: GridEventRow) -> Moment | None:
    """The rung that is due by now; where there is none the event says when there will be."""
    clocks = clocks_of(hub, event, events.history(conn, event.id))
    rung = clocks.next_rung
    if rung is not None and rung.at < hub.now():
        return rung
    if event.next_rung_at != clocks.columns()["next_rung_at"]:
        events.note(conn, event.id, clocks.columns())
    return None


def _record(conn: Connection[Any], hub: Hub, event: GridEventRow, moment: Moment) -> GridEventRow:
    clocks = clocks_of(hub, event, events.history(conn, event.id))
    state = EventState(event.state, flags={"level": event.level})
    advance = hub.lifecycle.advance(state, moment.rung.act, RULE, Facts(hub.now()))
    level = max(event.level, moment.rung.level)
    return record_step(
        conn,
        hub,
        event,
        advance,
        RULE,
        given=rung_given(clocks, moment),
        changes={"level": level} if level != event.level else {},
    )


def _tell(conn: Connection[Any], hub: Hub, event: GridEventRow, rung: Rung) -> None:
    """Tell those whom the rung reaches."""
