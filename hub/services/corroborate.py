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
from hub.domain.categories import Corroboration, Feed
from hub.domain.guards import Facts
from hub.domain.lifecycle import EventState
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import Hub
from hub.services.event_clock import decision_due, is_undecided, sooner
from hub.services.event_history import record_step
from hub.store import events, nearby
from hub.store.detections import Episode
from hub.store.nearby import SensedEvent
from hub.store.rows import GridEventRow

RULE = Actor("corroboration", Role.RULE)
STEP = "corroborate"
_ORDER = tuple(Severity)  # S1, the gravest, first
_OTHER = {"seen": "measured", "measured": "seen"}


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
        asked = _Asked(sense, e.cell, at, test)
        for other in _others(hub, asked, _around(conn, hub, [asked])):
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
    asking = [
        (e, _Asked(sense, e.cell, seen_at[e.state.episode], e.state.test))
        for e in episodes
        if e.event is not None and e.cell is not None
        for sense in senses(hub, e.state.kind, e.state.label)
    ]
    around: list[SensedEvent] | None = None
    for n, (e, asked) in enumerate(asking):
        if around is None:
            around = _around(conn, hub, [a for _, a in asking[n:]])
        others = _others(hub, asked, around)
        if others and _confirm(conn, hub, e, asked, others):
            around = None  # what was read may be so no more


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a detection looks for: the other side of its rule, around its cell and time."""

    sense: Sense
    cell: str
    at: datetime
    test: bool

    @property
    def since(self) -> datetime:
        """Since when it must have been seen."""
        return self.at - timedelta(seconds=self.sense.rule.within_s)

    @property
    def feeds(self) -> Sequence[Feed]:
        """What the other side is fed by."""
        rule = self.sense.rule
        return rule.measured if self.sense.side == "seen" else rule.seen


def _around(conn: Connection[Any], hub: Hub, asked: Sequence[_Asked]) -> list[SensedEvent]:
    """Every event that any of these may mean."""
    if not asked:
        return []
    return nearby.live_in_cells(
        conn,
        {code for cell in {a.cell for a in asked} for code in hub.grid.around(cell)},
        {feed.kind for a in asked for feed in a.feeds},
        min(a.since for a in asked),
    )


def _others(hub: Hub, asked: _Asked, around: Sequence[SensedEvent]) -> list[SensedEvent]:
    """Those that this one means."""
    if not around:
        return []
    cells, wanted = hub.grid.around(asked.cell), _OTHER[asked.sense.side]
    return [
        s
        for s in around
        if s.cell in cells
        and s.last_seen_at >= asked.since
        and s.test == asked.test
        and asked.sense.rule.side(s.kind, s.label) == wanted
    ]


def _confirm(
    conn: Connection[Any], hub: Hub, e: Episode, asked: _Asked, others: Sequence[SensedEvent]
) -> bool:
    """Whether anything came of it."""
    assert e.event is not None
    rule = asked.sense.rule
    own = SensedEvent(
        id=events.root_of(conn, e.event).id,
        group="",
        lon=None if e.state.position is None else e.state.position.lon,
        lat=None if e.state.position is None else e.state.position.lat,
        agent=e.state.agent,
        stream=e.state.stream,
        kind=e.state.kind,
        label=e.state.label,
        cell=asked.cell,
        last_seen_at=asked.at,
        test=asked.test,
    )
    each = {o.id: o for o in others}
    if asked.sense.side == "measured":
        return any([_raise(conn, hub, seen, rule, own) for seen in each])
    raised = _raise(conn, hub, own.id, rule, others[0])
    seen_event = events.by_id(conn, own.id)
    return any([raised, *(_join(conn, hub, measured, seen_event) for measured in each)])


def _within(hub: Hub, seen: SensedEvent, position: Point) -> bool:
    group = hub.categories.groups.get(seen.group)
    if group is None or seen.lon is None or seen.lat is None:
        return False
    return position.distance_m(Point(seen.lon, seen.lat)) <= group.radius_m


def _raise(
    conn: Connection[Any], hub: Hub, id: int, rule: Corroboration, through: SensedEvent
) -> bool:
    """One step, once. An emergency cannot be graver; that it was confirmed is kept all the same."""
    event = events.root_of(conn, id)
    if event.corroborated_at is not None or event.ended_at is not None:
        return False
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
    return True


def _join(conn: Connection[Any], hub: Hub, measured: int, seen: GridEventRow | None) -> bool:
    """What was measured at the very place before anything was seen is the same event."""
    event = events.root_of(conn, measured)
    if seen is None or event.id == seen.id or event.state != "suspected":
        return False
    if seen.lon is None or seen.lat is None or event.lon is None or event.lat is None:
        return False
    group = hub.categories.groups.get(seen.merge_group)
    metres = Point(seen.lon, seen.lat).distance_m(Point(event.lon, event.lat))
    if group is None or metres > group.radius_m:
        return False
    act_on_event(conn, hub, event.number, Act("attach", parent=seen.number), RULE, None)
    return True
