"""What a reporter says of how a case was dealt with: when it may be said, changed, and is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from hub.domain.period import PeriodKind, period_around

LOWEST, HIGHEST = 1, 5  # not at all satisfied, very satisfied
_NO_CASE = ("rejected", "voided", "lapsed", "merged")


class Standing(StrEnum):
    """What a reporter can do with their rating."""

    OPEN = "open"  # closed, not rated yet
    RATED = "rated"  # rated, and it may be changed
    SETTLED = "settled"  # rated, and it stays
    EXPIRED = "expired"  # closed too long ago
    WAITING = "waiting"  # still being dealt with
    REOPENED = "reopened"  # closed before, and being dealt with again
    NO_CASE = "no_case"  # it was not taken as a case

    @property
    def may_rate(self) -> bool:
        """Whether a rating is taken now."""
        return self in (Standing.OPEN, Standing.RATED)


@dataclass(frozen=True, slots=True)
class Closing:
    """What became of the case a report belongs to. close_by: the end of the whole case's time."""

    state: str
    ended_at: datetime | None
    close_by: datetime | None
    reopened: int


@dataclass(frozen=True, slots=True)
class Rated:
    """A rating that was given. of: when the case ended that it is about."""

    score: int
    of: datetime


@dataclass(frozen=True, slots=True)
class Ratable:
    """Where a rating stands. until: up to then it may be given or changed; None: it may not."""

    standing: Standing
    until: datetime | None = None


def ratable(
    case: Closing, rated: Rated | None, now: datetime, within: timedelta, zone: ZoneInfo
) -> Ratable:
    """What can be done with the rating of a case.

    It can be given within so long after the case was closed. Once given it can be changed until the
    month of assessment ends, by the district's clock: that in which the case was due, or was closed
    where that is later. A case that is opened again and closed again is rated anew.
    """
    if case.state in _NO_CASE:
        return Ratable(Standing.NO_CASE)
    if case.state != "closed" or case.ended_at is None:
        again = case.reopened > 0
        return Ratable(Standing.REOPENED if again else Standing.WAITING)
    expires = case.ended_at + within
    if rated is None or rated.of != case.ended_at:
        return Ratable(Standing.OPEN, expires) if now < expires else Ratable(Standing.EXPIRED)
    counted = max(case.ended_at, case.close_by or case.ended_at)
    month = period_around(PeriodKind.MONTH, counted.astimezone(zone).date(), zone).period
    until = min(expires, month.until)
    return Ratable(Standing.RATED, until) if now < until else Ratable(Standing.SETTLED)


def overall(scores: Sequence[int]) -> int:
    """What a case got of all its reporters: their mean, rounded down; raises where there is none.

    It is satisfied from 4 on exactly where the mean is.
    """
    return sum(scores) // len(scores)
