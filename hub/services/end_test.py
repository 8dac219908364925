"""The grid event of a test: opened as any other, and over before anybody could be called to it."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor, Role
from hub.domain.guards import Facts
from hub.domain.lifecycle import EventState
from hub.services.context import Hub
from hub.services.event_history import record_step
from hub.store.rows import GridEventRow

RULE = Actor("daily-test", Role.RULE)


def end_test(conn: Connection[Any], hub: Hub, event: GridEventRow) -> GridEventRow:
    """Let a test that was just opened lapse, in the transaction that opened it.

    So it stands in no queue, and no clock of it runs.
    """
    facts = Facts(hub.now(), scene_clear=True)
    advance = hub.lifecycle.advance(EventState(event.state), "lapse", RULE, facts)
    return record_step(conn, hub, event, advance, RULE, reason="a test")
