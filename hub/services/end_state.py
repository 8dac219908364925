"""States that end by themselves: a hang at its end, a verification nobody answered, and a case
that was dealt with, whose check begins."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import Connection

from hub.domain.actor import Actor, Role
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.climb_ladder import AT_ONCE, PUT_OFF
from hub.services.context import Hub
from hub.services.dispatch.propose import propose_checker
from hub.store import due_events, events
from hub.store.rows import GridEventRow

RULE = Actor("clock", Role.RULE)
BY_STATE = {
    "suspended": Act("resume"),
    "verifying": Act("verify_expired"),
    "disposed": Act("start_check"),
}

_log = logging.getLogger(__name__)


def end_states(conn: Connection[Any], hub: Hub) -> int:
    """End what is due by now, for up to `AT_ONCE` events; how many were."""
    ended = 0
    for event in due_events.with_state_ending(conn, hub.now(), AT_ONCE):
        act = BY_STATE.get(event.state)
        if act is not None and event.state == "disposed":
            act = replace(act, assignee=_checker(conn, hub, event))
        try:
            with conn.transaction():
                if act is None:  # the column is older than the state
                    events.note(conn, event.id, {"state_ends_at": None})
                else:
                    act_on_event(conn, hub, event.number, act, RULE, None)
                    ended += 1
        except psycopg.OperationalError:
            raise  # the database is away
        except Exception:  # noqa: BLE001 - logged; the others go on
            _log.exception("event %s stays %s for another hour", event.number, event.state)
            events.note(conn, event.id, {"state_ends_at": hub.now() + PUT_OFF})
    return ended


def _checker(conn: Connection[Any], hub: Hub, event: GridEventRow) -> str | None:
    """Who is proposed; None where there is nobody: whoever passes the check must be another than
    who handled it then, too."""
    person = propose_checker(conn, hub, event).person
    return person.code if person else None
