"""The clocks of a grid event, from its row and its history as they are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from contract.taxonomy import Severity
from hub.domain.actor import Role
from hub.domain.case_history import Entry, standing
from hub.domain.deadline import deadline
from hub.domain.event_clock import Climbed, EventClocks, Subject, event_clocks
from hub.domain.ladder import LADDER_ACTS, Moment, Rung
from hub.domain.lifecycle import UNDO
from hub.domain.work_rules import CalendarError
from hub.services.context import Hub
from hub.store.rows import GridEventRow, HistoryRow

SATISFIED = 4  # of the 1 to 5 that a reporter may give: this much and more

# entries that leave the state as it is and yet move a clock; so does a change of severity
_MOVE_CLOCKS = frozenset({"decide_extension", *LADDER_ACTS})


def clocks_of(hub: Hub, event: GridEventRow, history: Sequence[HistoryRow]) -> EventClocks:
    """The clocks of an event as its history sets them."""
    return event_clocks(
        Subject(
            event.state,
            event.subcategory,
            event.filing_condition,
            severities_of(event.opened_at, event.severity, history),
        ),
        standing(entry_of(row) for row in history),
        [c for row in history if (c := climbed_in(row)) is not None],
        hub.categories,
        hub.calendar,
    )


def moves_clocks(name: str, *, is_act: bool, severity_changed: bool) -> bool:
    """Whether a step can move any clock of its event."""
    return not is_act or severity_changed or name in _MOVE_CLOCKS


def clocks_at_opening(
    hub: Hub, state: str, subcategory: str, severity: Severity, name: str, role: Role
) -> EventClocks:
    """The clocks of an event that is just being opened."""
    now = hub.now()
    return event_clocks(
        Subject(state, subcategory, None, ((now, severity),)),
        (Entry(now, name, state, role),),
        (),
        hub.categories,
        hub.calendar,
    )


def decision_due(hub: Hub, severity: Severity, since: datetime) -> datetime | None:
    """Until when something that waits since then should be filed or not; None: no such limit."""
    limit = hub.categories.limits[severity].accept
    try:
        return None if limit is None else deadline(since, limit, hub.calendar)
    except CalendarError:
        return None


def is_undecided(hub: Hub, event: GridEventRow) -> bool:
    """Whether its discovery goes on: nobody has filed or rejected it yet."""
    return hub.lifecycle.states[event.state].stage == "discovery"


def sooner(a: datetime | None, b: datetime | None) -> datetime | None:
    """The earlier of two limits; None is none."""
    return min((x for x in (a, b) if x is not None), default=None)


def entry_of(row: HistoryRow) -> Entry:
    """An entry of the history as clocks and assessment read it."""
    given = row.facts.get("given", {})
    changed = row.facts.get("changed", {})
    return Entry(
        at=row.at,
        name=row.name,
        to_state=row.to_state,
        role=Role(row.role),
        actor=row.actor,
        unit=str(changed.get("responsible_unit", ["", None])[1] or ""),
        reason=row.reason or "",
        until=_time(given.get("until")),
        granted=given.get("granted") is True,
        level=Rung(given["rung"]).level if row.name == "raise_level" and "rung" in given else 0,
        verdict=str(given.get("verdict") or ""),
        satisfied=_satisfied(given) if row.name == "rate" else None,
        seen_at=_time(given.get("seen_at")),
    )


def rung_given(clocks: EventClocks, moment: Moment) -> dict[str, Any]:
    """What the history keeps of a rung that is climbed."""
    assert clocks.present is not None
    mark = clocks.present.climbed(moment.rung)
    return {
        "rung": mark.rung,
        "stage": mark.stage,
        "started_at": mark.started_at.astimezone(UTC).isoformat(),
        "extensions": mark.extensions,
        "reached_at": moment.at.isoformat(),
    }


def climbed_in(row: HistoryRow) -> Climbed | None:
    """The rung that an entry tells of, None where it tells of none."""
    given = row.facts.get("given", {})
    if row.name not in LADDER_ACTS or "rung" not in given:
        return None
    return Climbed(
        given["stage"],
        datetime.fromisoformat(given["started_at"]),
        int(given.get("extensions", 0)),
        given["rung"],
    )


def severities_of(
    opened_at: datetime, severity: str, history: Sequence[HistoryRow]
) -> list[tuple[datetime, Severity]]:
    """Since when it has had which severity; a change that was undone has never been."""
    undone = {row.facts.get("given", {}).get("undone") for row in history if row.name == UNDO}
    changes = [
        (row.at, *row.facts["changed"]["severity"])
        for row in history
        if "severity" in row.facts.get("changed", {}) and row.name != UNDO and row.n not in undone
    ]
    first = changes[0][1] if changes else severity
    return [
        (opened_at, Severity(first)),
        *((at, Severity(after)) for at, _, after in changes),
    ]


def _satisfied(given: Mapping[str, Any]) -> bool | None:
    rating = given.get("satisfaction")
    return rating >= SATISFIED if isinstance(rating, int) else None


def _time(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
