"""Detections arrive: each is merged into its episode, and the episode joins or opens an event.

Late detections (seen longer ago than the merge time of their group, by the hub's clock) join what
was living at their capture time, ended by now or not, and change nothing of it; where there was
nothing they are stored and marked `late`. They page nobody. Once the same episode is heard of in
time, because it still goes on, it opens an event like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from contract.taxonomy import Severity
from hub.domain.actor import Actor, Role
from hub.domain.footprint import place_of
from hub.domain.merge import EpisodeState, from_record, merge
from hub.services.context import Hub
from hub.services.corroborate import corroborate, event_seen
from hub.services.end_test import end_test
from hub.services.filing.file_by_itself import file_by_themselves
from hub.services.open_event import (
    Finding,
    event_living_then,
    join_or_open,
    lock_keys,
    see_again,
)
from hub.store import agents, detections, events, locks, sensors
from hub.store.detections import Change, Episode


@dataclass(frozen=True, slots=True)
class Refused:
    """A change that contradicts what is known of its episode."""

    change: Change
    reason: str


def record_detections(conn: Connection[Any], hub: Hub, changes: Sequence[Change]) -> list[Refused]:
    """Store these changes and what follows from them; those that were refused.

    The ledger has already kept out what is here. Order does not matter.
    """
    known = detections.lock_episodes(conn, {c.record.episode for c in changes})
    taken, refused = _by_owner(known, changes)
    if not taken:
        return refused
    detections.append_changes(conn, taken, hub.insert)
    merged = _merge(hub, known, taken)
    placed = _place(conn, hub, _sighted(conn, merged, hub.now()))
    offsets = agents.clock_offsets(conn, {e.state.agent for e in placed})
    seen = {e.state.episode: _seen(e, taken, offsets) for e in placed}
    findings = {
        e.state.episode: finding
        for e in placed
        if (finding := _finding(hub, e.state, seen[e.state.episode], offsets)) is not None
    }
    in_time = {id for id, f in findings.items() if not _is_late(hub, f, seen[id].received_at)}
    locks.lock(
        conn,
        {
            key
            for e in placed
            if e.event is None and e.state.episode in in_time
            for key in lock_keys(hub, findings[e.state.episode])
        },
    )
    settled: list[Episode] = []
    opened: list[Episode] = []  # episodes that have just come to their event
    watched: list[Episode] = []  # that go on, and may have their event filed
    roots: set[int] = set()
    tests: dict[str, int] = {}  # by agent: the event that all its tests of this batch share
    for e in sorted(placed, key=lambda e: (seen[e.state.episode].at, e.state.episode)):
        id = e.state.episode
        if e.event is not None:
            event = events.root_of(conn, e.event)
            see_again(conn, event, seen[id].at)
            roots.add(event.id)
        elif id in in_time and e.state.test:
            if e.state.agent not in tests:
                tested = join_or_open(conn, hub, findings[id])
                tests[e.state.agent] = end_test(conn, hub, tested).id
            e = replace(e, event=tests[e.state.agent], late=False)
        elif id in in_time:
            finding = findings[id]
            near = event_seen(conn, hub, e, finding.last_at, test=finding.test)
            event = join_or_open(conn, hub, finding, near)
            e = replace(e, event=event.id, late=False)
            opened.append(e)
            roots.add(event.id)
        elif id in findings:
            e = replace(e, event=event_living_then(conn, hub, findings[id]), late=True)
            if e.event is not None:
                roots.add(e.event)
        settled.append(e)
        goes_on = e.state.phase != "cleared" and e.lost_sight_at is None
        if e.event is not None and id in in_time and goes_on:
            watched.append(e)
    detections.save_episodes(conn, settled)
    detections.link_evidence(
        conn, ((c.record.episode, ref) for c in taken for ref in c.record.evidence)
    )
    events.see_scenes(conn, roots, hub.now())
    corroborate(conn, hub, opened, {id: f.last_at for id, f in findings.items()})
    file_by_themselves(conn, hub, watched)
    return refused


@dataclass(frozen=True, slots=True)
class _Seen:
    """When an episode was last seen and heard of, by the hub's clock."""

    at: datetime
    received_at: datetime


def _by_owner(
    known: dict[str, Episode], changes: Sequence[Change]
) -> tuple[list[Change], list[Refused]]:
    """An episode belongs to the agent that told of it first."""
    owners = {id: e.state.agent for id, e in known.items()}
    taken, refused = [], []
    for c in changes:
        owner = owners.setdefault(c.record.episode, c.agent)
        if owner == c.agent:
            taken.append(c)
        else:
            refused.append(
                Refused(c, f"episode {c.record.episode} belongs to agent {owner}, not {c.agent}")
            )
    return taken, refused


def _merge(hub: Hub, known: dict[str, Episode], changes: Sequence[Change]) -> list[Episode]:
    merged: dict[str, Episode] = {}
    for c in changes:
        told = from_record(c.record, c.station, c.agent, c.boot, c.received_at)
        told = replace(told, position=hub.grid.place(c.record.position, c.record.cell))
        before = merged.get(told.episode) or known.get(told.episode)
        if before is None:
            merged[told.episode] = Episode(told, event=None, late=False, seq=c.seq)
            continue
        state = merge(before.state, told)
        seq = max(before.seq, c.seq) if before.state.boot == c.boot else c.seq
        merged[told.episode] = replace(before, state=state, seq=seq)
    return list(merged.values())


def _sighted(conn: Connection[Any], episodes: Sequence[Episode], now: datetime) -> list[Episode]:
    """The episodes, lost sight of where the run of their agent that told of them is over.

    So it is with a backlog that arrives after the birth of the next run.
    """
    runs = agents.runs(conn, {e.state.agent for e in episodes})
    return [
        replace(
            e,
            lost_sight_at=now if e.seq < runs.get((e.state.agent, e.state.boot), 0) else None,
        )
        for e in episodes
    ]


def _place(conn: Connection[Any], hub: Hub, episodes: Sequence[Episode]) -> list[Episode]:
    """The episodes with their place on the ground: as told, else as the camera's calibration or
    footprint shows, else where their device stands; with the cell of their time."""
    devices = {(e.state.agent, e.state.stream) for e in episodes}
    known = sensors.positions(conn, devices) | agents.positions(conn, devices)
    sights = agents.sights(conn, devices)
    placed = []
    for e in episodes:
        device = (e.state.agent, e.state.stream)
        position = e.state.position
        if position is None and device in sights:
            position = place_of(sights[device], e.state.box)
        position = position or known.get(device)
        cell = hub.grid.locate(position, e.state.started_at) if position else None
        placed.append(
            replace(e, state=replace(e.state, position=position), cell=cell.code if cell else None)
        )
    return placed


def _seen(e: Episode, changes: Sequence[Change], offsets: dict[tuple[str, str], float]) -> _Seen:
    received_at = max(c.received_at for c in changes if c.record.episode == e.state.episode)
    return _Seen(_hub_time(e.state.captured_at, e.state, received_at, offsets), received_at)


def _hub_time(
    at: datetime,
    state: EpisodeState,
    received_at: datetime,
    offsets: dict[tuple[str, str], float],
) -> datetime:
    """A time of the agent's clock by the hub's; nothing is seen after it was heard of."""
    offset_s = offsets.get((state.agent, state.boot), 0.0)
    return min(at + timedelta(seconds=offset_s), received_at)


def _finding(
    hub: Hub, state: EpisodeState, seen: _Seen, offsets: dict[tuple[str, str], float]
) -> Finding | None:
    """What the episode is to the closed loop, None for a kind that opens no event."""
    what = hub.categories.opened_by(state.kind, state.label)
    if what is None:
        return None
    return Finding(
        actor=Actor(f"{state.agent}/{state.stream}", Role.DEVICE),
        what=what,
        severity=Severity.S4 if state.test else what.severity,
        title="Test" if state.test else what.en,
        position=state.position,
        first_at=_hub_time(state.started_at, state, seen.received_at, offsets),
        last_at=seen.at,
        stream=(state.agent, state.stream),
        test=state.test,
        given={"episode": state.episode, "kind": state.kind, "label": state.label},
        sense=(state.kind, state.label),
    )


def _is_late(hub: Hub, finding: Finding, received_at: datetime) -> bool:
    time_s = hub.categories.groups[finding.what.group].time_s
    return (received_at - finding.last_at).total_seconds() > time_s
