"""A finding, by a machine or a person, joins the grid event it belongs to or opens one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor, Role
from hub.domain.control_window import Sight, covering
from hub.domain.correlate import (
    Closed,
    Recurrence,
    choose,
    rectangle,
    recurrence,
    stream_key,
    tile_keys,
)
from hub.domain.filing import Judgement, Why, kept, off
from hub.domain.guards import Facts
from hub.domain.lifecycle import EventState
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import Hub
from hub.services.corroborate import sense_keys
from hub.services.event_clock import clocks_at_opening, decision_due, is_undecided, sooner
from hub.services.event_history import Beginning, record_step
from hub.services.events_at_hand import EventsAtHand, Standing
from hub.services.finding import Finding
from hub.store import control_windows, nearby
from hub.store.events import NewEvent
from hub.store.rows import GridEventRow

RECURRENCE = Actor("recurrence", Role.RULE)


def lock_keys(hub: Hub, finding: Finding) -> set[str]:
    """What to lock before `join_or_open`: all findings of a transaction at once."""
    group = finding.what.group
    if finding.position is not None:
        keys = tile_keys(group, finding.position, hub.categories.groups[group].radius_m)
        if finding.sense is not None:
            cell = hub.grid.locate(finding.position)
            keys |= sense_keys(hub, *finding.sense, cell.code if cell else None)
        return keys
    if finding.stream is not None:
        return {stream_key(group, *finding.stream)}
    return set()


def join_or_open(conn: Connection[Any], hub: Hub, finding: Finding) -> GridEventRow:
    """The event this finding belongs to: one live nearby, one that it reopens, or a new one.

    The locks of `lock_keys` must be held, or two findings of one matter open two events.
    """
    at_hand = EventsAtHand(conn, hub, [finding])
    standing = place(at_hand, finding)
    at_hand.write()
    return standing.written


def place(
    at_hand: EventsAtHand, finding: Finding, seen: Callable[[], int | None] = lambda: None
) -> Standing:
    """The same among the events at hand; what it does to them may have yet to be written.

    seen: tells the live event of another group that this measurement belongs to; asked where none
    of its own is there.
    """
    live = at_hand.live(finding)
    if live is not None:
        return _join(at_hand, live, finding)
    other = seen()
    if other is not None:
        live = at_hand.root_of(other)
        if live.live:  # it stays what it is: smoke measured by its dust is no dust
            at_hand.see(live, finding.last_at, finding.stream)
            return live
    found = _recurrence(at_hand, finding)
    if found is None:
        return _open(at_hand, finding, None)
    what, closed = found
    before = at_hand.root_of(closed.id)
    if what is Recurrence.PART:  # seen before it was closed, told of only now
        return before if finding.by_machine else _join(at_hand, before, finding)
    reopens = what is Recurrence.REOPENS and before.written.state == "closed"
    if reopens and not _held(at_hand, finding):
        return _reopen(at_hand, before, finding)
    return _open(at_hand, finding, before.written)


def event_living_then(conn: Connection[Any], hub: Hub, finding: Finding) -> int | None:
    """The event that a late finding belonged to when it was seen, ended by now or not."""
    if finding.position is None:
        return None
    group = hub.categories.groups[finding.what.group]
    time = timedelta(seconds=group.time_s)
    lon, lat = rectangle(finding.position, group.radius_m)
    candidates = nearby.living_then(
        conn,
        finding.what.group,
        lon=lon,
        lat=lat,
        since=finding.last_at - time,
        until=finding.last_at + time,
        test=finding.test,
    )
    chosen = choose(finding.position, finding.last_at, candidates, group.radius_m, time)
    return chosen.id if chosen else None


def _recurrence(at_hand: EventsAtHand, finding: Finding) -> tuple[Recurrence, Closed] | None:
    """The closed event that this finding repeats, of those whose place is known."""
    group = at_hand.hub.categories.groups[finding.what.group]
    if finding.position is None:
        return None
    return recurrence(
        finding.position,
        finding.last_at,
        at_hand.closed(finding),
        group.radius_m,
        timedelta(seconds=group.time_s),
        timedelta(hours=group.reopen_h),
        timedelta(days=group.recur_days),
    )


def _held(at_hand: EventsAtHand, finding: Finding) -> bool:
    """Whether a control window keeps a machine from filing it again by itself."""
    if finding.sense is None or finding.stream is None:
        return False
    hub = at_hand.hub
    cell = hub.grid.locate(finding.position) if finding.position else None
    sight = Sight(
        finding.what.category,
        finding.what.id,
        finding.sense[0],
        cell.code if cell else None,
        *finding.stream,
    )
    now = hub.now()
    return covering(control_windows.in_force(at_hand.conn, now), sight, now) is not None


def _reopen(at_hand: EventsAtHand, standing: Standing, finding: Finding) -> Standing:
    """The closed case is open again, by rule; somebody has yet to confirm it."""
    event = standing.written
    hours = (finding.last_at - event.ended_at).total_seconds() / 3600 if event.ended_at else 0.0
    act = Act(
        "recur",
        reason=f"found again at the same place {hours:.1f} h after it was closed",
        same_place_and_group=True,
    )
    at_hand.write()
    again = act_on_event(at_hand.conn, at_hand.hub, event.number, act, RECURRENCE, None)
    at_hand.stand(standing, again)
    return _join(at_hand, standing, finding)


def _open(at_hand: EventsAtHand, finding: Finding, repeats: GridEventRow | None) -> Standing:
    hub, now = at_hand.hub, at_hand.hub.now()
    name = "ingest_detection" if finding.by_machine else "report"
    advance = hub.lifecycle.advance(EventState(None), name, finding.actor, Facts(now))
    cell = hub.grid.locate(finding.position, finding.first_at) if finding.position else None
    clocks = clocks_at_opening(
        hub, advance.to_state, finding.what.id, finding.severity, name, finding.actor.role
    )
    event = NewEvent(
        number="",
        state=advance.to_state,
        origin="machine" if finding.by_machine else "manual",
        ever_reported=hub.lifecycle.states[advance.to_state].counted_as_reported is True,
        category=finding.what.category,
        subcategory=finding.what.id,
        merge_group=finding.what.group,
        severity=finding.severity,
        title=finding.title,
        position=finding.position,
        cell=cell.code if cell else None,
        occurred_at=finding.first_at,
        last_seen_at=finding.last_at,
        opened_at=now,
        decide_by=decision_due(hub, finding.severity, now),
        urgent=False,
        test=finding.test,
        due_at=clocks.due_at,
        close_by=clocks.close_by,
        next_rung_at=clocks.next_rung.at if clocks.next_rung else None,
        recurrence_of=repeats.id if repeats else None,
        occurrence=repeats.occurrence + 1 if repeats else 1,
        by_itself=_not_asked(hub, finding),
    )
    given = _seen(finding) | ({"recurrence_of": repeats.number} if repeats else {})
    district = cell.code[:6] if cell else hub.config.hub.district
    return at_hand.open(finding, event, district, Beginning(advance, finding.actor, given))


def _not_asked(hub: Hub, finding: Finding) -> dict[str, Any] | None:
    """Why it is not filed by itself, where nothing else is to be asked: a test, or switched off."""
    if finding.test:
        return kept(Judgement((Why.DRILL,)))
    asked = not finding.by_machine or hub.categories.bar(finding.what).on
    return None if asked else kept(off())


def _join(at_hand: EventsAtHand, standing: Standing, finding: Finding) -> Standing:
    """A person's report makes it urgent; a graver finding makes it graver; else it was seen."""
    if finding.by_machine and not finding.severity < standing.severity:
        at_hand.see(standing, finding.last_at, finding.stream)
        return standing
    hub = at_hand.hub
    at_hand.write()
    event = standing.written
    changes: dict[str, object] = {}
    if finding.severity < standing.severity:  # S1 is the gravest
        changes["severity"] = finding.severity
        if is_undecided(hub, event):
            changes |= {
                "category": finding.what.category,
                "subcategory": finding.what.id,
                "decide_by": sooner(
                    event.decide_by, decision_due(hub, finding.severity, hub.now())
                ),
            }
    if finding.by_machine:
        name = "raise_severity"
    else:
        name = "join_report"
        changes["ever_reported"] = True
        if event.ended_at is not None:  # what was closed meanwhile is urgent to nobody
            changes = {"ever_reported": True, "urgent": event.urgent}
    advance = hub.lifecycle.advance(EventState(event.state), name, finding.actor, Facts(hub.now()))
    if finding.last_at > event.last_seen_at:
        changes["last_seen_at"] = finding.last_at
    after = record_step(
        at_hand.conn,
        hub,
        event,
        advance,
        finding.actor,
        given=_seen(finding),
        changes=changes,
    )
    at_hand.stand(standing, after)
    return standing


def _seen(finding: Finding) -> dict[str, Any]:
    """What the history keeps of a finding: what came with it, and since when it was seen."""
    seen_at = finding.first_at.astimezone(UTC).isoformat()
    return {**(finding.given or {}), "seen_at": seen_at}
