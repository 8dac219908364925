"""Scores: what an area, department, post or person gets by a set of weighted indicators.

Every mark carries its figure, and so the very events it comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from msgspec.structs import replace

from hub.domain.actor import Role
from hub.domain.assess import INDICATORS
from hub.domain.case_facts import CaseFacts, Hand, StageFact, Task
from hub.domain.caseload import Caseload, caseload
from hub.domain.figures import Figure
from hub.domain.indicator_sets import IndicatorSet, Weight
from hub.domain.period import Period
from hub.domain.stages import Stage

STAFF = frozenset(Role) - {Role.DEVICE, Role.RULE, Role.CITIZEN, Role.MONITOR}


class Dimension(StrEnum):
    """Whose work is compared."""

    DISTRICT = "district"  # all of it, under the subject ""
    AREA = "area"  # secondary grid
    CELL = "cell"  # basic grid
    DEPARTMENT = "department"
    POST = "post"  # role
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Mark:
    """What one indicator gave. mark 0..100, None where there was nothing to judge."""

    indicator: str
    weight: float
    figure: Figure
    mark: float | None


@dataclass(frozen=True, slots=True)
class Extra:
    """Points beside the marks: a reward, or a penalty below 0."""

    name: str
    figure: Figure
    points: float


@dataclass(frozen=True, slots=True)
class Score:
    """What an area, department, post or person gets for a period.

    points: the weighted mean of the marks there are, 0..100, plus the extras, never below 0; None
    where nothing could be judged.
    """

    subject: str
    version: str  # of the set
    marks: tuple[Mark, ...]
    extras: tuple[Extra, ...]
    figures: Mapping[str, Figure]  # every indicator it is judged by, weighed or not

    @property
    def points(self) -> float | None:
        """The score."""
        marks = [(m.weight, m.mark) for m in self.marks if m.mark is not None]
        if not marks:
            return None
        mean = sum(w * m for w, m in marks) / sum(w for w, _ in marks)
        return max(0.0, mean + sum(e.points for e in self.extras))


def score(subject: str, loads: Mapping[Task, Caseload], weights: IndicatorSet) -> Score:
    """The score of a subject by its caseload for each task it is judged by."""
    figures = {
        name: formula(loads[task]) for name, (formula, task) in INDICATORS.items() if task in loads
    }
    return Score(
        subject=subject,
        version=weights.version,
        marks=tuple(
            _mark(w, figures[w.indicator]) for w in weights.indicator if w.indicator in figures
        ),
        extras=tuple(
            Extra(a.name, figures[a.indicator], a.total(figures[a.indicator]))
            for a in weights.adjustment
            if a.indicator in figures
        ),
        figures=figures,
    )


def scores(
    cases: Iterable[CaseFacts],
    period: Period,
    weights: IndicatorSet,
    dimension: Dimension,
    keepers: Mapping[str, frozenset[str]] | None = None,
) -> tuple[Score, ...]:
    """The scores of everybody in a dimension, the best first, those without points last."""
    shares: dict[str, dict[Task, list[CaseFacts]]] = {}
    for case in cases:
        for subject, task, part in _shares(case, dimension):
            shares.setdefault(subject, {}).setdefault(task, []).append(part)
    result = [
        score(
            subject,
            {task: caseload(part, period, keepers) for task, part in by_task.items()},
            weights,
        )
        for subject, by_task in shares.items()
    ]
    return tuple(sorted(result, key=_rank))


def _mark(weight: Weight, figure: Figure) -> Mark:
    value = figure.value
    mark = None if value is None else weight.mark(value)
    return Mark(weight.indicator, weight.weight, figure, mark)


def _rank(score: Score) -> tuple[float, str]:
    return (-score.points if score.points is not None else float("inf"), score.subject)


def _shares(case: CaseFacts, dimension: Dimension) -> Iterable[tuple[str, Task, CaseFacts]]:
    """Whose work a case is, by task: places have all tasks, people those they did."""
    match dimension:
        case Dimension.DISTRICT:
            return [("", task, case) for task in Task]
        case Dimension.AREA:
            return [(case.cell[:12], task, case) for task in Task if len(case.cell) >= 12]
        case Dimension.CELL:
            return [(case.cell, task, case) for task in Task if len(case.cell) == 15]
        case Dimension.DEPARTMENT:
            return _departments(case)
        case Dimension.POST:
            return [(hand.role, task, case) for task, hand in _staff(case)]
        case Dimension.PERSON:
            return [(hand.person, task, case) for task, hand in _staff(case)]


def _staff(case: CaseFacts) -> Iterable[tuple[Task, Hand]]:
    """What people of the district did for it; citizens, rules and devices are not scored."""
    return [(task, hand) for task, hand in case.hands.items() if hand.role in STAFF]


def _departments(case: CaseFacts) -> Iterable[tuple[str, Task, CaseFacts]]:
    """Each unit answers for its own dispatches, and the last one for the disposal as well."""
    dispatch_only: Mapping[Stage, StageFact] = {
        s: f for s, f in case.stages.items() if s is Stage.DISPATCH
    }
    for unit in dict.fromkeys(d.unit for d in case.dispatches):
        own = tuple(d for d in case.dispatches if d.unit == unit)
        stages = case.stages if unit == case.unit else dispatch_only
        yield unit, Task.DISPOSE, replace(case, dispatches=own, stages=stages)
