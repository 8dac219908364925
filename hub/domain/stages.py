"""Stage clocks: which clocks a grid event's history has set running, stopped and paused.

A stage begins with a new run each time its states are entered, with two exceptions that take up
the last run where it stopped: a failed check (the disposal was not done, so its clock goes on) and
the undoing of a merge. Being hung pauses the disposal and the total clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from hub.domain.calendar import WorkCalendar
from hub.domain.case_history import ACTS, Entry
from hub.domain.deadline import MAX_EXTENSIONS, Clock, Limit, Pause, due_at


class Stage(StrEnum):
    """What a clock measures."""

    ACCEPT = "accept"  # from the first sight to the decision to file
    DISPATCH = "dispatch"  # from filing until a unit has it
    DISPOSE = "dispose"  # from dispatch until it is dealt with
    CHECK = "check"  # from there to closing
    TOTAL = "total"  # from when it counts as reported to closing


Limits = Mapping[Stage, Limit]

STAGE_OF: Mapping[str, Stage] = {
    "suspected": Stage.ACCEPT,
    "reported": Stage.ACCEPT,
    "verifying": Stage.ACCEPT,
    "filed": Stage.DISPATCH,
    "dispatched": Stage.DISPOSE,
    "disposing": Stage.DISPOSE,
    "suspended": Stage.DISPOSE,
    "disposed": Stage.CHECK,
    "checking": Stage.CHECK,
}
UNREPORTED = "suspected"  # the one living state that does not count as reported

_TAKEN_UP = {"check_fail": "at the check", "unmerge": "merged into another event"}


@dataclass(frozen=True, slots=True)
class StageRun:
    """One run of a stage clock. left_to: the state it was left to, "" while it runs."""

    stage: Stage
    started_at: datetime
    stopped_at: datetime | None = None
    left_to: str = ""
    pauses: tuple[Pause, ...] = ()
    extensions: int = 0


def stage_runs(entries: Iterable[Entry]) -> tuple[StageRun, ...]:
    """Every run of every stage clock, in the order of their starts.

    entries: those that hold, oldest first.
    """
    track = _Track()
    for entry in entries:
        if entry.name == "decide_extension":
            if entry.granted:
                track.extend()
        elif entry.name not in ACTS:
            track.move(entry)
    return tuple(track.runs)


def clock_of(
    run: StageRun, runs: Iterable[StageRun], limits: Limits, calendar: WorkCalendar
) -> Clock | None:
    """The clock of a run under the limits in force; None where its stage has no limit.

    An extension gives the disposal clock one limit more; the total clock stands still for the
    time so granted.
    """
    limit = limits.get(run.stage)
    if limit is None:
        return None
    pauses = run.pauses
    if run.stage is Stage.TOTAL:
        pauses += tuple(_granted(run, runs, limits, calendar))
    return Clock(run.started_at, limit, pauses, run.extensions)


def _granted(
    total: StageRun, runs: Iterable[StageRun], limits: Limits, calendar: WorkCalendar
) -> Iterable[Pause]:
    for run in runs:
        if not run.extensions or run.stage is not Stage.DISPOSE:
            continue
        if run.started_at < total.started_at or Stage.DISPOSE not in limits:
            continue
        clock = Clock(run.started_at, limits[Stage.DISPOSE], run.pauses, run.extensions)
        since, until = due_at(replace(clock, extensions=0), calendar), due_at(clock, calendar)
        if since is not None and until is not None:
            yield Pause(since, until, "extension granted")


@dataclass(slots=True)
class _Track:
    """The runs so far; `current` and `total` are the places of those that go on."""

    runs: list[StageRun] = field(default_factory=list)
    state: str = ""
    current: int | None = None
    total: int | None = None

    def move(self, entry: Entry) -> None:
        """Follow a transition."""
        if self.state == "suspended" and entry.to_state != "suspended":
            self._end_hang(entry.at)
        stage = STAGE_OF.get(entry.to_state)
        if stage is not STAGE_OF.get(self.state):
            self._stop(self.current, entry)
            self.current = None if stage is None else self._start(stage, entry)
        if entry.to_state in STAGE_OF and entry.to_state != UNREPORTED:
            if self.total is None:
                self.total = self._start(Stage.TOTAL, entry)
        elif self.total is not None:
            self._stop(self.total, entry)
            self.total = None
        if entry.to_state == "suspended" and self.state != "suspended":
            self._pause(Pause(entry.at, entry.until, entry.reason or "hung"))
        self.state = entry.to_state

    def extend(self) -> None:
        """Give the running disposal clock one limit more."""
        if self.current is None:
            return
        run = self.runs[self.current]
        if run.stage is Stage.DISPOSE and run.extensions < MAX_EXTENSIONS:
            self.runs[self.current] = replace(run, extensions=run.extensions + 1)

    def _start(self, stage: Stage, entry: Entry) -> int:
        why = _TAKEN_UP.get(entry.name)
        if why is not None:
            for n in range(len(self.runs) - 1, -1, -1):
                run = self.runs[n]
                if run.stage is stage and run.stopped_at is not None:
                    away = Pause(run.stopped_at, entry.at, why)
                    self.runs[n] = replace(
                        run, stopped_at=None, left_to="", pauses=(*run.pauses, away)
                    )
                    return n
        self.runs.append(StageRun(stage, entry.at))
        return len(self.runs) - 1

    def _stop(self, n: int | None, entry: Entry) -> None:
        if n is not None:
            self.runs[n] = replace(self.runs[n], stopped_at=entry.at, left_to=entry.to_state)

    def _pause(self, pause: Pause) -> None:
        for n in (self.current, self.total):
            if n is not None:
                self.runs[n] = replace(self.runs[n], pauses=(*self.runs[n].pauses, pause))

    def _end_hang(self, at: datetime) -> None:
        """End the hang now, or when it was planned to, however late a timer came to it."""
        for n in (self.current, self.total):
            if n is None:
                continue
            *before, hang = self.runs[n].pauses
            until = at if hang.until is None else min(at, hang.until)
            self.runs[n] = replace(
                self.runs[n], pauses=(*before, replace(hang, until=max(until, hang.since)))
            )
