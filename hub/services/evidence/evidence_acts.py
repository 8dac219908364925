"""Acts on an event's evidence stand in the event's history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor
from hub.domain.guards import Facts
from hub.domain.lifecycle import EventState
from hub.services.context import Hub
from hub.services.event_facts import ground_of
from hub.services.event_history import record_step
from hub.store.rows import GridEventRow


def record_act(
    conn: Connection[Any],
    hub: Hub,
    event: GridEventRow,
    name: str,
    actor: Actor,
    reason: str,
    given: Mapping[str, Any],
) -> GridEventRow:
    """The event, locked by the caller, with the act in its history; raises NotAllowedError."""
    facts = Facts(hub.now(), reason=reason)
    state = EventState(event.state, ground=ground_of(event, ()))
    advance = hub.lifecycle.advance(state, name, actor, facts)
    return record_step(conn, hub, event, advance, actor, reason=reason, given=given)
