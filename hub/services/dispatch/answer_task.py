"""Somebody who was sent to look says what they found; it moves the event on."""

from __future__ import annotations

from typing import Any, Literal

from psycopg import Connection

from hub.domain.actor import Actor, Role
from hub.domain.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from hub.domain.notice import NoticeKind
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import Hub
from hub.services.outward.tell import tell_holders
from hub.store import events, tasks
from hub.store.rows import GridEventRow
from hub.store.tasks import TaskRow

Answer = Literal["exists", "absent", "passed", "failed"]
_ACTS: dict[tuple[str, Answer], str] = {
    ("verify", "exists"): "verified_exists",
    ("verify", "absent"): "verified_absent",
    ("check", "passed"): "check_pass",
    ("check", "failed"): "check_fail",
}


def answer_task(
    conn: Connection[Any],
    hub: Hub,
    id: int,
    answer: Answer,
    note: str,
    evidence: tuple[str, ...],
    actor: Actor,
) -> GridEventRow:
    """The event after the answer.

    An assistant may not close a case: that it is done becomes a comment with its photos, and a
    leader who did not handle it is told to close it. Raises NotFoundError, ConflictError where the
    task is over, ForbiddenError where it is somebody else's, NotAllowedError and InvalidError.
    """
    task = tasks.task(conn, id)
    if task is None:
        raise NotFoundError("task", str(id))
    event = events.by_id(conn, task.event, lock=True)
    assert event is not None
    task = tasks.task(conn, id)  # as it is now that nobody else is at it
    assert task is not None
    _check(task, event, answer, actor)
    name = _ACTS[task.kind, answer]
    if name == "check_pass" and actor.role is Role.ASSISTANT:
        return _found_done(conn, hub, task, event, note, evidence, actor)
    given = Act(
        name,
        reason=note if answer in ("absent", "failed") else "",
        note="" if answer in ("absent", "failed") else note,
        evidence=evidence,
        closing_condition_met=name == "check_pass",
    )
    return act_on_event(conn, hub, event.number, given, actor, None)


def _check(task: TaskRow, event: GridEventRow, answer: Answer, actor: Actor) -> None:
    if task.ended_at is not None:
        raise ConflictError(
            f"the task is over ({task.outcome}): event {event.number} is {event.state} now",
            version=event.version,
            actor=task.answered_by or "the clock",
            action=task.outcome or "",
            at=task.ended_at,
        )
    if (task.kind, answer) not in _ACTS:
        fitting = ", ".join(a for k, a in _ACTS if k == task.kind)
        raise InvalidError(
            f"{answer!r} answers no task to {task.kind}; {fitting} do", field="answer"
        )
    if task.person not in (None, actor.name):
        raise ForbiddenError(f"the task is {task.person}'s, not {actor.name}'s", role=actor.role)


def _found_done(
    conn: Connection[Any],
    hub: Hub,
    task: TaskRow,
    event: GridEventRow,
    note: str,
    evidence: tuple[str, ...],
    actor: Actor,
) -> GridEventRow:
    """Keep what was found, and have somebody close it who may."""
    said = Act("comment", note=note or "it is done", evidence=evidence)
    after = act_on_event(conn, hub, event.number, said, actor, None)
    tasks.find(conn, task.id, "passed", actor.name, hub.now())
    if not after.test:
        tell_holders(
            conn,
            hub,
            NoticeKind.TO_CHECK,
            after,
            Role.LEADER,
            body=f"{after.number}: {actor.name}: {said.note}",
            occasion=f"found {after.version}",
        )
    return after
