"""An entry of the quarantine is taken after all, or given up: once, whoever asks how often.

A record that the ledger counts as received goes round the ledger, keyed by its quarantine row; what
the ledger does not count goes through it, since the edge may have sent it again meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec
from psycopg import Connection

from contract.envelope import Identity
from contract.errors import ContractError, TopicError
from contract.messages import EvidenceChunk, Lost
from contract.taxonomy import Lane
from contract.topics import Topic, Up
from hub.config import LimitsConfig
from hub.domain.actor import Actor
from hub.domain.errors import InvalidError, NotFoundError
from hub.ingest.births import read_and_take
from hub.ingest.database import PASSING, REFUSALS, blame
from hub.ingest.decode import Entry, decode, decode_record
from hub.ingest.evidence import receive_chunks
from hub.ingest.limits import Limits
from hub.ingest.transaction import store, write
from hub.services.context import Hub
from hub.store import ledger, quarantine
from hub.store.ledger import LaneKey
from hub.store.quarantine import Fault, Outcome, Quarantined, Reject

Clock = Literal["told", "received"]
_TIMES = frozenset({"captured_at", "started_at", "raised_at", "since"})
_NO_LIMITS = LimitsConfig(*[0] * 7)


class _RefusedError(ContractError):
    """Still refused, for the reason it says."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of an entry. outcome None: it was refused again and waits on."""

    id: int
    outcome: Outcome | None
    detail: str


def replay(
    conn: Connection[Any], hub: Hub, id: int, actor: Actor, clock: Clock = "told"
) -> Settled:
    """Take the entry after all; the caller commits. An entry that is settled stays as it is.

    clock: "received" moves the times of a record so that it was captured when it arrived, for a
    device whose clock was never set; the bytes in the quarantine stay as they came.
    Raises NotFoundError, InvalidError where its bytes were cut.
    """
    entry = _waiting(conn, id)
    if isinstance(entry, Settled):
        return entry
    if not entry.whole:
        raise InvalidError(
            f"quarantine entry {id} was cut to {len(entry.payload)} bytes, it cannot be replayed: "
            "give it up",
            field="id",
        )
    now = hub.now()
    try:
        with conn.transaction():
            outcome, detail = _take(conn, hub, entry, clock, now)
    except REFUSALS as e:
        reason = str(e) if isinstance(e, ContractError) else blame(e)[0]
        quarantine.still_refused(conn, id, reason, "sender")
        return Settled(id, None, f"refused again: {reason}")
    except PASSING:
        raise
    except Exception as e:  # noqa: BLE001 - kept as the entry's reason
        reason, fault = blame(e)
        quarantine.still_refused(conn, id, reason, fault)
        return Settled(id, None, f"refused again: {reason}")
    quarantine.settle(conn, id, outcome, actor.name, detail, now)
    return Settled(id, outcome, detail)


def replay_waiting(
    hub: Hub,
    actor: Actor,
    *,
    agent: str | None = None,
    fault: Fault | None = None,
    limit: int = 500,
    clock: Clock = "told",
) -> tuple[list[Settled], list[str]]:
    """Replay what waits, the oldest first, each in a transaction of its own.

    Also what could not be replayed at all, and why.
    """
    with hub.pool.connection() as conn:
        ids = quarantine.waiting(conn, agent=agent, fault=fault, limit=limit)
    told, failed = [], []
    for id in ids:
        try:
            with hub.pool.connection() as conn:
                told.append(replay(conn, hub, id, actor, clock))
        except InvalidError as e:
            failed.append(str(e))
    return told, failed


def give_up(conn: Connection[Any], hub: Hub, id: int, actor: Actor, reason: str) -> Settled:
    """The entry will never be taken, for that reason; it stays to be looked at.

    Raises NotFoundError, InvalidError without a reason.
    """
    if not reason.strip():
        raise InvalidError("say why the entry is given up", field="reason")
    entry = _waiting(conn, id)
    if isinstance(entry, Settled):
        return entry
    quarantine.settle(conn, id, "given_up", actor.name, reason.strip(), hub.now())
    return Settled(id, "given_up", reason.strip())


def _waiting(conn: Connection[Any], id: int) -> Quarantined | Settled:
    """The entry, locked, or what came of it before."""
    entry = quarantine.lock(conn, id)
    if entry is None:
        raise NotFoundError("quarantine entry", str(id))
    if entry.settled_at is not None:
        when = f"{entry.settled_at:%Y-%m-%d %H:%M:%S} UTC"
        words = {"stored": "stored", "here_already": "found here already", "given_up": "given up"}
        done = words[entry.outcome or "stored"]
        return Settled(entry.id, entry.outcome, f"was {done} before: {when} by {entry.settled_by}")
    return entry


def _take(
    conn: Connection[Any], hub: Hub, q: Quarantined, clock: Clock, now: datetime
) -> tuple[Outcome, str]:
    raw, moved = q.payload, ""
    if q.seq is None:
        if clock == "received":
            raise InvalidError("only a record with a sequence number has times", field="clock")
        return _take_message(conn, hub, q)
    if clock == "received":
        raw, by_s = _captured_when_received(raw, q.received_at)
        moved = f", its times moved by {by_s:+.0f} s"
    entry = decode_record(q.topic, _identity(q), raw, q.chunk)
    if not q.counted:
        return _through_ledger(conn, hub, [entry], moved)
    if isinstance(entry.content, Reject):
        raise _RefusedError(entry.content.reason)
    if isinstance(entry.content, Lost):
        key = LaneKey(entry.identity.agent, entry.identity.boot, entry.identity.lane)
        lanes = ledger.lock_lanes(conn, [key])
        lanes[key].declare_lost(entry.content.first, entry.content.last)
        ledger.save_lanes(conn, lanes, now)
    elif isinstance(entry.content, EvidenceChunk):
        for _, digest in receive_chunks(conn, hub, [entry], now):
            raise _RefusedError(f"evidence {digest} has another digest")
    else:
        for refused in store(conn, hub, [entry], now):
            raise _RefusedError(refused.reason)
    return "stored", f"stored{moved}"


def _take_message(conn: Connection[Any], hub: Hub, q: Quarantined) -> tuple[Outcome, str]:
    """A message that had no readable identity may have one by now."""
    try:
        kind = Topic.parse(q.topic).kind
    except TopicError as e:
        raise _RefusedError(str(e)) from None
    if kind in (Up.BIRTH, Up.DEATH):
        read_and_take(conn, hub, q.topic, q.payload, newer_only=True)
        return "stored", f"{kind} taken in"
    decoded = decode(q.topic, q.payload)
    if isinstance(decoded, Reject):
        raise _RefusedError(decoded.reason)
    return _through_ledger(conn, hub, decoded)


def _through_ledger(
    conn: Connection[Any], hub: Hub, entries: list[Entry], moved: str = ""
) -> tuple[Outcome, str]:
    written = write(conn, hub, entries, [], Limits(_NO_LIMITS))
    for reject in written.judged.rejects:  # its agent is enrolled at another station
        raise _RefusedError(reject.reason)
    taken = written.judged.taken
    refused = [e.content for e in taken if isinstance(e, Entry) and isinstance(e.content, Reject)]
    if refused and len(refused) == len(entries) == 1:
        raise _RefusedError(refused[0].reason)
    if not taken:
        return "here_already", "the ledger has all of it: the edge sent it again"
    words = f"{len(taken)} of {len(entries)} records were new{moved}"
    if refused:
        words += f"; {len(refused)} of them have entries of their own here now"
    return "stored", words


def _identity(q: Quarantined) -> Identity:
    assert q.station
    assert q.agent
    assert q.boot
    assert q.lane
    assert q.seq is not None
    return Identity(q.station, q.agent, q.boot, Lane(q.lane), q.seq)


def _captured_when_received(raw: bytes, received_at: datetime) -> tuple[bytes, float]:
    """The record with all its times moved alike, and by how many seconds."""
    try:
        record = msgspec.json.decode(raw)
    except msgspec.DecodeError as e:
        raise _RefusedError(f"its times cannot be read: {e}") from None
    told = record.get("captured_at", record.get("started_at")) if isinstance(record, dict) else None
    at = _time(told)
    if at is None:
        raise _RefusedError(f"its time {str(told)[:80]!r} cannot be read, so it cannot be moved")
    by = received_at - at
    return msgspec.json.encode(_moved(record, lambda t: t + by)), by.total_seconds()


def _moved(value: Any, move: Callable[[datetime], datetime]) -> Any:
    if isinstance(value, list):
        return [_moved(v, move) for v in value]
    if not isinstance(value, dict):
        return value
    out = {k: _moved(v, move) for k, v in value.items()}
    for name in _TIMES & out.keys():
        at = _time(out[name])
        if at is not None:
            out[name] = move(at)
    return out


def _time(value: object) -> datetime | None:
    try:
        at = msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        return None
    return at if at.tzinfo is not None else None
