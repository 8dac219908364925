"""Suspected events whose scene has been clear long enough lapse: that is no false alarm."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor, Role
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import Hub
from hub.store import events
from hub.store.rows import GridEventRow

RULE = Actor("scene-clear", Role.RULE)


def lapse_cleared(conn: Connection[Any], hub: Hub) -> list[GridEventRow]:
    """Lapse what may lapse now; up to 200 events of a group, the longest clear first."""
    lapsed = []
    for group, rule in sorted(hub.categories.groups.items()):
        before = hub.now() - timedelta(seconds=rule.clear_s)
        for event in events.suspected_and_clear(conn, group, before):
            lapsed.append(act_on_event(conn, hub, event.number, Act("lapse"), RULE, None))
    return lapsed
