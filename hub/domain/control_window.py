"""Control windows and silences: where and when nothing is filed by itself, and by whose word.

Approved works (hot work under a permit) and silences differ in why, not in what they do: an event
is opened as ever and waits for a person, marked. A window ends by time alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LONGEST = timedelta(days=31)


class WindowKind(StrEnum):
    """Why nothing is filed by itself."""

    WORKS = "works"  # approved, under a permit
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class ControlWindow:
    """A window. None in category, subcategory or detector: of any.

    cells: codes of any level, each with all below it; or one device, by (agent, stream).
    """

    id: int
    kind: str
    category: str | None
    subcategory: str | None
    detector: str | None
    cells: tuple[str, ...]
    agent: str | None
    stream: str | None
    from_at: datetime
    until_at: datetime
    reason: str
    permit: str
    made_at: datetime
    made_by: str
    event: int | None
    ended_at: datetime | None
    ended_by: str | None

    @property
    def over_at(self) -> datetime:
        """When it ceases to hold."""
        return self.until_at if self.ended_at is None else min(self.ended_at, self.until_at)

    def holds(self, at: datetime) -> bool:
        """Whether it is in force then: its begin counts, its end does not."""
        return self.from_at <= at < self.over_at


@dataclass(frozen=True, slots=True)
class Sight:
    """What a window may cover: one thing seen at one place by one device."""

    category: str
    subcategory: str
    detector: str
    cell: str | None
    agent: str
    stream: str


def covers(window: ControlWindow, sight: Sight) -> bool:
    """Whether the window means this, at whatever time."""
    if window.stream is not None:
        there = (window.agent, window.stream) == (sight.agent, sight.stream)
    else:
        there = sight.cell is not None and sight.cell.startswith(window.cells)
    return (
        there
        and window.category in (None, sight.category)
        and window.subcategory in (None, sight.subcategory)
        and window.detector in (None, sight.detector)
    )


def covering(windows: Iterable[ControlWindow], sight: Sight, at: datetime) -> ControlWindow | None:
    """The window in force then that covers it; of several the one that holds longest."""
    found = [w for w in windows if w.holds(at) and covers(w, sight)]
    return max(found, key=lambda w: (w.over_at, -w.id), default=None)
