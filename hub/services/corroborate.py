"""Senses that confirm each other: smoke that is seen and bad air that is measured.

A detection that was seen and one that was measured, in the same or an adjacent cell within the time
of the rule: the severity of the event that was seen rises by one step, once, and its history says
through what. Where both lie within the merge radius they are one event.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from contract.geometry import Point
from contract.taxonomy import Severity
from hub.domain.actor import Actor, Role
from hub.domain.categories import Corroboration
from hub.domain.guards import Facts
from hub.domain.lifecycle import EventState
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import Hub
from hub.services.event_clock import decision_due, is_undecided, sooner
from hub.services.event_history import record_step
from hub.store import events
from hub.store.detections import Episode
from hub.store.events import SensedEvent
from hub.store.rows import GridEventRow

RULE = Actor("corroboration", Role.RULE)
STEP = "corroborate"
_ORDER = tuple(Severity)  # S1, the gravest, first


@dataclass(frozen=True, slots=True)
class Sense:
    """A detection that a rule of corroboration means, and which side of it that is."""

    rule: Corroboration
    side: str  # seen | measured


def senses(hub: Hub, kind: str, label: str) -> list[Sense]:
    """The rules that mean a detection of this kind and label."""
    return [
        Sense(rule, side)
        for rule in hub.categories.corroborations
        if (side := rule.side(kind, label)) is not None
    ]


def sense_keys(hub: Hub, kind: str, label: str, cell: str | None) -> set[str]:
    """What to lock besides the tiles: two senses that speak at once must see each other."""
    if cell is None:
        return set()
    return {
        f"corroboration/{sense.rule.id}/{code}"
        for sense in senses(hub, kind, label)
        for code in hub.grid.around(cell)
    }


def event_seen(
    conn: Connection[Any], hub: Hub, e: Episode, at: datetime, *, test: bool
) -> int | None:
    """The live event that something measured belongs to: seen within its merge radius."""
    position = e.state.position
    if e.cell is None or position is None:
        return None
    for sense in senses(hub, e.state.kind, e.state.label):
        if sense.side != "measured":
            continue
        for other in _others(conn, hub, sense.rule, "seen", e.cell, at, test=test):
            if _within(hub, other, position):
                return other.id
    return None


def corroborate(
    conn: Connection[Any],
    hub: Hub,
    episodes: Collection[Episode],
    seen_at: Mapping[str, datetime],
) -> None:
    """Raise what these new episodes confirm, or are confirmed by. They have been stored.

    seen_at: when each was seen last, by the hub's clock.
    """
    for e in episodes:
        if e.event is None or e.cell is None:
            continue
        for sense in senses(hub, e.state.kind, e.state.label):
            _confirm(conn, hub, e, sense, seen_at[e.state.episode])


def _confirm(conn: Connection[Any], hub: Hub, e: Episode, sense: Sense, at: datetime) -> None:
    assert e.cell is not None
    assert e.event is not None
    wanted = "measured" if sense.side == "seen" else "seen"
    others = _others(conn, hub, sense.rule, wanted, e.cell, at, test=e.state.test)
    if not others:
        return
    own = SensedEvent(
        id=events.root_of(conn, e.event).id,
        group="",
        lon=None if e.state.position is None else e.state.position.lon,
        lat=None if e.state.position is None else e.state.position.lat,
        agent=e.state.agent,
        stream=e.state.stream,
        kind=e.state.kind,
        label=e.state.label,
    )
    if sense.side == "measured":
        for seen in {o.id: o for o in others}.values():
            _raise(conn, hub, seen.id, sense.rule, own)
        return
    _raise(conn, hub, own.id, sense.rule, others[0])
    seen_event = events.by_id(conn, own.id)
    for measured in {o.id: o for o in others}.values():
        _join(conn, hub, measured, seen_event)


def _others(
    conn: Connection[Any],
    hub: Hub,
    rule: Corroboration,
    side: str,
    cell: str,
    at: datetime,
    *,
    test: bool,
) -> Sequence[SensedEvent]:
    since = at - timedelta(seconds=rule.within_s)
    found = events.live_in_cells(conn, hub.grid.around(cell), since, test=test)
    return [s for s in found if rule.side(s.kind, s.label) == side]


def _within(hub: Hub, seen: SensedEvent, position: Point) -> bool:
    group = hub.categories.groups.get(seen.group)
    if group is None or seen.lon is None or seen.lat is None:
        return False
    return position.distance_m(Point(seen.lon, seen.lat)) <= group.radius_m


def _raise(
    conn: Connection[Any], hub: Hub, id: int, rule: Corroboration, through: SensedEvent
) -> None:
    """One step, once. An emergency cannot be graver; that it was confirmed is kept all the same."""
    event = events.root_of(conn, id)
    if event.corroborated_at is not None or event.ended_at is not None:
        return
    now = hub.now()
    graver = _ORDER[max(0, _ORDER.index(Severity(event.severity)) - 1)]
    changes: dict[str, object] = {"severity": graver, "corroborated_at": now}
    if is_undecided(hub, event):
        changes["decide_by"] = sooner(event.decide_by, decision_due(hub, graver, now))
    advance = hub.lifecycle.advance(EventState(event.state), STEP, RULE, Facts(now))
    through_number = next(iter(events.numbers_of(conn, {through.id})), "")
    given = {
        "rule": rule.id,
        "agent": through.agent,
        "stream": through.stream,
        "kind": through.kind,
        "label": through.label,
        "event": "" if through_number == event.number else through_number,
    }
    record_step(
        conn,
        hub,
        event,
        advance,
        RULE,
        reason=f"{rule.en}: {through.label} by {through.agent}/{through.stream}",
        given=given,
        changes=changes,
    )


def _join(
    conn: Connection[Any], hub: Hub, measured: SensedEvent, seen: GridEventRow | None
) -> None:
    """What was measured at the very place before anything was seen is the same event."""
    event = events.root_of(conn, measured.id)
    if seen is None or event.id == seen.id or event.state != "suspected":
        return
    if seen.lon is None or seen.lat is None or event.lon is None or event.lat is None:
        return
    group = hub.categories.groups.get(seen.merge_group)
    metres = Point(seen.lon, seen.lat).distance_m(Point(event.lon, event.lat))
    if group is not None and metres <= group.radius_m:
        act_on_event(conn, hub, event.number, Act("attach", parent=seen.number), RULE, None)
