"""What a record is worth when room is short: which goes first, and what goes together.

Scores go first, then clips, heartbeats, pictures, readings; detections go last, and of these a
test or an update before the word that an episode began or ended. Among equals the oldest goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from contract.taxonomy import Lane, Phase


@dataclass(frozen=True, slots=True)
class Rank:
    """The records of a lane that are worth the same."""

    lane: Lane
    minor: bool  # they go before the others of their lane


ORDER = (  # the first goes first
    Rank(Lane.SCORE, False),
    Rank(Lane.EVIDENCE, True),  # clips: large, and the picture tells most of it
    Rank(Lane.HEALTH, False),
    Rank(Lane.EVIDENCE, False),
    Rank(Lane.READING, False),
    Rank(Lane.DETECTION, True),  # updates and tests: a later word stands for them
    Rank(Lane.DETECTION, False),
)


@dataclass(frozen=True, slots=True)
class Worth:
    """What is read off one record."""

    minor: bool = False
    piece: str = ""  # digest of the evidence it is a part of: no use without the other parts


class _Seen(msgspec.Struct):
    """What of a record decides; a record that is not readable is worth what its lane is."""

    phase: Phase | None = None
    test: bool = False
    digest: str = ""
    role: str = ""


_decode = msgspec.json.Decoder(_Seen).decode
_PLAIN = Worth()


def worth_of(lane: Lane, record: bytes) -> Worth:
    """What a record of the lane is worth."""
    if lane is not Lane.DETECTION and lane is not Lane.EVIDENCE:
        return _PLAIN
    try:
        seen = _decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _PLAIN
    if lane is Lane.EVIDENCE:
        return Worth(seen.role == "clip", seen.digest)
    return Worth(seen.test or seen.phase is Phase.UPDATED)


def no_dearer_than(ranks: Iterable[Rank]) -> tuple[Rank, ...]:
    """What may go to make room for records of these ranks, in the order it goes."""
    return ORDER[: max(ORDER.index(rank) for rank in ranks) + 1]
