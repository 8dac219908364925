"""Who is told of a step: whoever has to do something now, or to stop doing it.

The unit of a dispatch, and of a recall, hears of it from the outbox.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from hub.domain.actor import Role
from hub.domain.errors import NotFoundError
from hub.domain.notice import NoticeKind
from hub.services.act import Act
from hub.services.context import Hub
from hub.services.outward.tell import tell
from hub.store import cohandlers, people
from hub.store.people import PersonRow
from hub.store.rows import GridEventRow

# who is told at which level, once a case was escalated there
_LEVELS: dict[int, tuple[Role, ...]] = {
    2: (Role.LEADER, Role.DISPATCHER),
    3: (Role.MASTER, Role.SUPERVISOR, Role.DISPATCHER),
}


def tell_step(
    conn: Connection[Any], hub: Hub, before: GridEventRow, after: GridEventRow, act: Act
) -> None:
    """Write the notices of a step, in its transaction; a test case bothers nobody."""
    if after.test:
        return
    match act.name:
        case "dispatch":
            _tell(conn, hub, NoticeKind.DISPATCHED, after, act, after.assignee)
        case "send_verify":
            _tell(conn, hub, NoticeKind.TASK, after, act, after.assignee)
        case "start_check":
            if after.assignee is not None:
                _tell(conn, hub, NoticeKind.TO_CHECK, after, act, after.assignee)
            else:
                _tell_role(conn, hub, NoticeKind.TO_CHECK, after, act, Role.LEADER)
        case "return_unit":
            _tell_role(conn, hub, NoticeKind.RETURNED, after, act, Role.DISPATCHER)
        case "escalate":
            for role in _LEVELS.get(after.level, (Role.DISPATCHER,)):
                _tell_role(conn, hub, NoticeKind.ESCALATED, after, act, role)
        case "check_fail":
            _tell(conn, hub, NoticeKind.REWORK, after, act, after.assignee, after.responsible_unit)
        case "add_cohandler":
            _tell(conn, hub, NoticeKind.COHANDLER, after, act, None, act.unit)
        case "recall" | "merge":
            unit = before.responsible_unit if act.name == "merge" else None
            _tell(conn, hub, NoticeKind.RECALLED, after, act, before.assignee, unit)
            for helper in cohandlers.of_event(conn, after.id):
                if helper.done_at is None:
                    _tell(conn, hub, NoticeKind.RECALLED, after, act, None, helper.unit)
        case "reopen" | "recur":
            _tell_role(conn, hub, NoticeKind.REOPENED, after, act, Role.DISPATCHER)
        case _:
            pass


def _tell(
    conn: Connection[Any],
    hub: Hub,
    kind: NoticeKind,
    event: GridEventRow,
    act: Act,
    person: str | None,
    unit: str | None = None,
) -> None:
    named = [p for code in (person, unit) if code and (p := _person(conn, code)) is not None]
    if unit is not None and unit in {p.code for p in named}:
        unit = None
    if named or unit is not None:
        tell(
            conn,
            hub,
            kind,
            event,
            named,
            unit=unit,
            body=_body(event, act),
            occasion=str(event.version),
        )


def _tell_role(
    conn: Connection[Any],
    hub: Hub,
    kind: NoticeKind,
    event: GridEventRow,
    act: Act,
    role: Role,
) -> None:
    """Whoever holds the post where the event lies; where nobody does, whoever has the role."""
    holders = people.holders(conn, role, event.cell, hub.now())
    if holders:
        tell(conn, hub, kind, event, holders, body=_body(event, act), occasion=str(event.version))
    else:
        tell(
            conn,
            hub,
            kind,
            event,
            role=role,
            cell=event.cell,
            body=_body(event, act),
            occasion=str(event.version),
        )


def _body(event: GridEventRow, act: Act) -> str:
    words = act.reason or act.note
    return f"{event.number}: {words}" if words else event.number


def _person(conn: Connection[Any], code: str) -> PersonRow | None:
    try:
        return people.by_code(conn, code)
    except NotFoundError:
        return None
