"""What the hub received, in plain lines: completeness, and the quarantine with its verbs."""

from __future__ import annotations

import base64
import dataclasses
import getpass
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal

import msgspec

from contract.errors import GridwardenError
from hub.api.deps import reading
from hub.config import HubConfig
from hub.domain.actor import Actor, Role
from hub.ingest.replay import Clock, Settled, give_up, replay, replay_waiting
from hub.services.accounts import note
from hub.services.context import Hub, open_hub
from hub.store import views
from hub.store.view_rows import LaneView, QuarantineFilter, Refused

Ranges = Sequence[tuple[int, int]]
SHOWN = 5  # ranges of a lane
SHOWN_BYTES = 4000


class UsageError(GridwardenError):
    """The command was not told which entries."""


@contextmanager
def opened(config: HubConfig) -> Iterator[Hub]:
    """The hub of those settings, none of its parts running."""
    hub = open_hub(config, lambda: datetime.now(UTC))
    try:
        yield hub
    finally:
        hub.close()


def completeness(hub: Hub, agent: str | None, *, as_json: bool) -> list[str]:
    """For each lane of each boot: have 1..N, holes, declared lost; the current boot first."""
    with reading(hub) as conn:
        lanes = views.completeness(conn, agent)
    if as_json:
        told = [
            dataclasses.asdict(x)
            | {"received": x.received, "stored": x.stored, "missing": x.missing}
            for x in lanes
        ]
        return [msgspec.json.encode(told).decode()]
    if not lanes:
        return [f"nothing was received{f' of agent {agent}' if agent else ''} yet"]
    lines: list[str] = []
    before = None
    for x in lanes:
        if (x.agent, x.boot) != before:
            closed = f", closed {_stamp(x.closed_at)} by a later boot" if x.closed_at else ""
            lines.append(f"{x.agent} boot {x.boot}{closed}")
            before = (x.agent, x.boot)
        lines.append(f"  {x.lane:<10}{_lane(x)}")
    missing = sum(x.missing for x in lanes)
    lines.append(
        f"{sum(x.stored for x in lanes):,} records are stored, "
        f"{sum(x.lost_count for x in lanes):,} declared lost, "
        + (f"{missing:,} missing" if missing else "none missing without a name")
    )
    return lines


def _lane(x: LaneView) -> str:
    end = f"complete up to {x.watermark:,}"
    parts = [f"{end}, unknown after" if x.closed_at else f"have 1..{x.watermark:,}"]
    if x.beyond:
        parts.append(f"and {_ranges(x.beyond)}")
    if x.holes:
        parts.append(f"{x.missing:,} missing: {_ranges(x.holes)}")
    if x.lost:
        parts.append(f"{x.lost_count:,} declared lost: {_ranges(x.lost)}")
    if x.quarantined:
        parts.append(f"{x.quarantined:,} in quarantine")
    if x.discarded:
        parts.append(f"{x.discarded:,} discarded as a flood")
    return "; ".join(parts)


def quarantine_list(
    hub: Hub,
    agent: str | None,
    fault: Literal["sender", "hub"] | None,
    *,
    all: bool,
    limit: int,
) -> list[str]:
    """What waits, the newest first, each in one line."""
    wanted = QuarantineFilter(agent, fault, None if all else True)
    with reading(hub) as conn:
        found = views.quarantine(conn, wanted, None, limit + 1)
    if not found:
        return ["the quarantine is empty" if all else "nothing waits in the quarantine"]
    lines = [_entry(r) for r in found[:limit]]
    if len(found) > limit:
        lines.append(f"there are more: --limit {2 * limit}")
    return lines


def quarantine_entry(hub: Hub, id: int) -> list[str]:
    """One entry with its bytes; raises NotFoundError."""
    with reading(hub) as conn:
        r = views.quarantined(conn, id)
    payload, chunk = base64.b64decode(r.payload_base64), base64.b64decode(r.chunk_base64)
    told = {
        "topic": r.topic,
        "came": f"{r.times} times, {_stamp(r.received_at)} to {_stamp(r.last_at)}",
        "identity": "/".join(str(x) for x in (r.agent, r.boot, r.lane, r.seq) if x is not None),
        "fault of": "the hub itself" if r.fault == "hub" else "the sender",
        "reason": r.reason,
        "settled": f"{r.outcome} by {r.settled_by}, {_stamp(r.settled_at)}: {r.note}"
        if r.settled_at
        else "no, it waits",
        "SHA-256": r.hash,
        "bytes kept": f"{len(payload):,}" + (f" and {len(chunk):,} of evidence" if chunk else ""),
    }
    body = ascii(payload[:SHOWN_BYTES])[2:-1]
    more = "" if len(payload) <= SHOWN_BYTES else f" … ({len(payload) - SHOWN_BYTES:,} more)"
    return [
        f"quarantine entry {id}",
        *(f"  {k:<11}{v or '-'}" for k, v in told.items()),
        body + more,
    ]


def quarantine_replay(
    hub: Hub,
    ids: Sequence[int],
    waiting: bool,
    agent: str | None,
    fault: Literal["sender", "hub"] | None,
    clock: Clock,
) -> tuple[list[str], bool]:
    """Take entries after all; what came of each, and whether all were taken."""
    if bool(ids) == waiting:
        raise UsageError("name entries by their ids, or --waiting for all that wait")
    actor = myself()
    _note(hub, "replay_quarantine", ids)
    if waiting:
        told, failed = replay_waiting(hub, actor, agent=agent, fault=fault, clock=clock)
    else:
        told, failed = [], []
        for id in ids:
            with hub.pool.connection() as conn:
                told.append(replay(conn, hub, id, actor, clock))
    lines = [_settled(s) for s in told] + failed
    good = not failed and all(s.outcome is not None for s in told)
    return lines or ["nothing waits in the quarantine"], good


def quarantine_give_up(hub: Hub, id: int, reason: str) -> list[str]:
    """An entry will never be taken."""
    _note(hub, "give_one_up", [id])
    with hub.pool.connection() as conn:
        return [_settled(give_up(conn, hub, id, myself(), reason))]


def _note(hub: Hub, action: str, ids: Sequence[int]) -> None:
    with hub.pool.connection() as conn:
        subject = ", ".join(map(str, ids))[:200] or "all that wait"
        note(conn, hub, myself().name, action, subject)


def _entry(r: Refused) -> str:
    who = f"{r.agent or 'unknown'} {r.lane or ''} {'' if r.seq is None else r.seq}".strip()
    times = f" ({r.times} times)" if r.times > 1 else ""
    state = f" [{r.outcome}]" if r.outcome else ""
    reason = " ".join(r.reason.split())[:160]
    return f"{r.id:>6}  {_stamp(r.last_at)}  {who}{times}{state}: {reason}"


def _settled(s: Settled) -> str:
    return f"{s.id:>6}  {s.detail}"


def _ranges(ranges: Ranges) -> str:
    shown = ", ".join(f"{a:,}..{b:,}" if b > a else f"{a:,}" for a, b in ranges[:SHOWN])
    return shown + (f" and {len(ranges) - SHOWN:,} more" if len(ranges) > SHOWN else "")


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def myself() -> Actor:
    """Who acts on the command line: the account of this machine."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = "unknown"
    return Actor(f"{name} (command line)", Role.DISPATCHER)
