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
from hub.store import changes, detections, evidence_index


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
        conn, [(e.identity.agent, c) for pieces in chunks.values() for e, c in pieces]
    )
    detections.link_clips(
        conn, [(e.identity.agent, c) for pieces in chunks.values() for e, c in pieces]
    )
    broken = []
    for digest, pieces in sorted(chunks.items()):
        if known[digest].complete:
            continue
        fitting = [(e, c) for e, c in pieces if c.total == known[digest].total]
        broken += [(e, digest) for e, c in pieces if c.total != known[digest].total][:1]
        hub.evidence.write(digest, [(c.offset, e.payload) for e, c in fitting])
        ranges = [(c.offset, c.offset + len(e.payload)) for e, c in fitting]
        if not fitting or not evidence_index.receive(conn, digest, ranges):
            continue
        if hub.evidence.complete(digest):
            evidence_index.finish(conn, digest, now)
            changes.tell(conn, "evidence", digest)
            for number in detections.events_shown_by(conn, digest):
                changes.tell(conn, "event", number)
        else:
            evidence_index.forget(conn, digest)
            broken.append((fitting[-1][0], digest))
    return broken
