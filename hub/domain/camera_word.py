"""What a camera says of a case once it was dealt with: it looks at the same place all the time.

A camera whose word cannot be relied on says nothing, and a person decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Outcome(StrEnum):
    """What the cameras say together."""

    CLEAR = "clear"  # every camera that saw it sees the place without it
    STILL_SEEN = "still_seen"
    CANNOT_TELL = "cannot_tell"


class Why(StrEnum):
    """Why one camera says what it says."""

    GONE = "gone"
    SEEN = "seen"
    NOT_SEEING = "not_seeing"  # blind, frozen, out of focus, silent, or no more
    MOVED = "moved"  # it looks somewhere else, or did since
    LOST_SIGHT = "lost_sight"  # its agent began anew: nobody knows what became of what it saw
    NO_PICTURE = "no_picture"  # it did not send the place without it, or not yet
    TOO_SOON = "too_soon"  # clear, but not for long enough


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known of one camera that saw the case.

    cleared_at: since when its detector no longer sees it, by the hub's clock; None: it does.
    online_since: since when it has been seeing without a break; None: it is not.
    """

    camera: str
    cleared_at: datetime | None
    lost_sight: bool
    moved: bool
    online_since: datetime | None
    after: str | None  # digest of its picture of the place without it


@dataclass(frozen=True, slots=True)
class Word:
    """What one camera says. clear_at: from when on a place that is clear counts as such."""

    why: Why
    clear_at: datetime | None = None


def word_of(sight: Sight, now: datetime, clear_for: timedelta) -> Word:
    """What one camera says now. clear_for: how long the place has to be clear."""
    if sight.moved:
        return Word(Why.MOVED)
    if sight.online_since is None:
        return Word(Why.NOT_SEEING)
    if sight.lost_sight:
        return Word(Why.LOST_SIGHT)
    if sight.cleared_at is None:
        return Word(Why.SEEN)
    if sight.after is None:
        return Word(Why.NO_PICTURE)
    clear_at = max(sight.cleared_at, sight.online_since) + clear_for
    return Word(Why.GONE if clear_at <= now else Why.TOO_SOON, clear_at)


def together(words: Sequence[Word]) -> Outcome | None:
    """What the cameras say together; None: they are still looking.

    One that sees it outweighs all others; one that cannot tell leaves it to a person.
    """
    whys = {word.why for word in words}
    if Why.SEEN in whys:
        return Outcome.STILL_SEEN
    if not whys or whys - {Why.GONE, Why.TOO_SOON}:
        return Outcome.CANNOT_TELL
    return None if Why.TOO_SOON in whys else Outcome.CLEAR
