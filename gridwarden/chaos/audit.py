"""Book against database: every record written is there once, or known to be lost.

What is compared is the tables themselves, by what the records say; the ledger is asked only for
what it knows to be lost.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from psycopg import Connection
from psycopg.types.multirange import Int8Multirange

from contract.taxonomy import Lane
from gridwarden.chaos.book import Book, Written

SHOWN = 5  # of what is wrong, by name

Key = tuple[str, Lane, str]  # agent, lane, name
Ranges = list[tuple[int, int]]  # [first, last)


@dataclass(slots=True)
class Audit:
    """What came of every record. All but the first four have to be 0 or empty."""

    written: Counter[Lane] = field(default_factory=Counter)
    declared: int = 0  # the ledger names their sequence numbers as lost
    unheard: int = 0  # went with such a spool before the first word of its boot arrived
    gone: int = 0  # went with a spool that was taken away; the ledger says that its boot is over
    lost: list[Written] = field(default_factory=list)  # and nobody knows
    doubled: list[Key] = field(default_factory=list)
    strangers: list[Key] = field(default_factory=list)  # stored, though nobody wrote them
    torn: list[str] = field(default_factory=list)  # pictures shown as complete that are not
    sums_off: list[str] = field(default_factory=list)  # roll-ups that do not agree with the rows

    @property
    def records(self) -> int:
        """Records the spools took."""
        return self.written.total()

    def findings(self) -> list[str]:
        """What is wrong, a line each."""
        said = [
            (len(self.lost), "lost", [f"{w.agent}/{w.boot}/{w.lane}/{w.seq}" for w in self.lost]),
            (len(self.doubled), "doubled", ["/".join(k) for k in self.doubled]),
            (
                len(self.strangers),
                "stored but never written",
                ["/".join(k) for k in self.strangers],
            ),
            (len(self.torn), "pictures are not what their digest says", self.torn),
            (len(self.sums_off), "roll-ups disagree with their rows", self.sums_off),
        ]
        return [f"{n} {what}: {', '.join(named[:SHOWN])}" for n, what, named in said if n]


def audit(conn: Connection[Any], book: Book, evidence: Path) -> Audit:
    """Compare. evidence: the hub's folder of pictures."""
    result = Audit()
    stored = Counter(_stored(conn))
    pieces = _pieces(conn)
    known_lost = _known_lost(conn)
    ended = conn.execute("SELECT agent, boot, closed_at IS NOT NULL FROM ledger").fetchall()
    heard_of = {(str(agent), str(boot)) for agent, boot, _ in ended}
    closed = {(str(agent), str(boot)) for agent, boot, is_closed in ended if is_closed}
    for record in book.written:
        result.written[record.lane] += 1
        if record.lane is Lane.EVIDENCE:
            is_here = _has_piece(pieces, record.name)
        else:
            is_here = (record.agent, record.lane, record.name) in stored
        if is_here:
            continue
        ranges = known_lost.get((record.agent, record.boot, record.lane), [])
        if any(a <= record.seq < b for a, b in ranges):
            result.declared += 1
        elif _was_taken_away(book, record) and (record.agent, record.boot) in closed:
            result.gone += 1
        elif _was_taken_away(book, record) and (record.agent, record.boot) not in heard_of:
            result.unheard += 1
        else:
            result.lost.append(record)
    result.doubled = [key for key, n in stored.items() if n > 1]
    result.strangers = [key for key in stored if key not in book.intended]
    result.torn = list(_torn(conn, evidence))
    result.sums_off = list(_sums_off(conn))
    return result


def _was_taken_away(book: Book, record: Written) -> bool:
    """Whether the agent has gone on under another boot."""
    return record.boot != book.boots[record.agent][-1]


def _stored(conn: Connection[Any]) -> Iterator[Key]:
    """What the tables hold, a key for each row."""
    queries = (
        (Lane.DETECTION, "SELECT agent, episode || '/' || revision FROM detection_change"),
        (Lane.READING, "SELECT agent, value::bigint::text FROM reading"),
        (Lane.SCORE, "SELECT agent, label FROM score_block"),
        (Lane.HEALTH, "SELECT agent, body ->> 'captured_at' FROM health"),
    )
    for lane, query in queries:
        for agent, name in conn.execute(query):
            yield str(agent), lane, str(name)


def _pieces(conn: Connection[Any]) -> dict[str, Ranges]:
    rows = conn.execute("SELECT digest, received FROM evidence")
    return {str(digest): _ranges(received) for digest, received in rows}


def _has_piece(pieces: dict[str, Ranges], name: str) -> bool:
    digest, first, last = name.split("/")
    return any(a <= int(first) and int(last) <= b for a, b in pieces.get(digest, []))


def _known_lost(conn: Connection[Any]) -> dict[tuple[str, str, Lane], Ranges]:
    rows = conn.execute("SELECT agent, boot, lane, lost FROM ledger")
    return {(str(a), str(b), Lane(lane)): _ranges(lost) for a, b, lane, lost in rows}


def _torn(conn: Connection[Any], evidence: Path) -> Iterator[str]:
    for (digest,) in conn.execute("SELECT digest FROM evidence WHERE complete_at IS NOT NULL"):
        path = evidence / digest[:2] / digest
        try:
            with path.open("rb") as file:
                right = hashlib.file_digest(file, "sha256").hexdigest() == digest
        except OSError:
            right = False
        if not right:
            yield str(digest)


def _sums_off(conn: Connection[Any]) -> Iterator[str]:
    rows = conn.execute(
        """
        SELECT width, agent, coalesce(r.n, 0), coalesce(s.n, 0)
        FROM (SELECT width, agent, sum(n) AS n FROM reading_rollup GROUP BY width, agent) s
        FULL JOIN (
            SELECT width, agent, count(*) AS n
            FROM reading, unnest(ARRAY['1m', '1h', '1d']) AS width GROUP BY width, agent
        ) r USING (width, agent)
        WHERE r.n IS DISTINCT FROM s.n
        """
    )
    for width, agent, counted, summed in rows:
        yield f"{agent} {width}: {counted} rows, {summed} in the roll-up"


def _ranges(held: Int8Multirange) -> Ranges:
    return [(r.lower or 0, r.upper or 0) for r in held]  # a bound is missing nowhere
