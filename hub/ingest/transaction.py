"""What one transaction of ingestion writes, in the order that keeps it exact and free of deadlock.

Ledger rows made and locked; what is here already dropped; what floods discarded; the lanes'
records stored (detections lock their tiles first); rejects quarantined; the ledger advanced.
Evidence is on disk before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import Connection

from contract.envelope import Identity
from contract.messages import (
    Detection,
    EvidenceChunk,
    Health,
    Looked,
    Lost,
    Reading,
    ScoreBlock,
)
from contract.ranges import SequenceSet
from hub.domain.lane_ledger import LaneLedger
from hub.ingest.admission import Claim, admit
from hub.ingest.decode import Entry, Pack, entries_of, reject
from hub.ingest.evidence import receive_chunks
from hub.ingest.heartbeats import take_heartbeats
from hub.ingest.limits import Judged, Limits
from hub.services.context import Hub
from hub.services.dispatch.camera_answers import take_answers
from hub.services.record_detections import record_detections
from hub.store import discarded, evidence_wanted, ledger, quarantine, readings, scores, sensors
from hub.store.detections import Change
from hub.store.discarded import Discarded
from hub.store.health import ReceivedHealth
from hub.store.ledger import LaneKey
from hub.store.quarantine import Reject
from hub.store.readings import ReadingRows
from hub.store.scores import ReceivedScores


@dataclass(slots=True)
class Written:
    """What came of a transaction."""

    lanes: set[LaneKey] = field(default_factory=set)  # heard of, duplicates included
    broken: list[tuple[str, str, str]] = field(default_factory=list)  # agent, boot, digest
    judged: Judged = field(default_factory=Judged)  # to be spent once it is committed
    flooding: list[Discarded] = field(default_factory=list)  # all that was discarded so far


def write(
    conn: Connection[Any],
    hub: Hub,
    items: Sequence[Entry | Pack],
    rejects: Sequence[Reject],
    limits: Limits,
) -> Written:
    """Write these entries and rejects; the caller commits, then spends what was judged."""
    now = hub.now()
    items, strangers = _admitted(conn, hub, items)
    written = Written({_key(item.identity) for item in items})
    lanes = ledger.lock_lanes(conn, written.lanes)
    new, taken = _new(lanes, items)
    written.judged = judged = limits.judge(new, [*rejects, *strangers], now)
    refused = [
        e.content for e in judged.taken if isinstance(e, Entry) and isinstance(e.content, Reject)
    ]
    refused += store(conn, hub, judged.taken, now)
    again = [
        e
        for e in items
        if isinstance(e, Entry)
        and isinstance(e.content, EvidenceChunk)
        and id(e) not in judged.discarded
    ]
    if again:  # a chunk that is sent again is welcome while its picture is not complete
        broken = receive_chunks(conn, hub, again, now)
        written.broken = [(e.identity.agent, e.identity.boot, digest) for e, digest in broken]
        evidence_wanted.want(conn, [(agent, digest) for agent, _, digest in written.broken], now)
        refused += [
            reject(
                e.topic,
                e.identity,
                e.seq,
                e.raw,
                f"evidence {digest} has another digest",
                e.payload,
            )
            for e, digest in broken
        ]
    quarantine.put_aside(conn, [*judged.rejects, *refused], now)
    written.flooding = discarded.count(
        conn,
        [
            Discarded(k.agent, k.boot, k.lane, k.device, n, limits.of(k))
            for k, n in judged.beyond.items()
        ],
        now,
    )
    _advance(lanes, new, taken)
    evidence_wanted.give_up(conn, _given_up(new))
    ledger.save_lanes(conn, lanes, now)
    return written


def _admitted(
    conn: Connection[Any], hub: Hub, items: Sequence[Entry | Pack]
) -> tuple[list[Entry | Pack], list[Reject]]:
    """What agents sent that may speak for the station they name, and rejects of the rest.

    The ledger does not count what a stranger sent: it comes again, should the agent be enrolled.
    """
    refused = admit(conn, hub, dict.fromkeys(_claim(item) for item in items))
    right: list[Entry | Pack] = []
    wrong: list[Reject] = []
    for item in items:
        who, reason = item.identity, refused.get(_claim(item))
        if reason is None:
            right.append(item)
            continue
        for e in entries_of(item):
            wrong.append(
                Reject(
                    e.topic,
                    e.raw,
                    reason,
                    who.station,
                    who.agent,
                    who.boot,
                    str(who.lane),
                    e.seq,
                    chunk=e.payload,
                )
            )
    return right, wrong


def _claim(item: Entry | Pack) -> Claim:
    return Claim(item.identity.agent, item.identity.station)


def _new(
    lanes: Mapping[LaneKey, LaneLedger], items: Iterable[Entry | Pack]
) -> tuple[list[Entry | Pack], dict[LaneKey, SequenceSet]]:
    """What neither the ledger nor an earlier entry of this batch has, and its numbers."""
    taken: defaultdict[LaneKey, SequenceSet] = defaultdict(SequenceSet)
    new: list[Entry | Pack] = []
    for item in items:
        key, first = _key(item.identity), item.identity.seq
        lane, here = lanes[key], taken[key]
        if (
            isinstance(item, Pack)
            and first > max(lane.received.highest, here.highest)
            and lane.within_reach(first)
        ):
            here.add(first, item.last)
            new.append(item)
            continue
        for e in entries_of(item):
            if e.seq not in here and not lane.has(e.seq) and lane.within_reach(e.seq):
                here.add(e.seq)
                new.append(e)
    return new, taken


def store(
    conn: Connection[Any], hub: Hub, items: Iterable[Entry | Pack], now: datetime
) -> list[Reject]:
    """Store new records by their lanes, evidence apart; those refused for what they contradict."""
    changes: dict[int, tuple[Entry, Change]] = {}
    values = ReadingRows()
    blocks: list[ReceivedScores] = []
    heartbeats: list[ReceivedHealth] = []
    answers: list[tuple[str, Looked]] = []
    for e in items:
        if isinstance(e, Pack):
            values.add_pack(e.columns)
            continue
        who, content = e.identity, e.content
        if isinstance(content, Detection):
            change = Change(who.station, who.agent, who.boot, e.seq, content, now)
            changes[id(change)] = (e, change)
        elif isinstance(content, Looked):
            answers.append((who.agent, content))
        elif isinstance(content, Reading):
            values.add(who.agent, content)
        elif isinstance(content, ScoreBlock):
            blocks.append(ReceivedScores(who.agent, content, now))
        elif isinstance(content, Health):
            heartbeats.append(ReceivedHealth(who.agent, who.boot, e.seq, content, now))
    readings.append(conn, values, now, hub.zone, hub.insert)
    sensors.hear(conn, values, now)
    if blocks:
        scores.append(conn, blocks, hub.insert)
    if heartbeats:
        take_heartbeats(conn, heartbeats, hub.insert)
    refused = record_detections(conn, hub, [c for _, c in changes.values()]) if changes else []
    take_answers(conn, answers, now)
    out = []
    for r in refused:
        e, _ = changes[id(r.change)]
        out.append(reject(e.topic, e.identity, e.seq, e.raw, r.reason))
    return out


def _advance(
    lanes: Mapping[LaneKey, LaneLedger],
    items: Iterable[Entry | Pack],
    taken: Mapping[LaneKey, SequenceSet],
) -> None:
    for key, here in taken.items():
        lanes[key].add(here.spans())
    for item in items:
        if isinstance(item, Entry) and isinstance(item.content, Lost):
            lanes[_key(item.identity)].declare_lost(item.content.first, item.content.last)


def _given_up(items: Iterable[Entry | Pack]) -> set[tuple[str, str]]:
    """Evidence that agents declare lost: (agent, digest)."""
    return {
        (item.identity.agent, item.content.evidence)
        for item in items
        if isinstance(item, Entry)
        and isinstance(item.content, Lost)
        and item.content.evidence is not None
    }


def _key(who: Identity) -> LaneKey:
    return LaneKey(who.agent, who.boot, who.lane)
