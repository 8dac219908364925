"""Whose fault it is: a record that failed is blamed only while a good one passes.

A transaction fails by the record, by our own code's fault that this record trips, or because the
hub and its database do not work together at all: a table that is missing, a right that was taken
away, a fault that every record trips. In the last case nothing may be quarantined, or the whole
stream would be. So before a single record is put aside, a good one of the same lane is written
and rolled back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from psycopg import Connection

from contract.control import encode_control
from contract.envelope import Identity, build, encode_record
from contract.errors import GridwardenError
from contract.messages import (
    Detection,
    EvidenceChunk,
    Health,
    Manifest,
    Reading,
    Record,
    RuleNote,
    ScoreBlock,
)
from contract.taxonomy import Lane, Phase
from contract.topics import Topic, Up
from hub.config import LimitsConfig
from hub.ingest.births import take_control
from hub.ingest.decode import decode
from hub.ingest.limits import Limits
from hub.ingest.transaction import write
from hub.services.context import Hub
from hub.store.quarantine import Reject

AGENT, BOOT, STREAM = "gridwarden-canary", "canary", "canary"
_BYTES = b"canary"
_DIGEST = hashlib.sha256(b"canary, of which only a part ever comes").hexdigest()


class _RollBackError(GridwardenError):
    """Ends the canary's transaction."""


def sings(conn: Connection[Any], hub: Hub, station: str, lane: Lane) -> None:
    """Write a good record of the lane and roll it back; raises what it fails by."""
    topic = str(Topic(station, AGENT, Up(lane)))
    chunk = _BYTES if lane is Lane.EVIDENCE else b""
    now = hub.now()
    identity = Identity(station, AGENT, BOOT, lane, 1)
    message = build(identity, [encode_record(_record(lane, now))], now, chunk)
    entries = decode(topic, message)
    if isinstance(entries, Reject):
        raise AssertionError(f"a good {lane} message is refused: {entries.reason}")
    _rolled_back(conn, lambda: write(conn, hub, entries, [], Limits(LimitsConfig())))
    if chunk:
        hub.evidence.forget(_DIGEST)


def is_born(conn: Connection[Any], hub: Hub, station: str) -> None:
    """Take a good birth in and roll it back; raises what it fails by."""
    now = hub.now()
    manifest = Manifest(boot=BOOT, started_at=now, published_at=now, software="canary")
    topic = str(Topic(station, AGENT, Up.BIRTH))
    _rolled_back(conn, lambda: take_control(conn, hub, topic, encode_control(manifest)))


def _rolled_back(conn: Connection[Any], work: Callable[[], object]) -> None:
    try:
        with conn.transaction():
            work()
            raise _RollBackError
    except _RollBackError:
        return


def _record(lane: Lane, at: datetime) -> Record:
    match lane:
        case Lane.DETECTION:
            return Detection(
                episode="00000000-0000-4000-8000-000000000000",
                revision=1,
                phase=Phase.RAISED,
                stream=STREAM,
                kind="canary",
                label="canary",
                started_at=at,
                raised_at=at,
                captured_at=at,
                frame=0,
                raised_frame=0,
                score=1.0,
                peak_score=1.0,
                rule=RuleNote("canary", 0.5, ""),
                test=True,
            )
        case Lane.READING:
            return Reading(device=STREAM, metric="canary", value=1.0, captured_at=at)
        case Lane.SCORE:
            return ScoreBlock(
                stream=STREAM,
                kind="canary",
                label="canary",
                started_at=at,
                offsets_ms=[0],
                scores=[1.0],
            )
        case Lane.HEALTH:
            return Health(captured_at=at, uptime_s=0.0)
        case Lane.EVIDENCE:
            return EvidenceChunk(
                digest=_DIGEST,
                media_type="image/jpeg",
                offset=0,
                total=2 * len(_BYTES),
                captured_at=at,
                stream=STREAM,
            )
