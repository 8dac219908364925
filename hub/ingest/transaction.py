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
from zoneinfo import ZoneInfo

from psycopg import Connection

from contract.messages import (
    Detection,
    EvidenceChunk,
    Health,
    Lost,
    Reading,
    ScoreBlock,
)
from contract.taxonomy import Lane
from hub.domain.lane_ledger import LaneLedger
from hub.ingest.decode import Entry, reject
from hub.ingest.evidence import receive_chunks
from hub.ingest.heartbeats import take_heartbeats
from hub.ingest.limits import Judged, Limits
from hub.services.context import Hub
from hub.services.record_detections import record_detections
from hub.store import agents, discarded, ledger, quarantine, readings, scores
from hub.store.detections import Change
from hub.store.discarded import Discarded
from hub.store.health import ReceivedHealth
from hub.store.ledger import LaneKey
from hub.store.quarantine import Reject
from hub.store.readings import ReceivedReading
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
    entries: Sequence[Entry],
    rejects: Sequence[Reject],
    limits: Limits,
) -> Written:
    """Write these entries and rejects; the caller commits, then spends what was judged."""
    now = hub.now()
    entries, misplaced = _enrolled(conn, entries)
    written = Written({_key(e) for e in entries})
    lanes = ledger.lock_lanes(conn, written.lanes)
    new = _new(lanes, entries)
    written.judged = judged = limits.judge(new, [*rejects, *misplaced], now)
    refused = [e.content for e in judged.taken if isinstance(e.content, Reject)]
    refused += store(conn, hub, judged.taken, now)
    again = [
        e for e in entries if isinstance(e.content, EvidenceChunk) and id(e) not in judged.discarded
    ]
    if again:  # a chunk that is sent again is welcome while its picture is not complete
        broken = receive_chunks(conn, hub, again, now)
        written.broken = [(e.identity.agent, e.identity.boot, digest) for e, digest in broken]
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
    _advance(lanes, new)
    ledger.save_lanes(conn, lanes, now)
    return written


def _enrolled(conn: Connection[Any], entries: Sequence[Entry]) -> tuple[list[Entry], list[Reject]]:
    """Entries of agents that are enrolled at the station they speak of, and rejects of others."""
    claimed: dict[str, str] = {}
    for e in entries:
        claimed.setdefault(e.identity.agent, e.identity.station)
    if not claimed:
        return [], []
    station_of = agents.enrol(conn, claimed)
    right = [e for e in entries if station_of[e.identity.agent] == e.identity.station]
    wrong = [
        Reject(
            e.topic,
            e.raw,
            f"agent {e.identity.agent} is enrolled at station {station_of[e.identity.agent]}, "
            f"not at {e.identity.station}",
            e.identity.station,
            e.identity.agent,
            e.identity.boot,
            str(e.identity.lane),
            e.seq,
            chunk=e.payload,
        )
        for e in entries
        if station_of[e.identity.agent] != e.identity.station
    ]
    return right, wrong


def _new(lanes: Mapping[LaneKey, LaneLedger], entries: Sequence[Entry]) -> list[Entry]:
    """Entries that neither the ledger nor an earlier entry of this batch has."""
    seen: set[tuple[LaneKey, int]] = set()
    new = []
    for e in entries:
        key = _key(e)
        if (key, e.seq) in seen or lanes[key].has(e.seq) or not lanes[key].within_reach(e.seq):
            continue
        seen.add((key, e.seq))
        new.append(e)
    return new


def store(conn: Connection[Any], hub: Hub, entries: Iterable[Entry], now: datetime) -> list[Reject]:
    """Store new records by their lanes, evidence apart; those refused for what they contradict."""
    changes: dict[int, tuple[Entry, Change]] = {}
    values: list[ReceivedReading] = []
    blocks: list[ReceivedScores] = []
    heartbeats: list[ReceivedHealth] = []
    for e in entries:
        who, content = e.identity, e.content
        if isinstance(content, Detection):
            change = Change(who.station, who.agent, who.boot, e.seq, content, now)
            changes[id(change)] = (e, change)
        elif isinstance(content, Reading):
            values.append(ReceivedReading(who.agent, content, now))
        elif isinstance(content, ScoreBlock):
            blocks.append(ReceivedScores(who.agent, content, now))
        elif isinstance(content, Health):
            heartbeats.append(ReceivedHealth(who.agent, who.boot, e.seq, content, now))
    if values:
        readings.append(conn, values, ZoneInfo(hub.config.hub.time_zone), hub.insert)
    if blocks:
        scores.append(conn, blocks, hub.insert)
    if heartbeats:
        take_heartbeats(conn, heartbeats, hub.insert)
    refused = record_detections(conn, hub, [c for _, c in changes.values()]) if changes else []
    out = []
    for r in refused:
        e, _ = changes[id(r.change)]
        out.append(reject(e.topic, e.identity, e.seq, e.raw, r.reason))
    return out


def _advance(lanes: Mapping[LaneKey, LaneLedger], entries: Iterable[Entry]) -> None:
    here: defaultdict[LaneKey, list[int]] = defaultdict(list)
    for e in entries:
        here[_key(e)].append(e.seq)
    for key, seqs in here.items():
        lanes[key].add(seqs)
    for e in entries:
        if isinstance(e.content, Lost):
            lanes[_key(e)].declare_lost(e.content.first, e.content.last)


def _key(e: Entry) -> LaneKey:
    return LaneKey(e.identity.agent, e.identity.boot, Lane(e.identity.lane))
