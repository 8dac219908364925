"""The hash chain of a grid event's history: an altered or missing entry shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

FIRST = "0" * 64  # the hash before the first entry


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the history of one event, as it is hashed."""

    number: str  # of the event
    n: int
    at: datetime
    name: str
    from_state: str | None
    to_state: str
    role: str
    actor: str
    reason: str | None
    facts: Mapping[str, Any]  # JSON values


def entry_hash(entry: Entry, prev_hash: str) -> str:
    """SHA-256 of the entry's canonical JSON with the hash of the one before."""
    content = {
        "number": entry.number,
        "n": entry.n,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "name": entry.name,
        "from": entry.from_state,
        "to": entry.to_state,
        "role": entry.role,
        "actor": entry.actor,
        "reason": entry.reason,
        "facts": entry.facts,
        "prev": prev_hash,
    }
    return hashlib.sha256(canonical(content).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Head:
    """How far the history of one event had come, and the hash of its last entry then."""

    number: str
    n: int
    hash: str


def checkpoint_hash(id: int, at: datetime, heads: Iterable[Head], prev_hash: str) -> str:
    """SHA-256 over the heads a checkpoint seals and the hash of the checkpoint before."""
    content = {
        "checkpoint": id,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "heads": [[h.number, h.n, h.hash] for h in heads],
        "prev": prev_hash,
    }
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: the same value is always the same text."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def first_broken(entries: Iterable[tuple[Entry, str, str]]) -> int | None:
    """The number of the first entry that is not as it was written, None where all are.

    entries: (entry, prev_hash, hash) as stored, in order.
    """
    before = FIRST
    for expected_n, (entry, prev_hash, stored) in enumerate(entries, 1):
        if entry.n != expected_n or prev_hash != before or stored != entry_hash(entry, before):
            return expected_n
        before = stored
    return None
