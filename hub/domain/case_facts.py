"""What assessment needs to know of a grid event, derived from its history alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

import msgspec

from contract.taxonomy import Category, Severity
from hub.domain.actor import Role
from hub.domain.calendar import WorkCalendar
from hub.domain.case_history import SIGHTINGS, Entry, standing
from hub.domain.categories import StageLimits
from hub.domain.deadline import Clock, due_at
from hub.domain.event_clock import accept_clock
from hub.domain.lifecycle import HIGHEST_LEVEL
from hub.domain.stages import Limits, Stage, StageRun, clock_of, stage_runs
from hub.domain.work_rules import CalendarError

NOT_COUNTED = frozenset({"merged", "lapsed", "voided"})  # states that are no case of anybody's
NOT_TAKEN = NOT_COUNTED | {"rejected"}


class Task(StrEnum):
    """What somebody did for a case, and is judged by."""

    FIND = "find"
    FILE = "file"
    DISPATCH = "dispatch"
    DISPOSE = "dispose"
    CHECK = "check"


_TASK_OF = {
    "ingest_detection": Task.FIND,
    "report": Task.FIND,
    "auto_file": Task.FILE,
    "confirm": Task.FILE,
    "endorse": Task.FILE,
    "file": Task.FILE,
    "dispatch": Task.DISPATCH,
    "accept": Task.DISPOSE,
    "feedback": Task.DISPOSE,
    "self_handle": Task.DISPOSE,
    "check_pass": Task.CHECK,
    "check_fail": Task.CHECK,
}


class Hand(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Who did a task."""

    role: Role
    person: str


class Dispatch(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One dispatch to a unit, and whether the unit gave it back."""

    unit: str
    returned: bool = False


class StageFact(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How the last run of a stage went. due_at None: there is no limit."""

    started_at: datetime
    due_at: datetime | None
    done_at: datetime | None

    @property
    def belongs_at(self) -> datetime:
        """The moment that says which period it belongs to: its deadline, if there is one."""
        return self.due_at or self.started_at

    @property
    def in_time(self) -> bool:
        """Whether it was done, at the deadline at the latest."""
        return self.done_at is not None and (self.due_at is None or self.done_at <= self.due_at)


@dataclass(frozen=True, slots=True)
class Case:
    """A grid event with its history, oldest entry first, and the limits in force.

    severities: since when it had which, where it had several; what the desk was given to decide
    then follows `by_severity`, as on the event's own clock.
    """

    number: str
    category: Category
    severity: Severity
    entries: Sequence[Entry]
    limits: Limits
    cell: str = ""
    stream: str = ""  # "agent/stream" of the camera that saw it first
    recurrence_of: str = ""  # number of the closed event it repeats
    severities: Sequence[tuple[datetime, Severity]] = ()
    by_severity: Mapping[Severity, StageLimits] = field(default_factory=dict)


class CaseFacts(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What became of a case. Times are those of the last time it happened.

    A row of values, as it is kept: a new one goes to the end, and `FORMULAS` of count_cases is
    raised.
    """

    number: str
    category: Category
    severity: Severity
    state: str
    cell: str = ""
    stream: str = ""
    recurrence_of: str = ""
    unit: str = ""  # the last it was dispatched to
    level: int = 1  # 1 basic, 2 secondary, 3 district
    seen_at: datetime | None = None  # first sight by anyone
    known_at: datetime | None = None  # on the desk
    reported_at: datetime | None = None  # counts as reported from here
    filed_at: datetime | None = None  # the first time
    dispatched_at: datetime | None = None
    disposed_at: datetime | None = None
    check_started_at: datetime | None = None
    closed_at: datetime | None = None  # None while it is not, or no longer, closed
    judged_at: datetime | None = None
    machine_at: datetime | None = None  # first sight by a machine
    person_at: datetime | None = None  # first sight by a person
    stages: Mapping[Stage, StageFact] = {}
    hands: Mapping[Task, Hand] = {}
    dispatches: tuple[Dispatch, ...] = ()
    disposals: int = 0
    failed_checks: int = 0
    extensions: int = 0
    returns: int = 0  # times it came back after closing
    hung: bool = False
    exempt: bool = False  # an appeal was granted: left out of statistics, the facts stay
    verdict: str = ""
    satisfied: bool | None = None

    @property
    def counts(self) -> bool:
        """Whether it is a case at all: not merged, lapsed or voided, and reported some time."""
        return self.reported_at is not None and self.state not in NOT_COUNTED

    @property
    def filed(self) -> bool:
        """Whether it was taken as a case and stands as one."""
        was = self.filed_at is not None and self.reported_at is not None
        return was and self.state not in NOT_TAKEN


def facts_of(case: Case, calendar: WorkCalendar, as_of: datetime | None = None) -> CaseFacts:
    """The facts of a case as they stood at `as_of`, from its history up to then.

    A hung case keeps the deadlines it would have without the hang, so that it has a period to be
    left out of. Raises ValueError where nothing had happened yet.
    """
    entries = standing(case.entries, as_of)
    if not entries:
        raise ValueError(f"case {case.number} has no history up to {as_of}")
    runs = stage_runs(entries)
    state = entries[-1].to_state
    hung = state == "suspended" and _still_hung(runs, as_of)
    told = _Told()
    for entry in entries:
        told.hear(entry)
    return CaseFacts(
        number=case.number,
        category=case.category,
        severity=case.severity,
        state=state,
        cell=case.cell,
        stream=case.stream,
        recurrence_of=case.recurrence_of,
        unit=told.dispatches[-1].unit if told.dispatches else "",
        level=told.level,
        seen_at=min((t for t in (told.machine_at, told.person_at) if t), default=None),
        known_at=entries[0].at,
        reported_at=next((r.started_at for r in runs if r.stage is Stage.TOTAL), None),
        filed_at=told.filed_at,
        dispatched_at=told.dispatched_at,
        disposed_at=told.disposed_at,
        check_started_at=told.check_started_at,
        closed_at=told.closed_at,
        judged_at=told.judged_at,
        machine_at=told.machine_at,
        person_at=told.person_at,
        stages=_stage_facts(case, calendar, runs, hung),
        hands=told.hands,
        dispatches=tuple(told.dispatches),
        disposals=told.disposals,
        failed_checks=told.failed_checks,
        extensions=told.extensions,
        returns=told.returns,
        hung=hung,
        exempt=told.exempt,
        verdict=told.verdict,
        satisfied=told.satisfied,
    )


def _still_hung(runs: Sequence[StageRun], as_of: datetime | None) -> bool:
    """Whether the planned end of the hang is still to come."""
    hang = next(r.pauses[-1] for r in reversed(runs) if r.stage is Stage.TOTAL)
    return as_of is None or hang.until is None or as_of < hang.until


_DONE_IN: Mapping[Stage, frozenset[str]] = {
    Stage.ACCEPT: frozenset({"filed", "rejected"}),
    Stage.DISPATCH: frozenset({"dispatched", "disposed"}),
    Stage.DISPOSE: frozenset({"disposed"}),
    Stage.CHECK: frozenset({"closed", "dispatched"}),
    Stage.TOTAL: frozenset({"closed"}),
}


def _stage_facts(
    case: Case, calendar: WorkCalendar, runs: Sequence[StageRun], hung: bool
) -> dict[Stage, StageFact]:
    """The last run of each stage, unless it was broken off, as by a unit that gave it back."""
    facts: dict[Stage, StageFact] = {}
    for run in runs:
        facts.pop(run.stage, None)
        if run.stopped_at is not None and run.left_to not in _DONE_IN[run.stage]:
            continue
        if hung and run.stopped_at is None:
            run = replace(run, pauses=run.pauses[:-1])
        facts[run.stage] = StageFact(
            run.started_at, _due_of(case, calendar, run, runs), run.stopped_at
        )
    return facts


def _due_of(
    case: Case, calendar: WorkCalendar, run: StageRun, runs: Sequence[StageRun]
) -> datetime | None:
    """When a run was due; None without a limit, or where the calendar does not reach."""
    clock: Clock | None
    try:
        if run.stage is Stage.ACCEPT and len(case.severities) > 1:
            clock = accept_clock(run, case.severities, case.by_severity, calendar)
        else:
            clock = clock_of(run, runs, case.limits, calendar)
        return None if clock is None else due_at(clock, calendar)
    except CalendarError:
        return None


@dataclass(slots=True)
class _Told:
    """What the entries said, heard one after another."""

    level: int = 1
    filed_at: datetime | None = None
    dispatched_at: datetime | None = None
    disposed_at: datetime | None = None
    check_started_at: datetime | None = None
    closed_at: datetime | None = None
    judged_at: datetime | None = None
    machine_at: datetime | None = None
    person_at: datetime | None = None
    hands: dict[Task, Hand] = field(default_factory=dict)
    dispatches: list[Dispatch] = field(default_factory=list)
    disposals: int = 0
    failed_checks: int = 0
    extensions: int = 0
    returns: int = 0
    exempt: bool = False
    verdict: str = ""
    satisfied: bool | None = None

    def hear(self, entry: Entry) -> None:
        """Take one entry in."""
        if entry.verdict:
            self.verdict, self.judged_at = entry.verdict, entry.at
        task = _TASK_OF.get(entry.name)
        if task is not None and not (task is Task.FIND and task in self.hands):
            self.hands[task] = Hand(entry.role, entry.actor)
        if entry.seen_at is not None or entry.name in SIGHTINGS:
            self._sight(entry)
        match entry.name:
            case "auto_file" | "confirm" | "file":
                self.filed_at = self.filed_at or entry.at
            case "return_to_filing":
                self.filed_at = None
            case "dispatch":
                self.dispatched_at = entry.at
                self.dispatches.append(Dispatch(entry.unit))
            case "return_unit":
                if self.dispatches:
                    self.dispatches[-1] = Dispatch(self.dispatches[-1].unit, returned=True)
            case "feedback" | "self_handle":
                self.disposed_at = entry.at
                self.disposals += 1
            case "start_check":
                self.check_started_at = entry.at
            case "check_fail":
                self.failed_checks += 1
                self.disposed_at = self.check_started_at = None
            case "check_pass" | "force_close":
                self.closed_at = entry.at
            case "reopen" | "recur":
                self.returns += 1
                self.filed_at = self.filed_at or entry.at
                self.closed_at = self.disposed_at = self.check_started_at = None
            case "escalate":
                self.level = min(self.level + 1, HIGHEST_LEVEL)
            case "raise_level":
                self.level = max(self.level, entry.level)
            case "decide_extension":
                self.extensions += entry.granted
            case "decide_appeal":
                self.exempt = self.exempt or entry.granted
            case "rate":
                self.satisfied = entry.satisfied
            case _:
                pass

    def _sight(self, entry: Entry) -> None:
        seen_at = entry.seen_at or entry.at
        if entry.role is Role.DEVICE:
            self.machine_at = min(self.machine_at or seen_at, seen_at)
        else:
            self.person_at = min(self.person_at or seen_at, seen_at)
