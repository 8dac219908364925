"""Evidence that the hub has committed and may still find broken: kept for a while, whole."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable

import msgspec

from contract.messages import EvidenceChunk
from contract.taxonomy import Lane
from edge.spool import Entry, time_of
from edge.spool_file import SpoolFile
from edge.spool_rows import SEQS, delete, key, lane_state, span

KEEP_S = 120.0  # after its last chunk was committed: the hub looks at it only then
STEP = 200  # chunks deleted in one transaction: 10 MB


class KeptEvidence:
    """What lies below the watermark of the evidence lane. The spool's lock guards it."""

    def __init__(self, file: SpoolFile, steady_s: Callable[[], float]) -> None:
        """steady_s: a clock that nobody sets. What is found counts from now."""
        self._file = file
        self._steady_s = steady_s
        self._committed: deque[tuple[float, int]] = deque()  # when, up to which number
        self._due = 0  # up to here it may go
        with file.reading() as db:
            self.commit(lane_state(db, Lane.EVIDENCE).watermark)

    def commit(self, watermark: int) -> None:
        """The hub has committed up to here."""
        self._committed.append((self._steady_s(), watermark))

    def step_back(self, watermark: int) -> None:
        """The hub has no more than this after all."""
        self._committed.clear()
        self._due = min(self._due, watermark)

    def tidy(self) -> None:
        """Delete what has been kept for long enough, whole pieces only."""
        while self._committed and self._committed[0][0] + KEEP_S <= self._steady_s():
            self._due = max(self._due, self._committed.popleft()[1])
        with self._file.reading() as db:
            watermark = lane_state(db, Lane.EVIDENCE).watermark
            (first,) = db.execute(
                "SELECT min(part.id) FROM record next JOIN record part"
                " ON part.piece = next.piece AND part.piece <> '' WHERE next.id = ?",
                (key(Lane.EVIDENCE, watermark + 1),),
            ).fetchone()
        under_way = None if first is None else first % SEQS
        self._delete(self._due if under_way is None else min(self._due, under_way - 1))

    def hold(self) -> None:
        """The hub cannot be heard: the time to look counts from now."""
        if self._committed:
            self._committed = deque([(self._steady_s(), self._committed[-1][1])])

    def drop(self) -> bool:
        """Delete all of it, for its room; whether there was any."""
        with self._file.reading() as db:
            watermark = lane_state(db, Lane.EVIDENCE).watermark
        return self._delete(watermark)

    def _delete(self, last: int) -> bool:
        """Delete up to that number in bounded steps; whether there was anything."""
        gone = False
        while True:
            with self._file.reading() as db:
                (step,) = db.execute(
                    "SELECT max(id) FROM"
                    " (SELECT id FROM record WHERE id > ? AND id <= ? ORDER BY id LIMIT ?)",
                    (*span(Lane.EVIDENCE, 0, last), STEP),
                ).fetchone()
            if step is None:
                return gone
            with self._file.transaction() as db:
                delete(db, Lane.EVIDENCE, 0, step % SEQS)
            gone = True


def chunks_of(db: sqlite3.Connection, digest: str, after: int = 0) -> list[Entry]:
    """The chunks of that evidence in their order, if all are here above `after`; else none."""
    found: dict[int, Entry] = {}
    total = 0
    for record, captured_us, payload in db.execute(
        "SELECT record, captured_us, payload FROM record"
        " WHERE piece = ? AND piece <> '' AND id > ? ORDER BY id",
        (digest, key(Lane.EVIDENCE, after)),
    ):
        header = msgspec.json.decode(record, type=EvidenceChunk)
        found[header.offset] = Entry(Lane.EVIDENCE, record, time_of(captured_us), payload)
        total = header.total
    reached = 0
    chunks = [chunk for _, chunk in sorted(found.items())]
    for offset, chunk in zip(sorted(found), chunks, strict=True):
        if offset != reached:
            return []
        reached += len(chunk.payload)
    return chunks if reached == total else []
