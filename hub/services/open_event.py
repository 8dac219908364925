"""A finding, by a machine or a person, joins the grid event it belongs to or opens one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import Connection

from contract.geometry import Point
from contract.taxonomy import Severity
from hub.domain.actor import Actor, Role
from hub.domain.categories import SubCategory
from hub.domain.correlate import choose, rectangle, stream_key, tile_keys
from hub.domain.guards import Facts
from hub.domain.lifecycle import EventState
from hub.services.context import Hub
from hub.services.event_clock import clocks_at_opening, decision_due
from hub.services.event_history import begin_history, record_step
from hub.store import changes as store_changes
from hub.store import events
from hub.store.rows import GridEventRow

DISCOVERY = "discovery"


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

    @property
    def by_machine(self) -> bool:
        """Whether a device found it."""
        return self.actor.role is Role.DEVICE


def lock_keys(hub: Hub, finding: Finding) -> set[str]:
    """What to lock before `join_or_open`: all findings of a transaction at once."""
    group = finding.what.group
    if finding.position is not None:
        return tile_keys(group, finding.position, hub.categories.groups[group].radius_m)
    if finding.stream is not None:
        return {stream_key(group, *finding.stream)}
    return set()


def join_or_open(conn: Connection[Any], hub: Hub, finding: Finding) -> GridEventRow:
    """The event this finding belongs to: one that is live nearby, or a new one.

    The locks of `lock_keys` must be held, or two findings of one matter open two events.
    """
    found = _live(conn, hub, finding)
    if found is None:
        return _open(conn, hub, finding)
    event = events.root_of(conn, found)
    if event.ended_at is not None:  # it ended while we waited for its row
        return _open(conn, hub, finding)
    return _join(conn, hub, event, finding)


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


def _open(conn: Connection[Any], hub: Hub, finding: Finding) -> GridEventRow:
    now = hub.now()
    name = "ingest_detection" if finding.by_machine else "report"
    advance = hub.lifecycle.advance(EventState(None), name, finding.actor, Facts(now))
    cell = hub.grid.locate(finding.position, finding.first_at) if finding.position else None
    district = cell.code[:6] if cell else hub.config.hub.district
    day = now.astimezone(ZoneInfo(hub.config.hub.time_zone)).date()
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
        ),
    )
    begin_history(conn, event, advance, finding.actor, given=finding.given or {})
    return event


def _join(conn: Connection[Any], hub: Hub, event: GridEventRow, finding: Finding) -> GridEventRow:
    """A person's report makes it urgent; a graver finding makes it graver; else it was seen."""
    changes: dict[str, object] = {}
    if finding.severity < Severity(event.severity):  # S1 is the gravest
        changes["severity"] = finding.severity
        if hub.lifecycle.states[event.state].stage == DISCOVERY:
            changes |= {
                "category": finding.what.category,
                "subcategory": finding.what.id,
                "decide_by": _sooner(
                    event.decide_by, decision_due(hub, finding.severity, hub.now())
                ),
            }
    if not finding.by_machine:
        name = "join_report"
        changes["ever_reported"] = True
    elif changes:
        name = "raise_severity"
    else:
        see_again(conn, event, finding.last_at)
        return event
    advance = hub.lifecycle.advance(EventState(event.state), name, finding.actor, Facts(hub.now()))
    if finding.last_at > event.last_seen_at:
        changes["last_seen_at"] = finding.last_at
    return record_step(
        conn, hub, event, advance, finding.actor, given=finding.given or {}, changes=changes
    )


def _sooner(a: datetime | None, b: datetime | None) -> datetime | None:
    return min((x for x in (a, b) if x is not None), default=None)
