"""Which records go when a lane or the disk is full: the oldest of the least worth, in runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from contract.taxonomy import Lane
from edge.spool_rows import SEQS, span
from edge.worth import Rank

_COLUMNS = "SELECT id, size, piece, stored_s FROM record"
_WITHIN = "id > ? AND id <= ? ORDER BY id"
# one query for each way to walk: oldest first, read only as far as it is needed
_MINOR = f"{_COLUMNS} INDEXED BY minor_record WHERE minor = 1 AND {_WITHIN}"
_MAJOR = f"{_COLUMNS} WHERE minor = 0 AND is_lost = 0 AND {_WITHIN}"
_ANY = f"{_COLUMNS} WHERE is_lost = 0 AND {_WITHIN}"


@dataclass(slots=True)
class Run:
    """Consecutive records of a lane that go together."""

    first: int
    last: int
    bytes: int
    records: int


@dataclass(frozen=True, slots=True)
class _Row:
    seq: int
    size: int
    piece: str
    stored_s: int


def of_least_worth(db: sqlite3.Connection, rank: Rank, after: int, wanted: int) -> list[Run]:
    """The oldest records of the rank above `after` that free `wanted` bytes, or all there are."""
    freed = 0

    def enough(row: _Row) -> bool:
        nonlocal freed
        freed += row.size
        return freed - row.size >= wanted

    return _runs(db, _MINOR if rank.minor else _MAJOR, rank.lane, after, enough)


def over_age(db: sqlite3.Connection, lane: Lane, after: int, before_s: int, most: int) -> list[Run]:
    """The records above `after` taken before that second of the spool's clock, about `most`."""
    count = 0

    def enough(row: _Row) -> bool:
        nonlocal count
        count += 1
        return row.stored_s >= before_s or count > most

    return _runs(db, _ANY, lane, after, enough)


def _runs(
    db: sqlite3.Connection, query: str, lane: Lane, after: int, enough: Callable[[_Row], bool]
) -> list[Run]:
    """Runs of the rows before `enough`; a piece of evidence goes whole."""
    found: list[Run] = []
    piece = ""
    for row in _rows(db, query, lane, after):
        if enough(row) and not (piece and row.piece == piece):
            break
        piece = row.piece
        if found and row.seq == found[-1].last + 1:
            found[-1].last = row.seq
            found[-1].bytes += row.size
            found[-1].records += 1
        else:
            found.append(Run(row.seq, row.seq, row.size, 1))
    return found


def _rows(db: sqlite3.Connection, query: str, lane: Lane, after: int) -> Iterator[_Row]:
    with closing(db.execute(query, span(lane, after, SEQS))) as cursor:
        for id_, *rest in cursor:
            yield _Row(id_ % SEQS, *rest)
