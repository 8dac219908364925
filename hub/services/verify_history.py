"""Verifying all histories: every chain, every checkpoint, every number that was given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from psycopg import Connection

from hub.domain.history import FIRST, Entry, Head, checkpoint_hash, entry_hash
from hub.store import checkpoints
from hub.store.checkpoints import Chained, Checkpoint, SealedHead

PIECE = 2000  # rows that are read at once

Progress = Callable[[int, int], None]  # entries done, entries in all


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that is not as it was written."""

    number: str  # of the event, or "checkpoint 7"
    what: str


@dataclass(slots=True)
class Verified:
    """How much was looked at, and what was found wrong."""

    events: int = 0
    entries: int = 0
    checkpoints: int = 0
    heads: int = 0
    last_hash: str = FIRST  # of the newest checkpoint
    flaws: list[Flaw] = field(default_factory=list)


def verify_all(conn: Connection[Any], progress: Progress = lambda done, total: None) -> Verified:
    """Read everything once. conn: in a transaction that sees one moment of the database."""
    found = Verified()
    total = checkpoints.entries(conn)
    for _, chain in groupby(_chained(conn), key=lambda c: c.event):
        found.flaws += _flaws_of(_counted(chain, found, total, progress))
        found.events += 1
    found.flaws += [Flaw(n, "has no history") for n in checkpoints.without_history(conn)]
    found.flaws += [
        Flaw(n, "is missing: the number was given and there is no such event")
        for n in checkpoints.missing_numbers(conn)
    ]
    _verify_checkpoints(conn, found)
    progress(total, total)
    return found


def _chained(conn: Connection[Any]) -> Iterator[Chained]:
    after = (0, 0)
    while piece := checkpoints.chained(conn, after, PIECE):
        yield from piece
        after = (piece[-1].event, piece[-1].n)


def _counted(
    chain: Iterable[Chained], found: Verified, total: int, progress: Progress
) -> Iterator[Chained]:
    for entry in chain:
        yield entry
        found.entries += 1
        if found.entries % 1000 == 0:
            progress(found.entries, total)


def _flaws_of(chain: Iterable[Chained]) -> list[Flaw]:
    """What is wrong with the history of one event; the first flaw of a chain says it."""
    before, expected, last, flaw = FIRST, 1, None, None
    for last in chain:
        if last.number is None or flaw is not None:
            continue
        if last.n != expected:
            flaw = f"entry {expected} is missing"
        elif last.prev_hash != before or last.hash != entry_hash(_entry(last), before):
            flaw = f"entry {last.n} ({last.name} by {last.actor}) is not as it was written"
        before, expected = last.hash, last.n + 1
    assert last is not None  # groupby gives no empty group
    if last.number is None:
        return [Flaw(f"event {last.event}", "is missing: only its history is left")]
    if flaw is None and last.n != last.version:
        flaw = f"its history ends with entry {last.n}, the event counts {last.version}"
    if flaw is None and last.to_state != last.state:
        flaw = f"it is {last.state}, its history says {last.to_state}"
    return [Flaw(last.number, flaw)] if flaw else []


def _verify_checkpoints(conn: Connection[Any], found: Verified) -> None:
    known = {c.id: c for c in checkpoints.all_of(conn)}
    hashed: set[int] = set()
    before, expected = FIRST, 1
    for id in checkpoints.with_heads(conn):
        heads = checkpoints.sealed_heads(conn, id)
        found.heads += len(heads)
        for head in heads:
            if head.found != head.hash:
                state = "is missing" if head.found is None else "is not as it was"
                found.flaws.append(
                    Flaw(head.number, f"entry {head.n}, sealed by checkpoint {id}, {state}")
                )
        hashed.add(id)
        if id != expected or not _is_sound(known.get(id), heads, before):
            found.flaws.append(Flaw(f"checkpoint {id}", "is not as it was written"))
        before, expected = known[id].hash if id in known else "", id + 1
    found.checkpoints = len(known)
    found.flaws += [
        Flaw(f"checkpoint {id}", "has lost its heads") for id in sorted(set(known) - hashed)
    ]
    found.last_hash = before


def _is_sound(checkpoint: Checkpoint | None, heads: list[SealedHead], before: str) -> bool:
    if checkpoint is None or checkpoint.heads != len(heads) or checkpoint.prev_hash != before:
        return False
    sealed = (Head(h.number, h.n, h.hash) for h in heads)
    return checkpoint.hash == checkpoint_hash(checkpoint.id, checkpoint.at, sealed, before)


def _entry(row: Chained) -> Entry:
    assert row.number is not None
    return Entry(
        number=row.number,
        n=row.n,
        at=row.at,
        name=row.name,
        from_state=row.from_state,
        to_state=row.to_state,
        role=row.role,
        actor=row.actor,
        reason=row.reason,
        facts=row.facts,
    )
