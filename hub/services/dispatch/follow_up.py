"""What follows from a step of an event: tasks, co-handlers, looks of its cameras, notices."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor
from hub.domain.dispatch import GRACE
from hub.services.act import Act
from hub.services.context import Hub
from hub.services.dispatch.tell_steps import tell_step
from hub.store import camera_looks, cohandlers, tasks
from hub.store.rows import GridEventRow

_TASKS = {"verifying": "verify", "checking": "check"}
_LOOKED_AT = ("disposed", "checking")
_OUTCOMES = {
    "verified_exists": "exists",
    "verified_absent": "absent",
    "verify_expired": "expired",
    "check_pass": "passed",
    "check_fail": "failed",
}


def follow_up(
    conn: Connection[Any],
    hub: Hub,
    before: GridEventRow,
    after: GridEventRow,
    act: Act,
    actor: Actor,
) -> None:
    """Do what the step calls for, in its transaction. before, after: the event around it."""
    if before.state != after.state:
        _tasks(conn, hub, before, after, act, actor)
        _looks(conn, hub, before, after)
    if act.name == "add_cohandler" and act.unit:
        cohandlers.add(conn, after.id, act.unit, act.note, actor.name, hub.now())
    elif act.name == "finish_part" and act.unit:
        cohandlers.finish(conn, after.id, act.unit, actor.name, hub.now(), act.note)
    tell_step(conn, hub, before, after, act, actor)


def _tasks(
    conn: Connection[Any],
    hub: Hub,
    before: GridEventRow,
    after: GridEventRow,
    act: Act,
    actor: Actor,
) -> None:
    if before.state in _TASKS:
        outcome = _OUTCOMES.get(act.name, "overtaken")
        answered = outcome not in ("expired", "overtaken")
        by = actor.name if answered else None
        tasks.end_task(conn, after.id, after.version, hub.now(), outcome, by)
    kind = _TASKS.get(after.state)
    if kind is not None:
        due = after.state_ends_at if kind == "verify" else after.due_at
        tasks.open_task(conn, after.id, kind, after.assignee, after.version, hub.now(), due)


def _looks(conn: Connection[Any], hub: Hub, before: GridEventRow, after: GridEventRow) -> None:
    if after.state == "disposed" and not after.test:
        camera_looks.begin(conn, after.id, hub.now(), hub.now() + GRACE)
    elif before.state in _LOOKED_AT and after.state not in _LOOKED_AT:
        camera_looks.end(conn, after.id)
