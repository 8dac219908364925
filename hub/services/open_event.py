"""A finding, by a machine or a person, joins the grid event it belongs to or opens one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection

from contract.geometry import Point
from contract.taxonomy import Severity
from hub.domain.actor import Actor, Role
from hub.domain.categories import SubCategory
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
from hub.services.event_history import begin_history, record_step
from hub.store import changes as store_changes
from hub.store import control_windows, events
from hub.store.rows import GridEventRow

RECURRENCE = Actor("recurrence", Role.RULE)


@dataclass(frozen=True, slots=True)
class Finding:
    """What somebody found, where and when."""

    actor: Actor  # a device, or the person who reports
    what: SubCategory
    severity: Severity
    title: str
    position: Point | None  # None: not known; then `stream` tells places apart
    first_at: datetime
    last_at: datetime
    stream: tuple[str, str] | None = None  # (agent, stream) that saw it
    test: bool = False
    given: Mapping[str, Any] | None = None  # what the history says of it
    sense: tuple[str, str] | None = None  # (kind, label) of the detection, of a machine

    @property
    def by_machine(self) -> bool:
        """Whether a device found it."""
        return self.actor.role is Role.DEVICE


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


def join_or_open(
    conn: Connection[Any], hub: Hub, finding: Finding, seen: int | None = None
) -> GridEventRow:
    """The event this finding belongs to: one live nearby, one that it reopens, or a new one.

    The locks of `lock_keys` must be held, or two findings of one matter open two events. seen: the
    live event of another group that this measurement belongs to, where none of its own is there.
    """
    found = _live(conn, hub, finding)
    if found is not None:
        event = events.root_of(conn, found)
        if event.ended_at is None:  # or it ended while we waited for its row
            return _join(conn, hub, event, finding)
    if seen is not None:
        event = events.root_of(conn, seen)
        if event.ended_at is None:  # it stays what it is: smoke measured by its dust is no dust
            see_again(conn, event, finding.last_at)
            return event
    closed = _closed(conn, hub, finding)
    if closed is None:
        return _open(conn, hub, finding, None)
    what, before = closed
    event = events.root_of(conn, before.id)
    if what is Recurrence.PART:  # seen before it was closed, told of only now
        return event if finding.by_machine else _join(conn, hub, event, finding)
    if what is Recurrence.REOPENS and event.state == "closed" and not _held(conn, hub, finding):
        return _reopen(conn, hub, event, finding)
    return _open(conn, hub, finding, event)


def event_living_then(conn: Connection[Any], hub: Hub, finding: Finding) -> int | None:
    """The event that a late finding belonged to when it was seen, ended by now or not."""
    if finding.position is None:
        return None
    group = hub.categories.groups[finding.what.group]
    time = timedelta(seconds=group.time_s)
    lon, lat = rectangle(finding.position, group.radius_m)
    candidates = events.living_then(
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


def see_again(conn: Connection[Any], event: GridEventRow, at: datetime) -> None:
    """The event was seen at that time too."""
    if event.ended_at is None:
        if at > event.last_seen_at:
            events.note(conn, event.id, {"last_seen_at": at})
        store_changes.tell(conn, "event", event.number)


def _live(conn: Connection[Any], hub: Hub, finding: Finding) -> int | None:
    group = hub.categories.groups[finding.what.group]
    time = timedelta(seconds=group.time_s)
    since = finding.last_at - time
    if finding.position is None:
        if finding.stream is None:
            return None
        return events.live_of_stream(
            conn, finding.what.group, *finding.stream, since=since, test=finding.test
        )
    lon, lat = rectangle(finding.position, group.radius_m)
    candidates = events.live_near(
        conn, finding.what.group, lon=lon, lat=lat, since=since, test=finding.test
    )
    chosen = choose(finding.position, finding.last_at, candidates, group.radius_m, time)
    return chosen.id if chosen else None


def _closed(conn: Connection[Any], hub: Hub, finding: Finding) -> tuple[Recurrence, Closed] | None:
    """The closed event that this finding repeats, of those whose place is known."""
    group = hub.categories.groups[finding.what.group]
    recur = timedelta(days=group.recur_days)
    if finding.position is None or not recur:
        return None
    lon, lat = rectangle(finding.position, group.radius_m)
    closed = events.closed_near(
        conn,
        finding.what.group,
        lon=lon,
        lat=lat,
        since=finding.last_at - recur,
        test=finding.test,
    )
    return recurrence(
        finding.position,
        finding.last_at,
        closed,
        group.radius_m,
        timedelta(seconds=group.time_s),
        timedelta(hours=group.reopen_h),
        recur,
    )


def _held(conn: Connection[Any], hub: Hub, finding: Finding) -> bool:
    """Whether a control window keeps a machine from filing it again by itself."""
    if finding.sense is None or finding.stream is None:
        return False
    cell = hub.grid.locate(finding.position) if finding.position else None
    sight = Sight(
        finding.what.category,
        finding.what.id,
        finding.sense[0],
        cell.code if cell else None,
        *finding.stream,
    )
    now = hub.now()
    return covering(control_windows.in_force(conn, now), sight, now) is not None


def _reopen(conn: Connection[Any], hub: Hub, event: GridEventRow, finding: Finding) -> GridEventRow:
    """The closed case is open again, by rule; somebody has yet to confirm it."""
    hours = (finding.last_at - event.ended_at).total_seconds() / 3600 if event.ended_at else 0.0
    act = Act(
        "recur",
        reason=f"found again at the same place {hours:.1f} h after it was closed",
        same_place_and_group=True,
    )
    again = act_on_event(conn, hub, event.number, act, RECURRENCE, None)
    return _join(conn, hub, again, finding)


def _open(
    conn: Connection[Any], hub: Hub, finding: Finding, repeats: GridEventRow | None
) -> GridEventRow:
    now = hub.now()
    name = "ingest_detection" if finding.by_machine else "report"
    advance = hub.lifecycle.advance(EventState(None), name, finding.actor, Facts(now))
    cell = hub.grid.locate(finding.position, finding.first_at) if finding.position else None
    district = cell.code[:6] if cell else hub.config.hub.district
    day = now.astimezone(hub.zone).date()
    clocks = clocks_at_opening(
        hub, advance.to_state, finding.what.id, finding.severity, name, finding.actor.role
    )
    event = events.insert(
        conn,
        events.NewEvent(
            number=f"{district}-{day:%Y%m%d}-{events.next_sequence(conn, district, day):05}",
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
        ),
    )
    given = _seen(finding) | ({"recurrence_of": repeats.number} if repeats else {})
    begin_history(conn, event, advance, finding.actor, given=given)
    return event


def _not_asked(hub: Hub, finding: Finding) -> dict[str, Any] | None:
    """Why it is not filed by itself, where nothing else is to be asked: a test, or switched off."""
    if finding.test:
        return kept(Judgement((Why.DRILL,)))
    asked = not finding.by_machine or hub.categories.bar(finding.what).on
    return None if asked else kept(off())


def _join(conn: Connection[Any], hub: Hub, event: GridEventRow, finding: Finding) -> GridEventRow:
    """A person's report makes it urgent; a graver finding makes it graver; else it was seen."""
    changes: dict[str, object] = {}
    if finding.severity < Severity(event.severity):  # S1 is the gravest
        changes["severity"] = finding.severity
        if is_undecided(hub, event):
            changes |= {
                "category": finding.what.category,
                "subcategory": finding.what.id,
                "decide_by": sooner(
                    event.decide_by, decision_due(hub, finding.severity, hub.now())
                ),
            }
    if not finding.by_machine:
        name = "join_report"
        changes["ever_reported"] = True
        if event.ended_at is not None:  # what was closed meanwhile is urgent to nobody
            changes = {"ever_reported": True, "urgent": event.urgent}
    elif changes:
        name = "raise_severity"
    else:
        see_again(conn, event, finding.last_at)
        return event
    advance = hub.lifecycle.advance(EventState(event.state), name, finding.actor, Facts(hub.now()))
    if finding.last_at > event.last_seen_at:
        changes["last_seen_at"] = finding.last_at
    return record_step(
        conn, hub, event, advance, finding.actor, given=_seen(finding), changes=changes
    )


def _seen(finding: Finding) -> dict[str, Any]:
    """What the history keeps of a finding: what came with it, and since when it was seen."""
    seen_at = finding.first_at.astimezone(UTC).isoformat()
    return {**(finding.given or {}), "seen_at": seen_at}
