"""Heartbeats: kept as they came, and the last word on each camera."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from hub.domain.sight import SILENT_AFTER
from hub.store import agents, changes, health
from hub.store.agents import Heartbeat
from hub.store.bulk import Insert
from hub.store.health import ReceivedHealth


def take_heartbeats(
    conn: Connection[Any], heartbeats: Sequence[ReceivedHealth], insert: Insert
) -> None:
    """Store new heartbeats and tell of cameras whose state changed.

    A heartbeat of a boot that is over is history only: it says nothing of now.
    """
    health.append(conn, heartbeats, insert)
    boots = agents.boots(conn, {h.agent for h in heartbeats})
    present = [h for h in heartbeats if boots.get(h.agent) in (None, h.boot)]
    seen: dict[str, tuple[datetime, float | None]] = {}
    for h in sorted(present, key=lambda h: h.seq):
        before = seen.get(h.agent)
        offset_s = h.record.clock_offset_s
        if offset_s is None and before is not None:
            offset_s = before[1]
        seen[h.agent] = (h.received_at, offset_s)
    streams = [
        Heartbeat(
            agent=h.agent,
            stream=s.stream,
            state=str(s.state),
            since=s.since,
            here_since=_here(h, s.since),
            here_at=None if _is_late(h) else h.received_at,
            heard_at=h.record.captured_at,
            seq=h.seq,
            frame_age_s=s.frame_age_s,
            frame_hash=s.frame_hash,
            captured=s.captured,
            observed=s.observed,
            restarts=s.restarts,
            detail=s.detail,
        )
        for h in present
        for s in h.record.streams
    ]
    for agent, stream in agents.hear(conn, streams, seen):
        changes.tell(conn, "stream", f"{agent}/{stream}")


def _here(heartbeat: ReceivedHealth, at: datetime) -> datetime:
    """A time of the agent's clock on the hub's, as far as the agent knows the difference."""
    try:
        return at + timedelta(seconds=heartbeat.record.clock_offset_s or 0.0)
    except (OverflowError, ValueError):  # an offset of a million years, or none at all
        return heartbeat.received_at


def _is_late(heartbeat: ReceivedHealth) -> bool:
    """Whether it waited at the edge, so that it says how things were; unknown: it did not."""
    if heartbeat.record.clock_offset_s is None:
        return False
    told_at = _here(heartbeat, heartbeat.record.captured_at)
    return heartbeat.received_at - told_at > SILENT_AFTER
