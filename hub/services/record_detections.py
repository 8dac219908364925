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
from functools import partial
from typing import Any

from psycopg import Connection

from contract.taxonomy import Severity
from hub.domain.actor import Actor, Role
from hub.domain.footprint import place_of
from hub.domain.merge import EpisodeState, from_record, merge
from hub.services.context import Hub
from hub.services.corroborate import corroborate, event_seen
from hub.services.end_test import end_test
from hub.services.events_at_hand import EventsAtHand, Standing
from hub.services.filing.file_by_itself import file_by_themselves
from hub.services.finding import Finding
from hub.services.open_event import event_living_then, lock_keys, place
from hub.store import agents, camera_places, detections, events, locks, sensors
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
    told = _told(conn, hub, placed, taken)
    asking = [t.finding for t in told if t.episode.event is None and t.in_time and t.finding]
    locks.lock(conn, {key for finding in asking for key in lock_keys(hub, finding)})
    at_hand = EventsAtHand(conn, hub, asking, {e.event for e in placed if e.event is not None})
    settled = _settle(at_hand, told)
    detections.save_episodes(conn, [s.episode for s in settled])
    detections.link_evidence(
        conn, ((c.record.episode, ref) for c in taken for ref in c.record.evidence)
    )
    events.see_scenes(conn, {s.root for s in settled if s.root is not None}, hub.now())
    corroborate(
        conn,
        hub,
        [s.episode for s in settled if s.new],
        {t.episode.state.episode: t.seen_at for t in told},
    )
    in_time = {t.episode.state.episode for t in told if t.in_time}
    file_by_themselves(
        conn,
        hub,
        [
            s.episode
            for s in settled
            if s.episode.event is not None
            and s.episode.state.episode in in_time
            and s.episode.state.phase != "cleared"
            and s.episode.lost_sight_at is None
        ],
    )
    return refused


@dataclass(frozen=True, slots=True)
class _Told:
    """An episode as this batch tells of it. Times by the hub's clock."""

    episode: Episode
    seen_at: datetime  # last
    finding: Finding | None  # None: of a kind that opens no event
    in_time: bool  # it may open or join an event


@dataclass(frozen=True, slots=True)
class _Settled:
    """An episode with the event it feeds. root: what stands for that event now."""

    episode: Episode
    root: int | None = None
    new: bool = False  # it has just come to its event


def _settle(at_hand: EventsAtHand, told: Sequence[_Told]) -> list[_Settled]:
    """Each episode with its event, which is joined or opened: what was seen first comes first."""
    found: list[tuple[_Told, Standing | None, bool]] = []
    late: dict[str, int | None] = {}
    tests: dict[str, Standing] = {}  # by agent: the event that all its tests of this batch share
    for t in sorted(told, key=lambda t: (t.seen_at, t.episode.state.episode)):
        e, finding = t.episode, t.finding
        standing, new = None, False
        if e.event is not None:
            standing = at_hand.root_of(e.event)
            at_hand.see(standing, t.seen_at, (e.state.agent, e.state.stream))
        elif finding is None:
            pass
        elif not t.in_time:
            at_hand.write()  # what was opened before it counts
            late[e.state.episode] = event_living_then(at_hand.conn, at_hand.hub, finding)
        elif e.state.test:
            standing = tests.get(e.state.agent) or _tested(at_hand, finding)
            tests[e.state.agent] = standing
        else:
            standing, new = place(at_hand, finding, partial(_seen_near, at_hand, e, finding)), True
        found.append((t, standing, new))
    at_hand.write()
    settled = []
    for t, standing, new in found:
        e, root = t.episode, None if standing is None else standing.written.id
        if e.state.episode in late:
            root = late[e.state.episode]
            e = replace(e, event=root, late=True)
        elif e.event is None and root is not None:
            e = replace(e, event=root, late=False)
        settled.append(_Settled(e, root, new))
    return settled


def _tested(at_hand: EventsAtHand, finding: Finding) -> Standing:
    """The event of a test, which is over as soon as it is there."""
    standing = place(at_hand, finding)
    at_hand.write()
    at_hand.stand(standing, end_test(at_hand.conn, at_hand.hub, standing.written))
    return standing


def _seen_near(at_hand: EventsAtHand, e: Episode, finding: Finding) -> int | None:
    """The live event that something measured belongs to, by what is stored."""
    at_hand.write_seen()
    return event_seen(at_hand.conn, at_hand.hub, e, finding.last_at, test=finding.test)


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
    known = sensors.positions(conn, devices) | camera_places.positions(conn, devices)
    sights = camera_places.sights(conn, devices)
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


def _told(
    conn: Connection[Any], hub: Hub, episodes: Sequence[Episode], changes: Sequence[Change]
) -> list[_Told]:
    offsets = agents.clock_offsets(conn, {e.state.agent for e in episodes})
    received: dict[str, datetime] = {}  # each episode's latest change
    for c in changes:
        before = received.get(c.record.episode, c.received_at)
        received[c.record.episode] = max(before, c.received_at)
    told = []
    for e in episodes:
        received_at = received[e.state.episode]
        seen_at = _hub_time(e.state.captured_at, e.state, received_at, offsets)
        first_at = _hub_time(e.state.started_at, e.state, received_at, offsets)
        finding = _finding(hub, e.state, first_at, seen_at)
        in_time = finding is not None and not _is_late(hub, finding, received_at)
        told.append(_Told(e, seen_at, finding, in_time))
    return told


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
    hub: Hub, state: EpisodeState, first_at: datetime, last_at: datetime
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
        first_at=first_at,
        last_at=last_at,
        stream=(state.agent, state.stream),
        test=state.test,
        given={"episode": state.episode, "kind": state.kind, "label": state.label},
        sense=(state.kind, state.label),
    )


def _is_late(hub: Hub, finding: Finding, received_at: datetime) -> bool:
    time_s = hub.categories.groups[finding.what.group].time_s
    return (received_at - finding.last_at).total_seconds() > time_s
