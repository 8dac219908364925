"""What is known when somebody acts on an event: said by them, or found in its history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from hub.domain.camera_word import Outcome
from hub.domain.event_clock import VERIFY_WITHIN
from hub.domain.guards import Facts
from hub.domain.lifecycle import UNDO
from hub.domain.scope import Ground
from hub.services.act import Act
from hub.services.context import Hub
from hub.services.open_requests import open_requests, second_of
from hub.store import camera_looks, cohandlers, reports
from hub.store.rows import GridEventRow, HistoryRow

HANDLING = ("accept", "feedback", "self_handle")


def gather_facts(
    hub: Hub,
    conn: Connection[Any],
    event: GridEventRow,
    history: list[HistoryRow],
    act: Act,
    parent: GridEventRow | None,
) -> Facts:
    """Everything the guards of the lifecycle may ask."""
    now = hub.now()
    what = hub.categories.subcategories.get(act.subcategory or event.subcategory)
    condition = what.condition(act.filing_condition) if what else None
    since_dispatch = _since(history, "dispatch")
    requests = open_requests(hub, history)
    signed = second_of(requests, act.name)
    last = next(reversed(transitions_of(hub, history)), None)
    return Facts(
        now=now,
        reason=act.reason or (act.note if act.name == "check_pass" else ""),
        category=what is not None,
        filing_condition=condition.id if condition else None,
        closing_condition=act.closing_condition_met,
        evidence_viewed=act.evidence_viewed,
        evidence_missing=act.evidence_missing,
        evidence=act.evidence,
        responsible_unit=act.responsible_unit or event.responsible_unit,
        unit=act.unit,
        assignee=act.assignee,
        until=act.until,
        second_actor=signed.actor if signed else None,
        reviewers_agree=signed is not None and _granted(signed) is act.granted,
        policy_pass=act.policy_pass,
        parent=parent.number if parent is not None and parent.ended_at is None else None,
        confirmation=event.confirmation,
        scene_clear=_scene_clear(hub, event, now),
        task_overdue=_task_overdue(history, now),
        overdue=event.due_at is not None and now > event.due_at,
        self_handle_allowed=what is not None and what.self_handle,
        still_seen=act.name == "check_pass" and _still_seen(conn, event),
        machine_may_close=what is not None and what.machine_may_close,
        handlers=frozenset(h.actor for h in since_dispatch if h.name in HANDLING),
        handler=next((h.actor for h in reversed(since_dispatch) if h.name == "accept"), None),
        parts_to_do=frozenset(
            c.unit for c in cohandlers.of_event(conn, event.id) if c.done_at is None
        )
        if act.name == "finish_part"
        else frozenset(),
        hang_requested=requests.hang is not None,
        extension_count=event.extension_count,
        extension_asked_by=requests.extension.actor if requests.extension else None,
        appealed_by=requests.appeal.actor if requests.appeal else None,
        appealed=requests.appealed,
        told=(event.responsible_unit or "", *reports.reporters(conn, event.id))
        if act.name == "recall"
        else None,
        reopen_until=_reopen_until(hub, event, act),
        same_place_and_group=act.same_place_and_group,
        last_actor=last.actor if last else None,
        last_at=last.at if last else None,
        last_is_latest=last is not None and last.name != UNDO and last.from_state is not None,
        undo_to=last.from_state if last else None,
    )


def _still_seen(conn: Connection[Any], event: GridEventRow) -> bool:
    look = camera_looks.of_event(conn, event.id)
    return look is not None and look.outcome == Outcome.STILL_SEEN


def ground_of(event: GridEventRow, history: Sequence[HistoryRow]) -> Ground:
    """Where the event lies and whose it is."""
    cohandlers = {
        str(h.facts["given"]["unit"])
        for h in history
        if h.name == "add_cohandler" and "unit" in h.facts.get("given", {})
    }
    responsible = {event.responsible_unit} if event.responsible_unit else set()
    return Ground(
        cell=event.cell,
        units=frozenset(responsible | cohandlers),
        named=frozenset(name for name in (event.responsible_unit, event.assignee) if name),
    )


def transitions_of(hub: Hub, history: list[HistoryRow]) -> list[HistoryRow]:
    """The entries that are transitions; acts leave the state and are left out."""
    return [h for h in history if h.name in hub.lifecycle.transitions]


def _reopen_until(hub: Hub, event: GridEventRow, act: Act) -> datetime | None:
    """A rule reopens what came back within the window of its group, people within a longer one."""
    group = hub.categories.groups.get(event.merge_group)
    if event.ended_at is None:
        return None
    if act.name != "recur":
        return event.ended_at + hub.categories.reopen_window
    return event.ended_at + timedelta(hours=group.reopen_h) if group else None


def _since(history: list[HistoryRow], *names: str) -> list[HistoryRow]:
    """The entries after the last one of these names, all where there is none."""
    start = max((i + 1 for i, h in enumerate(history) if h.name in names), default=0)
    return history[start:]


def _granted(entry: HistoryRow) -> bool | None:
    """What somebody said of a request."""
    granted: bool | None = entry.facts["given"].get("granted")
    return granted


def _scene_clear(hub: Hub, event: GridEventRow, now: datetime) -> bool:
    group = hub.categories.groups.get(event.merge_group)
    return (
        group is not None
        and event.scene_cleared_at is not None
        and now - event.scene_cleared_at >= timedelta(seconds=group.clear_s)
    )


def _task_overdue(history: list[HistoryRow], now: datetime) -> bool:
    """A verification without a time of its own has `VERIFY_WITHIN`."""
    task = next((h for h in reversed(history) if h.name == "send_verify"), None)
    if task is None:
        return False
    until = task.facts["given"].get("until")
    return now > (datetime.fromisoformat(until) if until else task.at + VERIFY_WITHIN)
