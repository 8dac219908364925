"""What the hub knows of a camera's sight over time: one state after the other, without a gap.

All times are the hub's. An agent's clock may be years off, so what it says of the begin of a state
is believed only between the last word and this one. What nobody told of in time is `UNHEARD` and
stays so: a heartbeat that arrives later says nothing of what the hub knew then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contract.taxonomy import CameraState

UNHEARD = "unheard"
SEEING = frozenset({CameraState.ONLINE.value})  # one that moved looks at something else
SILENT_AFTER = timedelta(seconds=30)  # three heartbeats


@dataclass(frozen=True, slots=True)
class Stretch:
    """A camera's state for a while, in the cell it stood in.

    ended_at None: it is so still, as far as anybody said.
    """

    agent: str
    stream: str
    cell: str | None
    state: str
    begun_at: datetime
    heard_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """What is said of a camera now. since: the claimed begin of that, on the hub's clock."""

    agent: str
    stream: str
    cell: str | None
    state: str
    since: datetime
    at: datetime


def follow(now: Stretch | None, word: Word) -> list[Stretch]:
    """What stands for the camera after a word: the stretch `now` as it became, and new ones.

    Only the last of them is open. A stretch without length is left out.
    """
    fresh = Stretch(word.agent, word.stream, word.cell, word.state, word.at, word.at)
    if now is None:
        return [fresh]
    at = max(word.at, now.heard_at)  # the hub's own clock may have been set back
    parts = [now]
    if at - now.heard_at > SILENT_AFTER and now.state in SEEING:
        gap = replace(now, state=UNHEARD, begun_at=now.heard_at)
        parts = [replace(now, ended_at=now.heard_at), gap]
        begun_at = at
    elif (now.state, now.cell) == (word.state, word.cell):
        return [replace(now, heard_at=at)]
    else:
        begun_at = min(max(word.since, now.heard_at), at)
    parts[-1] = replace(parts[-1], ended_at=begun_at)
    parts.append(replace(fresh, begun_at=begun_at, heard_at=at))
    return [p for p in parts if p.ended_at is None or p.ended_at > p.begun_at]
