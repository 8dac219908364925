"""The rows of a spool: what a single statement or two does to them, within a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import timedelta

import msgspec

from contract.messages import Lost
from contract.ranges import SequenceSet
from contract.taxonomy import Lane
from edge.spool import EPOCH, Entry, LaneState
from edge.worth import worth_of

MICROSECOND = timedelta(microseconds=1)
OVERHEAD = 96  # bytes a row costs beside its record and payload: keys, page share, overhead
RENUMBERED = 1000  # records at a time
LANES = {  # the number of each in the keys of rows: never to be changed
    Lane.DETECTION: 1,
    Lane.EVIDENCE: 2,
    Lane.READING: 3,
    Lane.SCORE: 4,
    Lane.HEALTH: 5,
}
SEQS = 1 << 48  # sequence numbers that a lane has room for


def key(lane: Lane, seq: int) -> int:
    """The id of the row of a record."""
    return LANES[lane] * SEQS + min(seq, SEQS - 1)


def span(lane: Lane, after: int, last: int) -> tuple[int, int]:
    """The ids of (after, last]: above the one, up to the other."""
    return key(lane, after), key(lane, last)


def lane_state(db: sqlite3.Connection, lane: Lane) -> LaneState:
    """Where a lane stands."""
    row = db.execute(
        "SELECT next_seq, watermark, waiting, bytes, lost FROM lane WHERE lane = ?", (lane,)
    ).fetchone()
    return LaneState(*row)


def insert(
    db: sqlite3.Connection, entries: Sequence[Entry], stored_s: int, *, is_lost: bool = False
) -> list[int]:
    """Take records; their numbers. stored_s: on the spool's clock."""
    sizes = [len(e.record) + len(e.payload) + OVERHEAD for e in entries]
    counts: dict[Lane, int] = {}
    bytes_: dict[Lane, int] = {}
    for entry, size in zip(entries, sizes, strict=True):
        counts[entry.lane] = counts.get(entry.lane, 0) + 1
        bytes_[entry.lane] = bytes_.get(entry.lane, 0) + size
    nexts: dict[Lane, int] = {}
    for lane, count in counts.items():
        (nexts[lane],) = db.execute(
            "UPDATE lane SET next_seq = next_seq + ?1, waiting = waiting + ?1, bytes = bytes + ?2"
            " WHERE lane = ?3 RETURNING next_seq - ?1",
            (count, bytes_[lane], lane),
        ).fetchone()
    seqs, rows = [], []
    for entry, size in zip(entries, sizes, strict=True):
        seq = nexts[entry.lane]
        nexts[entry.lane] += 1
        worth = worth_of(entry.lane, b"" if is_lost else entry.record)
        seqs.append(seq)
        rows.append(
            (
                key(entry.lane, seq),
                (entry.captured_at - EPOCH) // MICROSECOND,
                stored_s,
                size,
                is_lost,
                worth.minor,
                worth.piece,
                entry.record,
                entry.payload,
            )
        )
    db.executemany(
        "INSERT INTO record (id, captured_us, stored_s, size, is_lost, minor, piece, record,"
        " payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
    return seqs


def held(db: sqlite3.Connection, lane: Lane, after: int, last: int) -> tuple[int, int]:
    """Records and bytes in (after, last]."""
    count, size = db.execute(
        "SELECT count(*), coalesce(sum(size), 0) FROM record WHERE id > ? AND id <= ?",
        span(lane, after, last),
    ).fetchone()
    return int(count), int(size)


def delete(db: sqlite3.Connection, lane: Lane, after: int, last: int) -> None:
    """Delete (after, last], whether it is counted or not."""
    db.execute("DELETE FROM record WHERE id > ? AND id <= ?", span(lane, after, last))


def count_out(db: sqlite3.Connection, lane: Lane, count: int, size: int) -> None:
    """So many of those that waited wait no longer."""
    db.execute(
        "UPDATE lane SET waiting = waiting - ?, bytes = bytes - ? WHERE lane = ?",
        (count, size, lane),
    )


def raise_watermark(db: sqlite3.Connection, lane: Lane, old: int, watermark: int) -> None:
    """What lies up to the watermark waits no longer; it is not deleted here."""
    count_out(db, lane, *held(db, lane, old, watermark))
    db.execute("UPDATE lane SET watermark = ? WHERE lane = ?", (watermark, lane))


def lower_watermark(db: sqlite3.Connection, lane: Lane, old: int, watermark: int) -> SequenceSet:
    """What is still held above the new watermark waits again; the numbers up to `old`."""
    count, size = held(db, lane, watermark, old)
    count_out(db, lane, -count, -size)
    db.execute("UPDATE lane SET watermark = ? WHERE lane = ?", (watermark, lane))
    found = SequenceSet()
    for (id_,) in db.execute(
        "SELECT id FROM record WHERE id > ? AND id <= ? ORDER BY id", span(lane, watermark, old)
    ):
        found.add(id_ % SEQS)
    return found


def declared(db: sqlite3.Connection, lane: Lane) -> SequenceSet:
    """The numbers that Lost records stand for, and their own."""
    known = SequenceSet()
    for id_, raw in db.execute(
        "SELECT id, record FROM record INDEXED BY lost_record"
        " WHERE is_lost = 1 AND id > ? AND id <= ?",
        span(lane, 0, SEQS),
    ):
        earlier = msgspec.json.decode(raw, type=Lost)
        known.add(earlier.first, earlier.last)
        known.add(id_ % SEQS)
    return known


def renumber(db: sqlite3.Connection, lane: Lane, from_seq: int) -> None:
    """Number what waits from `from_seq` on from 1 on, in its order, and forget the rest.

    A number never grows, so the place it moves to is free.
    """
    low, high = span(lane, 0, SEQS)
    db.execute(
        "DELETE FROM record WHERE id > ? AND id <= ? AND (id < ? OR is_lost = 1)",
        (low, high, key(lane, max(from_seq, lane_state(db, lane).watermark + 1))),
    )
    number = 0
    while rows := db.execute(
        "SELECT id FROM record WHERE id > ? AND id <= ? ORDER BY id LIMIT ?",
        (low, high, RENUMBERED),
    ).fetchall():
        moves = []
        for (low,) in rows:
            number += 1
            moves.append((key(lane, number), low))
        db.executemany("UPDATE record SET id = ? WHERE id = ?", moves)
    _, size = held(db, lane, 0, number)
    db.execute(
        "UPDATE lane SET next_seq = ? + 1, watermark = 0, waiting = ?, bytes = ?, lost = 0"
        " WHERE lane = ?",
        (number, number, size, lane),
    )


def newest_stored_s(db: sqlite3.Connection) -> int:
    """The latest second of the spool's clock that a record was taken at, 0 where none is."""
    rows = [
        db.execute(
            "SELECT stored_s FROM record WHERE id > ? AND id <= ? ORDER BY id DESC LIMIT 1",
            span(lane, 0, SEQS),
        ).fetchone()
        for lane in Lane
    ]
    return max((int(row[0]) for row in rows if row), default=0)


def beside(first: int, last: int, known: SequenceSet) -> Iterator[tuple[int, int]]:
    """The closed parts of [first, last] that are not in `known`."""
    for a, b in ((1, known.watermark), *known.ranges):
        if a > last:
            break
        if first < a:
            yield first, a - 1
        first = max(first, b + 1)
    if first <= last:
        yield first, last
