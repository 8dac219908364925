"""People and rules move a grid event along its lifecycle."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from psycopg import Connection

from contract.taxonomy import Severity
from hub.domain.actor import Actor, Role
from hub.domain.errors import InvalidError, NotAllowedError
from hub.domain.guards import Facts
from hub.domain.lifecycle import UNDO, EventState, previous_state
from hub.services.act import Act as Act
from hub.services.context import Hub
from hub.services.dispatch.follow_up import follow_up
from hub.services.dispatch.named import check_named
from hub.services.event_facts import gather_facts, ground_of, transitions_of
from hub.services.event_history import as_column, record_step
from hub.services.event_lock import lock_event
from hub.services.evidence.hold_evidence import hold_event, release_event
from hub.services.handed_in import MAX_REASON, check_text, complete_evidence
from hub.services.merge_events import JOINING, check_parent, let_go, take_in
from hub.services.step_changes import columns_of, flags_of
from hub.store import events, evidence_index, judged, verdicts
from hub.store.rows import GridEventRow, HistoryRow


def act_on_event(
    conn: Connection[Any],
    hub: Hub,
    number: str,
    act: Act,
    actor: Actor,
    expected_version: int | None,
) -> GridEventRow:
    """The grid event after the act; `undo` by name works too.

    expected_version: the version the actor saw; None: whatever it is. Raises NotFoundError,
    ConflictError, NotAllowedError and InvalidError.
    """
    _check(act)
    event, parent = lock_event(conn, number, expected_version, act.parent, actor)
    if act.name == UNDO:
        return _undo(conn, hub, event, actor)
    if act.name in _OF_EVIDENCE:
        return _OF_EVIDENCE[act.name](conn, hub, number, act.reason, actor)
    if act.name == "finish_part" and act.unit is None:
        act = replace(act, unit=actor.unit)
    check_named(conn, act, hub.now())
    history = events.history(conn, event.id)
    photos = complete_evidence(conn, act.evidence)
    if parent is not None and act.name in JOINING:
        check_parent(conn, parent)
    facts = gather_facts(hub, conn, event, history, act, parent)
    advance = hub.lifecycle.advance(_state_of(hub, event, history), act.name, actor, facts)
    advance = flags_of(hub, advance, event, act)
    after = record_step(
        conn,
        hub,
        event,
        advance,
        actor,
        reason=act.reason,
        given=_given(act) | _found(facts),
        changes=columns_of(hub, advance, event, act, facts, parent, actor),
    )
    evidence_index.attach(conn, event.id, photos, after.version)
    if parent is not None and act.name in JOINING:
        take_in(conn, hub, parent, event, actor)
    elif act.name == "unmerge" and event.parent is not None:
        let_go(conn, hub, event.parent, after, actor)
    follow_up(conn, hub, event, after, act, actor)
    return after


def undo(conn: Connection[Any], hub: Hub, number: str, actor: Actor) -> GridEventRow:
    """The grid event with its last transition taken back, within 30 s, by who made it.

    Raises NotFoundError and NotAllowedError.
    """
    event, _ = lock_event(conn, number, None, None, actor)
    return _undo(conn, hub, event, actor)


def _undo(conn: Connection[Any], hub: Hub, event: GridEventRow, actor: Actor) -> GridEventRow:
    history = events.history(conn, event.id)
    facts = gather_facts(hub, conn, event, history, Act(UNDO), None)
    advance = hub.lifecycle.advance(_state_of(hub, event, history), UNDO, actor, facts)
    undone = transitions_of(hub, history)[-1]
    _check_untouched(event, undone)
    restored = {
        column: as_column(before) for column, (before, _) in undone.facts["changed"].items()
    }
    if any(h.name == "join_report" for h in history[undone.n :]):
        restored.pop("ever_reported", None)  # a person reported it since
    after = record_step(
        conn, hub, event, advance, actor, given={"undone": undone.n}, changes=restored
    )
    verdicts.undo(conn, event.id, undone.n, hub.now())
    judged.forget_undone(conn, event.id)
    if event.parent is not None and undone.name in JOINING:
        let_go(conn, hub, event.parent, after, _in_the_role_of(undone, actor))
    elif after.parent is not None and undone.name == "unmerge":
        again = events.by_id(conn, after.parent, lock=True)
        if again is not None:
            take_in(conn, hub, again, event, _in_the_role_of(undone, actor))
    follow_up(conn, hub, event, after, Act(UNDO), actor)
    return after


def _in_the_role_of(undone: HistoryRow, actor: Actor) -> Actor:
    """Who takes a step back, in the role they made it in: they may have another by now."""
    return replace(actor, role=Role(undone.role))


def _check_untouched(event: GridEventRow, undone: HistoryRow) -> None:
    """What joined since has made the event another one than the undo would restore."""
    for column, (_, after) in undone.facts["changed"].items():
        if getattr(event, column) != as_column(after) and column != "last_seen_at":
            raise NotAllowedError(
                f"undo is not possible: {column} has changed since",
                action=UNDO,
                state=event.state,
                missing=("no_later_transition_or_verdict",),
            )


def _state_of(hub: Hub, event: GridEventRow, history: list[HistoryRow]) -> EventState:
    return EventState(
        state=event.state,
        previous=previous_state((h.name, h.to_state) for h in transitions_of(hub, history)),
        severity=Severity(event.severity),
        flags={
            "level": event.level,
            "extension_count": event.extension_count,
            "rework_count": event.rework_count,
            "reopened_count": event.reopened_count,
        },
        ground=ground_of(event, history),
    )


_OF_EVIDENCE = {"hold_evidence": hold_event, "release_evidence": release_event}


def _check(act: Act) -> None:
    if act.name == "erase_evidence":
        raise InvalidError(
            "evidence is erased piece by piece: POST /api/v1/evidence/DIGEST/erase", field="name"
        )
    if act.name == "take_down_comment" and act.report is None:
        raise InvalidError(
            "comments are taken down one by one: POST /api/v1/reports/ID/rating/take-down",
            field="name",
        )
    for field in ("reason", "note"):
        check_text(field, getattr(act, field), MAX_REASON)
    for field in ("responsible_unit", "unit", "assignee"):
        check_text(field, getattr(act, field) or "", 200)
    if act.until is not None and act.until.tzinfo is None:
        raise InvalidError("until needs a time zone", field="until")
    if act.name == "rate" and act.satisfaction not in (1, 2, 3, 4, 5):
        raise InvalidError("satisfaction must be 1 to 5", field="satisfaction")
    decides = act.name in ("decide_extension", "review_appeal", "decide_appeal")
    if decides and act.granted is None:
        raise InvalidError(f"{act.name} must say whether it is granted", field="granted")


def _found(facts: Facts) -> dict[str, Any]:
    """What the entry tells beside what its actor gave: who is told, who signed it before."""
    found: dict[str, Any] = {}
    if facts.told:
        found["told"] = sorted(filter(None, facts.told))
    if facts.second_actor:
        found["second_actor"] = facts.second_actor
    return found


def _given(act: Act) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for f in fields(act):
        value = getattr(act, f.name)
        if f.name in ("name", "reason") or value == f.default:
            continue
        if isinstance(value, datetime):
            value = value.isoformat()
        given[f.name] = list(value) if isinstance(value, tuple) else value
    return given
