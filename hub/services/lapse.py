"""Suspected events whose scene has been clear long enough lapse: that is no false alarm."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import Connection

from hub.domain.actor import Actor, Role
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import Hub
from hub.store import due_events
from hub.store.rows import GridEventRow

RULE = Actor("scene-clear", Role.RULE)

_log = logging.getLogger(__name__)


def lapse_cleared(conn: Connection[Any], hub: Hub) -> list[GridEventRow]:
    """Lapse what may lapse now; up to 200 events of a group, the longest clear first."""
    lapsed = []
    for group, rule in sorted(hub.categories.groups.items()):
        before = hub.now() - timedelta(seconds=rule.clear_s)
        for event in due_events.suspected_and_clear(conn, group, before):
            try:
                with conn.transaction():
                    lapsed.append(act_on_event(conn, hub, event.number, Act("lapse"), RULE, None))
            except psycopg.OperationalError:
                raise  # the database is away
            except Exception:  # noqa: BLE001 - logged; the others go on
                _log.exception("event %s does not lapse; it is tried again", event.number)
    return lapsed
