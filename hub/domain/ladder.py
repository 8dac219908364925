"""The ladder of an overdue clock: who is told at which share of the limit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hub.domain.calendar import WorkCalendar
from hub.domain.deadline import Clock, due_at


class Rung(StrEnum):
    """A step of the ladder, named by whom it reaches."""

    HANDLER = "handler"
    LEADER = "leader"
    OVERDUE = "overdue"  # supervision record to the station master
    LEVEL_2 = "level_2"  # the secondary grid takes it up
    LEVEL_3 = "level_3"  # the district takes it up

    @property
    def share(self) -> float:
        """The share of the limit at which it is reached."""
        return _SHARES[self]

    @property
    def level(self) -> int:
        """The level the case must have from here on: 1 basic, 2 secondary, 3 district."""
        return {Rung.LEVEL_2: 2, Rung.LEVEL_3: 3}.get(self, 1)

    @property
    def act(self) -> str:
        """The act of the lifecycle that its entry in the history is."""
        if self is Rung.OVERDUE:
            return "supervise"
        return "raise_level" if self.level > 1 else "remind"


_SHARES = {
    Rung.HANDLER: 0.5,
    Rung.LEADER: 0.8,
    Rung.OVERDUE: 1.0,
    Rung.LEVEL_2: 1.5,
    Rung.LEVEL_3: 3.0,
}


LADDER_ACTS = frozenset(rung.act for rung in Rung)


@dataclass(frozen=True, slots=True)
class Moment:
    """When a rung is reached."""

    rung: Rung
    at: datetime


def moments(clock: Clock, calendar: WorkCalendar) -> tuple[Moment, ...]:
    """Every rung that will be reached as things stand, in order.

    A pause without end hides those after it: they are known again once it is resumed.
    """
    times = ((rung, due_at(clock, calendar, rung.share)) for rung in Rung)
    return tuple(Moment(rung, at) for rung, at in times if at is not None)
