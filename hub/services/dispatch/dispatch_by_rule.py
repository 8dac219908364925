"""Cases of categories that are configured so are dispatched as proposed, without anybody's word.

Once: what a unit gave back, or somebody took back, is for a person to decide.
"""

from __future__ import annotations

import logging
from typing import Any

import psycopg
from psycopg import Connection

from hub.domain.actor import Actor, Role
from hub.domain.dispatch import GRACE
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import Hub
from hub.services.dispatch.propose import propose_dispatch
from hub.store import due_events

RULE = Actor("dispatch-rule", Role.RULE)
AT_ONCE = 25  # events in one transaction: they are locked for as long as it takes

_log = logging.getLogger(__name__)


def dispatch_by_rule(conn: Connection[Any], hub: Hub) -> int:
    """Dispatch what was filed long enough ago that its filing stands; how many were.

    What no unit answers for is left to people.
    """
    kinds = [s.id for s in hub.categories.subcategories.values() if s.dispatch_by_rule]
    if not kinds:
        return 0
    done = 0
    for event in due_events.filed_never_dispatched(conn, kinds, hub.now() - GRACE, AT_ONCE):
        proposal = propose_dispatch(conn, hub, event)
        if proposal.unit is None:
            continue
        act = Act(
            "dispatch",
            reason=proposal.reason.en[:2000],
            responsible_unit=proposal.unit.code,
            assignee=proposal.person.code if proposal.person else None,
        )
        try:
            with conn.transaction():
                act_on_event(conn, hub, event.number, act, RULE, None)
                done += 1
        except psycopg.OperationalError:
            raise  # the database is away
        except Exception:  # noqa: BLE001 - logged; the others go on
            _log.exception("event %s is left to be dispatched by a person", event.number)
    return done
