"""The ladder of clocks that run out: every rung is climbed once, whichever hub comes to it.

What fell due while nobody looked is done in order, at once; of several rungs of one event only the
highest tells people, so that an outage is no storm.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import Connection

from hub.domain.actor import Actor, Role
from hub.domain.event_clock import Climbed, EventClocks
from hub.domain.guards import Facts
from hub.domain.ladder import Rung
from hub.domain.lifecycle import EventState
from hub.domain.notice import NoticeKind
from hub.services.context import Hub
from hub.services.event_clock import clocks_of, rung_given
from hub.services.event_history import record_step
from hub.services.outward.tell import tell, tell_holders
from hub.store import due_events, events, people
from hub.store.rows import GridEventRow

RULE = Actor("ladder", Role.RULE)
AT_ONCE = 25  # events in one transaction: they are locked for as long as it takes
PUT_OFF = timedelta(hours=1)  # an event that cannot be done must not stand in the way of others

# what a rung is told as, and to whom; None: whoever handles the case
_REACHES: Mapping[Rung, tuple[NoticeKind, Role | None]] = {
    Rung.HANDLER: (NoticeKind.HALF_TIME, None),
    Rung.LEADER: (NoticeKind.NEARLY_DUE, Role.LEADER),
    Rung.OVERDUE: (NoticeKind.SUPERVISION, Role.MASTER),
    Rung.LEVEL_2: (NoticeKind.ESCALATED, Role.LEADER),
    Rung.LEVEL_3: (NoticeKind.ESCALATED, Role.SUPERVISOR),
}

_AT_THE_UNIT = ("dispatched", "disposing")

_log = logging.getLogger(__name__)


def climb_ladders(conn: Connection[Any], hub: Hub) -> int:
    """Climb what is due by now, for up to `AT_ONCE` events; the number of rungs."""
    return sum(_climb(conn, hub, e) for e in due_events.with_rung_due(conn, hub.now(), AT_ONCE))


def _climb(conn: Connection[Any], hub: Hub, event: GridEventRow) -> int:
    climbed = 0
    try:
        with conn.transaction():
            after, highest = event, None
            while (clocks := _due(conn, hub, after)) is not None:
                after, highest = _record(conn, hub, after, clocks)
                climbed += 1
            if highest is not None:
                _tell(conn, hub, after, highest)
    except psycopg.OperationalError:
        raise  # the database is away
    except Exception:  # noqa: BLE001 - logged; the others go on
        _log.exception("the ladder of event %s is put off for an hour", event.number)
        events.note(conn, event.id, {"next_rung_at": hub.now() + PUT_OFF})
        return 0
    return climbed


def _due(conn: Connection[Any], hub: Hub, event: GridEventRow) -> EventClocks | None:
    """The clocks where a rung is due by now; where none is, the event says when one will be."""
    clocks = clocks_of(hub, event, events.history(conn, event.id))
    if clocks.next_rung is not None and clocks.next_rung.at < hub.now():
        return clocks
    if event.next_rung_at != clocks.columns()["next_rung_at"]:
        events.note(conn, event.id, clocks.columns())
    return None


def _record(
    conn: Connection[Any], hub: Hub, event: GridEventRow, clocks: EventClocks
) -> tuple[GridEventRow, Climbed]:
    assert clocks.next_rung is not None
    assert clocks.present is not None
    rung = clocks.next_rung.rung
    state = EventState(event.state, flags={"level": event.level})
    advance = hub.lifecycle.advance(state, rung.act, RULE, Facts(hub.now()))
    level = max(event.level, rung.level)
    after = record_step(
        conn,
        hub,
        event,
        advance,
        RULE,
        given=rung_given(clocks, clocks.next_rung),
        changes={"level": level} if level != event.level else {},
    )
    return after, clocks.present.climbed(rung)


def _tell(conn: Connection[Any], hub: Hub, event: GridEventRow, climbed: Climbed) -> None:
    """Tell those whom the rung reaches; a test case bothers nobody.

    A handler who left is told nothing: their unit is, else the desk, which can send somebody else.
    """
    if event.test:
        return
    rung = Rung(climbed.rung)
    kind, role = _REACHES[rung]
    occasion = f"{climbed.stage} {rung} {climbed.started_at.isoformat()} {climbed.extensions}"
    body = f"{event.number}: {climbed.stage}, {rung.share:.0%}"
    told: dict[str, Any] = {"body": body, "occasion": occasion}
    if role is None and event.assignee is not None:
        person = people.serving(conn, event.assignee, hub.now())
        if person is not None:
            tell(conn, hub, kind, event, [person], **told)
            return
    if role is None and event.responsible_unit is not None and event.state in _AT_THE_UNIT:
        tell(conn, hub, kind, event, unit=event.responsible_unit, **told)
        return
    tell_holders(conn, hub, kind, event, role or Role.DISPATCHER, **told)
