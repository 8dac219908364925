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
    return tuple(run.frozen() for run in track.runs)


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
class _Run:
    """A run as it grows."""

    stage: Stage
    started_at: datetime
    stopped_at: datetime | None = None
    left_to: str = ""
    pauses: list[Pause] = field(default_factory=list)
    extensions: int = 0

    def stop(self, entry: Entry) -> None:
        self.stopped_at, self.left_to = entry.at, entry.to_state

    def take_up(self, at: datetime, why: str) -> None:
        """Go on where it stopped: the time between was a pause."""
        assert self.stopped_at is not None
        # a clock that was set back in between makes an empty pause, no error
        self.pauses.append(Pause(self.stopped_at, max(at, self.stopped_at), why))
        self.stopped_at, self.left_to = None, ""

    def end_hang(self, at: datetime) -> None:
        """End the hang now, or when it was planned to, however late a timer came to it."""
        hang = self.pauses[-1]
        until = at if hang.until is None else min(at, hang.until)
        self.pauses[-1] = replace(hang, until=max(until, hang.since))

    def frozen(self) -> StageRun:
        return StageRun(
            self.stage,
            self.started_at,
            self.stopped_at,
            self.left_to,
            tuple(self.pauses),
            self.extensions,
        )


@dataclass(slots=True)
class _Track:
    """The runs so far; `current` and `total` are those that go on."""

    runs: list[_Run] = field(default_factory=list)
    state: str = ""
    current: _Run | None = None
    total: _Run | None = None

    def move(self, entry: Entry) -> None:
        """Follow a transition."""
        if self.state == "suspended" and entry.to_state != "suspended":
            for run in self._going_on():
                run.end_hang(entry.at)
        stage = STAGE_OF.get(entry.to_state)
        if stage is not STAGE_OF.get(self.state):
            if self.current is not None:
                self.current.stop(entry)
            self.current = None if stage is None else self._start(stage, entry)
        if stage is not None and entry.to_state != UNREPORTED:
            if self.total is None:
                self.total = self._start(Stage.TOTAL, entry)
        elif self.total is not None:
            self.total.stop(entry)
            self.total = None
        if entry.to_state == "suspended" and self.state != "suspended":
            for run in self._going_on():
                until = entry.until and max(entry.until, entry.at)
                run.pauses.append(Pause(entry.at, until, entry.reason or "hung"))
        self.state = entry.to_state

    def extend(self) -> None:
        """Give the running disposal clock one limit more."""
        run = self.current
        if run is not None and run.stage is Stage.DISPOSE and run.extensions < MAX_EXTENSIONS:
            run.extensions += 1

    def _going_on(self) -> list[_Run]:
        return [run for run in (self.current, self.total) if run is not None]

    def _start(self, stage: Stage, entry: Entry) -> _Run:
        why = _TAKEN_UP.get(entry.name)
        if why is not None:
            for run in reversed(self.runs):
                if run.stage is stage and run.stopped_at is not None:
                    run.take_up(entry.at, why)
                    return run
        run = _Run(stage, entry.at)
        self.runs.append(run)
        return run
