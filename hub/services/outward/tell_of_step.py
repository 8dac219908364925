"""People hear of a step by itself: of what is grave and undecided, and of work for their unit."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from contract.taxonomy import Severity
from hub.domain.actor import Role
from hub.domain.notice import NoticeKind
from hub.domain.quiet import AT_ANY_TIME
from hub.services.context import Hub
from hub.services.outward.tell import tell
from hub.store import events, people
from hub.store.outbox import OutboxRow
from hub.store.rows import GridEventRow

_UNDECIDED = ("suspected", "reported")
_OF_FILING = {"auto_file": NoticeKind.AUTO_FILED, "recall": NoticeKind.RECALLED}


def tell_of_step(conn: Connection[Any], hub: Hub, step: OutboxRow) -> int:
    """Write the notices that step calls for; how many are new. Tests of cameras call for none.

    An S1 or S2 that nobody decided on is told to the dispatchers on duty, by name where shifts
    say who they are, else by role; it is told again where it became graver. Work is told to the
    unit it was dispatched to. They hear of what was filed by itself, and of what is recalled.
    """
    data = step.data
    if data["test"]:
        return 0
    severity = Severity(data["severity"])
    grave = severity in AT_ANY_TIME and data["state"] in _UNDECIDED
    kind = _OF_FILING.get(step.name)
    unit = data["responsible_unit"] if step.name == "dispatch" else None
    if not grave and not unit and kind is None:
        return 0
    event = events.by_id(conn, step.event)
    if event is None:
        return 0
    told = 0
    if kind is not None:
        told += _tell_of_filing(conn, hub, kind, event, step)
    if grave:
        duty = people.on_duty(conn, Role.DISPATCHER, data["cell"], hub.now())
        told += tell(
            conn,
            hub,
            NoticeKind.URGENT,
            event,
            duty,
            role=None if duty else Role.DISPATCHER,
            cell=data["cell"],
            occasion=severity,
        )
    if unit:
        told += tell(conn, hub, NoticeKind.DISPATCHED, event, unit=unit, occasion=str(step.n))
    return told


def _tell_of_filing(
    conn: Connection[Any], hub: Hub, kind: NoticeKind, event: GridEventRow, step: OutboxRow
) -> int:
    """The dispatchers on duty hear of both; of a recall the unit does that was sent, too."""
    cell, occasion = step.data["cell"], str(step.n)
    duty = people.on_duty(conn, Role.DISPATCHER, cell, hub.now())
    role = None if duty else Role.DISPATCHER
    told = tell(conn, hub, kind, event, duty, role=role, cell=cell, occasion=occasion)
    unit = step.data["responsible_unit"]
    if kind is NoticeKind.RECALLED and unit:
        told += tell(conn, hub, kind, event, unit=unit, occasion=occasion)
    return told
