"""How a case went in a period: all that the indicators ask of it.

Cases of one course count alike, so an indicator is worked out once for each course; a month of a
large district has some hundreds of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from hub.domain.actor import Role
from hub.domain.case_facts import CaseFacts, StageFact, Task
from hub.domain.period import Period
from hub.domain.stages import Stage


class Went(IntEnum):
    """How the last run of a stage went, where it belongs to the period."""

    ELSEWHERE = 0  # it belongs to another, or there was none
    OPEN = 1
    LATE = 2
    IN_TIME = 3


class Course(NamedTuple):
    """A case belongs to the period in which its deadline falls, for each stage by itself."""

    known: bool  # came to the desk: suspected, reported, whatever became of it
    reported: bool  # of those: counts as reported, and was to be accepted
    filed: bool
    accept: Went
    dispatch: Went  # this and what follows: of filed cases
    dispose: Went
    check: Went
    close: Went
    finder: Role | None
    missed: bool  # found by others than the assistant of its cell
    dispatches: int
    returned: int  # of its dispatches
    disposals: int
    failed_checks: int
    extended: bool
    closed: bool
    came_back: bool  # itself, after closing
    recurred: bool  # as another event of the same caseload
    satisfied: bool | None
    level: int
    hung: bool
    exempt: bool
    verdict: str
    lapsed: bool


def course_of(case: CaseFacts, period: Period, keepers: Mapping[str, frozenset[str]]) -> Course:
    """The course of a case, by itself: whether it recurred is seen among others.

    keepers: basic cell -> its grid assistants in the period.
    """
    accept = case.stages.get(Stage.ACCEPT)
    at = case.known_at if accept is None else accept.belongs_at
    known = at is not None and period.holds(at)
    filed = case.filed
    stages = case.stages if filed else {}
    find = case.hands.get(Task.FIND)
    theirs = keepers.get(case.cell)
    if find is None or theirs is None:  # where nobody is named, any assistant
        missed = find is None or find.role is not Role.ASSISTANT
    else:
        missed = find.person not in theirs
    return Course(
        known,
        known and case.counts,
        filed,
        _went(accept, period),
        _went(stages.get(Stage.DISPATCH), period),
        _went(stages.get(Stage.DISPOSE), period),
        _went(stages.get(Stage.CHECK), period),
        _went(stages.get(Stage.TOTAL), period),
        None if find is None else find.role,
        missed,
        len(case.dispatches),
        sum(d.returned for d in case.dispatches),
        case.disposals,
        case.failed_checks,
        case.extensions > 0,
        case.closed_at is not None,
        case.returns > 0,
        False,
        case.satisfied,
        case.level,
        case.hung,
        case.exempt,
        case.verdict,
        case.state == "lapsed",
    )


def _went(fact: StageFact | None, period: Period) -> Went:
    if fact is None or not period.holds(fact.belongs_at):
        return Went.ELSEWHERE
    if fact.done_at is None:
        return Went.OPEN
    return Went.IN_TIME if fact.in_time else Went.LATE
