"""Writing what the lifecycle decided: the event's row, its history entry and the outbox, together.

What leaves the hub (webhooks, alerts, notices) is made of the outbox: nobody is told of a step that
was rolled back, and no step that was taken is forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast

from psycopg import Connection

from hub.domain.actor import Actor
from hub.domain.history import FIRST, Entry, entry_hash, first_broken
from hub.domain.lifecycle import Advance
from hub.services.context import Hub
from hub.services.event_clock import clocks_of, moves_clocks
from hub.store import changes as store_changes
from hub.store import events, outbox
from hub.store.rows import GridEventRow, HistoryRow


@dataclass(frozen=True, slots=True)
class Beginning:
    """How an event came to be: what its first history entry tells."""

    advance: Advance
    actor: Actor
    given: Mapping[str, Any]


def begin_histories(conn: Connection[Any], begun: Sequence[tuple[GridEventRow, Beginning]]) -> None:
    """The first entries of the histories of events that were just opened."""
    steps = []
    for event, how in begun:
        facts = {"given": dict(how.given)}
        entry = _row(event, 1, FIRST, event.opened_at, how.advance, how.actor, None, facts)
        steps.append((event, entry))
    _write(conn, steps)


def record_step(
    conn: Connection[Any],
    hub: Hub,
    event: GridEventRow,
    advance: Advance,
    actor: Actor,
    *,
    reason: str = "",
    given: Mapping[str, Any] | None = None,
    changes: Mapping[str, object] | None = None,
) -> GridEventRow:
    """The event after a step the lifecycle decided, with its history entry.

    event: as it is in the database, locked. changes: columns beside those the lifecycle sets.
    The entry keeps each changed column with its value before, so that it can be taken back.
    """
    at = hub.now()
    wanted = {
        **_of_state(hub, event, advance, at),
        **advance.changes,
        **(changes or {}),
    }
    changed = {k: v for k, v in wanted.items() if getattr(event, k) != v}
    facts = {
        "given": {k: v for k, v in (given or {}).items() if v not in ("", None, False, [])},
        "changed": {k: [as_json(getattr(event, k)), as_json(v)] for k, v in changed.items()},
    }
    n = event.version + 1
    if moves_clocks(advance.name, is_act=advance.is_act, severity_changed="severity" in changed):
        before = events.history(conn, event.id)
        entry = _row(event, n, before[-1].hash, at, advance, actor, reason or None, facts)
        would_be = replace(event, state=advance.to_state, **cast(dict[str, Any], changed))
        clocks = clocks_of(hub, would_be, [*before, entry]).columns()
    else:
        last_hash = events.last_hash(conn, event.id)
        entry = _row(event, n, last_hash, at, advance, actor, reason or None, facts)
        clocks = {}
    after = events.move(conn, event.id, advance.to_state, {**changed, **clocks})
    _write(conn, [(after, entry)])
    return after


def _write(conn: Connection[Any], steps: Sequence[tuple[GridEventRow, HistoryRow]]) -> None:
    """Steps that were taken, each with its event as it left it."""
    events.append_history(conn, [entry for _, entry in steps])
    outbox.write(conn, steps)
    store_changes.tell_each(conn, "event", (event.number for event, _ in steps))


def verify_history(conn: Connection[Any], number: str) -> int | None:
    """The number of the first entry of that event's history that was tampered with, else None.

    An entry that is missing shows at its place, one cut off the end as the one after the last.
    """
    event = events.by_number(conn, number)
    if event is None:
        raise LookupError(f"there is no grid event {number!r}")
    rows = events.history(conn, event.id)
    broken = first_broken((_entry(number, row), row.prev_hash, row.hash) for row in rows)
    if broken is None and len(rows) != event.version:
        return len(rows) + 1
    return broken


def _of_state(hub: Hub, event: GridEventRow, advance: Advance, at: datetime) -> dict[str, object]:
    """What every arrival in a state brings with it."""
    state = hub.lifecycle.states[advance.to_state]
    changes: dict[str, object] = {"ended_at": None}
    if state.terminal:
        changes["ended_at"] = event.ended_at or at
    if advance.to_state == "filed" and event.filed_at is None:
        changes["filed_at"] = at
    if state.counted_as_reported is True:
        changes["ever_reported"] = True
    return changes


def _row(
    event: GridEventRow,
    n: int,
    prev_hash: str,
    at: datetime,
    advance: Advance,
    actor: Actor,
    reason: str | None,
    facts: dict[str, Any],
) -> HistoryRow:
    entry = Entry(
        number=event.number,
        n=n,
        at=at,
        name=advance.name,
        from_state=advance.from_state,
        to_state=advance.to_state,
        role=str(actor.role),
        actor=actor.name,
        reason=reason,
        facts=facts,
    )
    return HistoryRow(
        event=event.id,
        n=n,
        at=at,
        name=entry.name,
        from_state=entry.from_state,
        to_state=entry.to_state,
        role=entry.role,
        actor=entry.actor,
        reason=reason,
        facts=facts,
        prev_hash=prev_hash,
        hash=entry_hash(entry, prev_hash),
    )


def _entry(number: str, row: HistoryRow) -> Entry:
    return Entry(
        number=number,
        n=row.n,
        at=row.at,
        name=row.name,
        from_state=row.from_state,
        to_state=row.to_state,
        role=row.role,
        actor=row.actor,
        reason=row.reason,
        facts=row.facts,
    )


def as_json(value: object) -> object:
    """A column's value as the history keeps it: times as text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value


def as_column(value: Any) -> Any:
    """A column's value from the history."""
    if isinstance(value, str) and len(value) >= 25 and value[10:11] == "T":
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value
    return value
