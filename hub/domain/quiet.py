"""Quiet hours: when a notice may ring."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from contract.taxonomy import Severity

AT_ANY_TIME = (Severity.S1, Severity.S2)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """By the clock on the wall; across midnight where `ends` is earlier, none if both are equal."""

    begins: time
    ends: time

    def covers(self, at: time) -> bool:
        """Whether they last at that time of day."""
        if self.begins == self.ends:
            return False
        if self.begins < self.ends:
            return self.begins <= at < self.ends
        return at >= self.begins or at < self.ends


def may_ring_at(
    now: datetime, quiet: QuietHours, zone: ZoneInfo, severity: Severity | None
) -> datetime:
    """The soonest time, from `now` on, at which a notice of that severity may ring.

    S1 and S2 ring at any time. A night in which clocks change ends by the clock on the wall.
    """
    if severity in AT_ANY_TIME:
        return now
    local = now.astimezone(zone)
    if not quiet.covers(local.time()):
        return now
    day = local.date()
    if local.time() >= quiet.ends:  # they end tomorrow
        day += timedelta(days=1)
    return datetime.combine(day, quiet.ends, zone).astimezone(now.tzinfo)
