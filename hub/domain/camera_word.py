"""What a camera says of a case once it was dealt with: it looks at the same place all the time,
and looks again when it is asked.

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
    ASKED = "asked"  # it was asked to look, and has not answered yet
    NO_ANSWER = "no_answer"  # it was asked, and did not answer in time
    CANNOT_LOOK = "cannot_look"  # it says that it cannot


class Answer(StrEnum):
    """What came of asking a camera to look again."""

    NONE = "none"  # it was not asked yet
    WAITING = "waiting"
    SEEN = "seen"
    CLEAR = "clear"
    CANNOT = "cannot"
    LATE = "late"  # nothing came in time


@dataclass(frozen=True, slots=True)
class Asked:
    """One look that a camera was asked for. answer None: none came yet, or ever."""

    at: datetime
    until: datetime
    answer: Answer | None
    picture: str | None = None  # digest

    def came_to(self, now: datetime) -> Answer:
        """What came of it by now."""
        if self.answer is not None:
            return self.answer
        return Answer.WAITING if now < self.until else Answer.LATE


ASK_AGAIN = timedelta(seconds=60)  # the shortest time between two looks
_STILL_LOOKING = frozenset({Why.TOO_SOON, Why.ASKED})


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
    answers: bool = False  # it looks when it is asked to
    asked: tuple[Asked, ...] = ()  # since the case was dealt with, the oldest first


@dataclass(frozen=True, slots=True)
class Word:
    """What one camera says. clear_at: from when on a place that is clear counts as such."""

    why: Why
    clear_at: datetime | None = None


def word_of(sight: Sight, now: datetime, clear_for: timedelta) -> Word:
    """What one camera says now. clear_for: how long the place has to be clear.

    One that answers when it is asked has to: the place is clear once its detector has cleared the
    thing and, asked after that, sees nothing of it.
    """
    word = _unasked(sight, now, clear_for)
    if not sight.answers or word.why in (Why.MOVED, Why.NOT_SEEING, Why.TOO_SOON):
        return word
    match last_answer(sight.asked, now):
        case Answer.NONE | Answer.WAITING:
            return Word(Why.ASKED)
        case Answer.SEEN:
            return Word(Why.SEEN)
        case Answer.LATE:
            return Word(Why.NO_ANSWER)
        case Answer.CANNOT:
            return Word(Why.CANNOT_LOOK)
        case Answer.CLEAR:
            return word


def last_answer(asked: Sequence[Asked], now: datetime) -> Answer:
    """What came of the last look that is over; of the one under way only where it is the first."""
    came_to = [a.came_to(now) for a in asked]
    over = [a for a in came_to if a is not Answer.WAITING]
    return over[-1] if over else Answer.WAITING if came_to else Answer.NONE


def is_to_be_asked(sight: Sight, now: datetime, clear_for: timedelta) -> bool:
    """Whether a camera is to look again now: at once where it can, then after as long as it has
    been asked for already, so that a case that waits for days is asked about ever less often."""
    unasked = _unasked(sight, now, clear_for).why
    if not sight.answers or unasked in (Why.MOVED, Why.NOT_SEEING, Why.TOO_SOON):
        return False
    if not sight.asked:
        return True
    first, last = sight.asked[0], sight.asked[-1]
    waited = now - last.at
    return last.came_to(now) is not Answer.WAITING and waited >= max(ASK_AGAIN, last.at - first.at)


def is_sure_it_is_there(asked: Sequence[Asked], now: datetime) -> bool:
    """Whether the last two looks that are over both show it: once may be somebody passing by."""
    over = [a for x in asked if (a := x.came_to(now)) is not Answer.WAITING]
    return over[-2:] == [Answer.SEEN, Answer.SEEN]


def _unasked(sight: Sight, now: datetime, clear_for: timedelta) -> Word:
    """What it says by itself, by what its detector told and how it fared since."""
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
    if not whys or whys - {Why.GONE} - _STILL_LOOKING:
        return Outcome.CANNOT_TELL
    return None if whys & _STILL_LOOKING else Outcome.CLEAR
