"""What the agents of a chaos run write, and what each record is called in book and database.

A name is made of what the record says, never of its sequence number: so a record that was given
two numbers, or stored under a wrong one, is seen.
"""

from __future__ import annotations

import hashlib
import random
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contract.envelope import MAX_CHUNK, encode_record
from contract.geometry import Point
from contract.messages import (
    Detection,
    EvidenceChunk,
    EvidenceRef,
    Reading,
    RuleNote,
    ScoreBlock,
)
from contract.taxonomy import Lane, Phase
from edge.spool import Entry

STREAM = "cam-01"
DEVICE, METRIC = "counter-01", "chaos.count"
PICTURE_BYTES = 60_000  # two chunks
CENTRE = Point(113.65, 34.76)
SPREAD_DEGREES = 0.05  # far enough apart that most detections are events of their own
_PHASES = (Phase.RAISED, Phase.UPDATED, Phase.CLEARED)


def name_of(lane: Lane, record: bytes, payload_size: int) -> str:
    """The name of a record, from its JSON and the bytes that travel with it."""
    said: dict[str, Any] = msgspec.json.decode(record)
    if lane is Lane.DETECTION:
        return f"{said['episode']}/{said['revision']}"
    if lane is Lane.READING:
        return f"{said['value']:.0f}"
    if lane is Lane.SCORE:
        return str(said["label"])
    if lane is Lane.EVIDENCE:
        return f"{said['digest']}/{said['offset']}/{said['offset'] + payload_size}"
    return str(said["captured_at"])


class Writer:
    """Makes records, none like another. `first`: the numbers of this run of the agent begin here.

    Numbers stay below 2^53, so that a reading keeps its own exactly.
    """

    def __init__(self, first: int, now: Callable[[], datetime], chance: random.Random) -> None:
        self._number = first
        self._now = now
        self._chance = chance
        self._episode = ""
        self._phase = len(_PHASES)
        self._place = CENTRE
        self._begun = now()

    def readings(self, count: int) -> list[Entry]:
        """That many measured values."""
        return [self._reading() for _ in range(count)]

    def detection(self) -> list[Entry]:
        """The next change of an episode, and with its first one the picture that shows it."""
        now = self._now()
        picture: list[Entry] = []
        refs: list[EvidenceRef] = []
        if self._phase == len(_PHASES):
            self._episode, self._phase, self._begun = str(uuid.uuid4()), 0, now
            self._place = Point(
                CENTRE.lon + self._chance.uniform(-SPREAD_DEGREES, SPREAD_DEGREES),
                CENTRE.lat + self._chance.uniform(-SPREAD_DEGREES, SPREAD_DEGREES),
            )
            data = self._chance.randbytes(PICTURE_BYTES)
            picture = _chunks(data, now)
            digest = hashlib.sha256(data).hexdigest()
            refs = [EvidenceRef(digest, "image/jpeg", len(data), now)]
        phase, self._phase = _PHASES[self._phase], self._phase + 1
        record = Detection(
            episode=self._episode,
            revision=self._phase,
            phase=phase,
            stream=STREAM,
            kind="flame",
            label="flame",
            started_at=self._begun,
            raised_at=self._begun,
            captured_at=now,
            frame=100 + self._phase,
            raised_frame=100,
            score=0.9,
            peak_score=0.9,
            position=self._place,
            rule=RuleNote("k_of_n", 0.5, "5 of the last 8 samples"),
            evidence=refs,
        )
        return [Entry(Lane.DETECTION, encode_record(record), now), *picture]

    def scores(self) -> Entry:
        """A short block of scores."""
        now = self._now()
        block = ScoreBlock(
            stream=STREAM,
            kind="flame",
            label=str(self._next()),
            started_at=now - timedelta(seconds=1),
            offsets_ms=[0, 500],
            scores=[0.1, 0.9],
        )
        return Entry(Lane.SCORE, encode_record(block), now)

    def _reading(self) -> Entry:
        now = self._now()
        record = Reading(device=DEVICE, metric=METRIC, value=float(self._next()), captured_at=now)
        return Entry(Lane.READING, encode_record(record), now)

    def _next(self) -> int:
        self._number += 1
        return self._number


def _chunks(data: bytes, now: datetime) -> list[Entry]:
    digest = hashlib.sha256(data).hexdigest()
    entries = []
    for offset in range(0, len(data), MAX_CHUNK):
        head = EvidenceChunk(
            digest=digest,
            media_type="image/jpeg",
            offset=offset,
            total=len(data),
            captured_at=now,
            stream=STREAM,
        )
        piece = data[offset : offset + MAX_CHUNK]
        entries.append(Entry(Lane.EVIDENCE, encode_record(head), now, piece))
    return entries
