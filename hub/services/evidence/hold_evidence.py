"""A legal hold: what is held is not deleted, by nobody and no rule, until it is released."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor
from hub.domain.errors import ConflictError, NotFoundError
from hub.services.context import Hub
from hub.services.event_lock import lock_event
from hub.services.evidence.evidence_acts import record_act
from hub.services.handed_in import MAX_REASON, check_text
from hub.services.reach import check_evidence_reach
from hub.store import changes, evidence_index, evidence_keeping
from hub.store.rows import GridEventRow


def hold_event(
    conn: Connection[Any], hub: Hub, number: str, reason: str, actor: Actor
) -> GridEventRow:
    """Hold all evidence of an event, what comes later too.

    Raises NotFoundError, InvalidError, NotAllowedError, and ConflictError where a hold stands.
    """
    check_text("reason", reason, MAX_REASON, needed=True)
    event, _ = lock_event(conn, number, None, None, actor)
    after = record_act(conn, hub, event, "hold_evidence", actor, reason, {})
    evidence_keeping.lock(conn, evidence_keeping.of_event(conn, event.id))
    if not evidence_keeping.place_hold(
        conn, event=event.id, at=hub.now(), by=actor.name, reason=reason
    ):
        raise ConflictError(f"the evidence of event {number} is held already")
    return after


def release_event(
    conn: Connection[Any], hub: Hub, number: str, reason: str, actor: Actor
) -> GridEventRow:
    """End the hold on an event. Raises as `hold_event` does."""
    check_text("reason", reason, MAX_REASON, needed=True)
    event, _ = lock_event(conn, number, None, None, actor)
    after = record_act(conn, hub, event, "release_evidence", actor, reason, {})
    if not evidence_keeping.release_hold(
        conn, event=event.id, at=hub.now(), by=actor.name, reason=reason
    ):
        raise ConflictError(f"no hold stands on the evidence of event {number}")
    return after


def hold_one(conn: Connection[Any], hub: Hub, digest: str, reason: str, actor: Actor) -> None:
    """Hold one picture or clip, of an event or of none. Raises as `hold_event` does."""
    _check(conn, digest, reason, actor)
    if not evidence_keeping.place_hold(
        conn, digest=digest, at=hub.now(), by=actor.name, reason=reason
    ):
        raise ConflictError(f"evidence {digest} is held already")
    changes.tell(conn, "evidence", digest)


def release_one(conn: Connection[Any], hub: Hub, digest: str, reason: str, actor: Actor) -> None:
    """End the hold on one picture or clip. Raises as `hold_event` does."""
    _check(conn, digest, reason, actor)
    if not evidence_keeping.release_hold(
        conn, digest=digest, at=hub.now(), by=actor.name, reason=reason
    ):
        raise ConflictError(f"no hold stands on evidence {digest}")
    changes.tell(conn, "evidence", digest)


def _check(conn: Connection[Any], digest: str, reason: str, actor: Actor) -> None:
    check_text("reason", reason, MAX_REASON, needed=True)
    row = evidence_index.by_digest(conn, digest)
    if row is None:
        raise NotFoundError("evidence", digest)
    check_evidence_reach(conn, digest, actor)
    evidence_keeping.lock(conn, [digest])
