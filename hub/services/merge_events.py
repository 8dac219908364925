"""What a merge or a split means to the event that remains.

The merged event keeps its detections, reports and history: it is a tombstone that points to its
parent, and splitting it is one step. The parent takes over what is graver, and gives it back.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from contract.taxonomy import Severity
from hub.domain.actor import Actor
from hub.domain.errors import InvalidError
from hub.domain.guards import Facts
from hub.domain.lifecycle import EventState
from hub.services.context import Hub
from hub.services.event_clock import is_undecided, sooner
from hub.services.event_history import as_column, as_json, record_step
from hub.store import events
from hub.store.rows import GridEventRow, HistoryRow

TAKE_IN, LET_GO = "take_in", "let_go"
JOINING = frozenset({"attach", "merge"})
_TAKEN_OVER = ("severity", "urgent", "ever_reported", "last_seen_at", "decide_by")


def check_parent(conn: Connection[Any], parent: GridEventRow) -> None:
    """Raise InvalidError where it was itself merged, and name the event to join instead."""
    if parent.state == "merged":
        root = events.root_of(conn, parent.id)
        raise InvalidError(
            f"event {parent.number} was itself merged into {root.number}: name that one",
            field="parent",
        )


def take_in(
    conn: Connection[Any], hub: Hub, parent: GridEventRow, child: GridEventRow, actor: Actor
) -> GridEventRow:
    """The parent with what the merged event brings: the graver severity, its reporters, its sight.

    parent: locked, as it is in the database.
    """
    changes: dict[str, object] = {
        "last_seen_at": max(parent.last_seen_at, child.last_seen_at),
        "urgent": parent.urgent or child.urgent,
        "ever_reported": parent.ever_reported or child.ever_reported,
    }
    if Severity(child.severity) < Severity(parent.severity):  # S1 is the gravest
        changes["severity"] = child.severity
        if is_undecided(hub, parent):
            changes["decide_by"] = sooner(parent.decide_by, child.decide_by)
    after = _step(conn, hub, parent, TAKE_IN, actor, child.number, changes)
    events.see_scenes(conn, {parent.id}, hub.now())
    return after


def let_go(
    conn: Connection[Any], hub: Hub, parent_id: int, child: GridEventRow, actor: Actor
) -> None:
    """The parent without what the split event had brought, as far as nothing changed it since."""
    parent = events.by_id(conn, parent_id, lock=True)
    if parent is None:
        return
    taken = _last_taken(events.history(conn, parent.id), child.number)
    changes: dict[str, object] = {}
    for column, (before, after) in (taken.facts["changed"] if taken else {}).items():
        if column in _TAKEN_OVER and as_json(getattr(parent, column)) == after:
            changes[column] = as_column(before)
    _step(conn, hub, parent, LET_GO, actor, child.number, changes)
    events.see_scenes(conn, {parent.id, child.id}, hub.now())


def _step(
    conn: Connection[Any],
    hub: Hub,
    parent: GridEventRow,
    name: str,
    actor: Actor,
    child: str,
    changes: dict[str, object],
) -> GridEventRow:
    advance = hub.lifecycle.advance(EventState(parent.state), name, actor, Facts(hub.now()))
    return record_step(conn, hub, parent, advance, actor, given={"child": child}, changes=changes)


def _last_taken(history: list[HistoryRow], child: str) -> HistoryRow | None:
    found = (h for h in reversed(history) if h.name == TAKE_IN)
    return next((h for h in found if h.facts["given"].get("child") == child), None)
