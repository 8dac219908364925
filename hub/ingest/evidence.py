"""Chunks of evidence: on disk first, then noted; complete and verified, then shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection

from contract.messages import EvidenceChunk
from hub.ingest.decode import Entry
from hub.services.context import Hub
from hub.store import changes, detections, evidence_index, evidence_wanted


def receive_chunks(
    conn: Connection[Any], hub: Hub, entries: Sequence[Entry], now: datetime
) -> list[tuple[Entry, str]]:
    """Take chunks in; an entry and digest of each piece of evidence whose bytes did not add up.

    May be called with chunks that are here already: writing them again changes nothing.
    """
    chunks: defaultdict[str, list[tuple[Entry, EvidenceChunk]]] = defaultdict(list)
    for e in entries:
        if isinstance(e.content, EvidenceChunk):
            chunks[e.content.digest].append((e, e.content))
    known = evidence_index.lock(
        conn, [(e.identity.agent, c) for pieces in chunks.values() for e, c in pieces], now
    )
    detections.link_clips(
        conn, [(e.identity.agent, c) for pieces in chunks.values() for e, c in pieces]
    )
    broken = []
    for digest, pieces in sorted(chunks.items()):
        if known[digest].complete:
            continue
        if any(c.total != known[digest].total for _, c in pieces):
            # one of them lies about the size, perhaps the first one: all of it comes anew
            hub.evidence.forget(digest)
            evidence_index.forget(conn, digest)
            broken.append((pieces[-1][0], digest))
            continue
        hub.evidence.write(digest, [(c.offset, e.payload) for e, c in pieces])
        ranges = [(c.offset, c.offset + len(e.payload)) for e, c in pieces]
        if not evidence_index.receive(conn, digest, ranges, now):
            continue
        if hub.evidence.complete(digest):
            evidence_index.finish(conn, digest, now)
            evidence_wanted.settle(conn, digest)
            changes.tell(conn, "evidence", digest)
            for number in detections.events_shown_by(conn, digest):
                changes.tell(conn, "event", number)
        else:
            evidence_index.forget(conn, digest)
            broken.append((pieces[-1][0], digest))
    return broken
