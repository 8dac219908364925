"""Scores: what an area, department, post or person gets by a set of weighted indicators.

Every mark carries its figure, and so the very events it comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter

from msgspec.structs import replace

from hub.domain.case_facts import CaseFacts, Hand, Task
from hub.domain.figures import Figure
from hub.domain.indicator_sets import IndicatorSet, Weight
from hub.domain.period import Period
from hub.domain.stages import Stage
from hub.domain.tally import Shares, Tally


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


def scores(
    cases: Iterable[CaseFacts],
    period: Period,
    weights: IndicatorSet,
    dimension: Dimension,
    keepers: Mapping[str, frozenset[str]] | None = None,
) -> tuple[Score, ...]:
    """The scores of everybody in a dimension, the best first, those without points last."""
    return scores_of(Tally(list(cases), period, keepers), weights, dimension)


def scores_of(tally: Tally, weights: IndicatorSet, dimension: Dimension) -> tuple[Score, ...]:
    """The same of cases that were tallied."""
    figures = tally.figures_of(_shares(tally, dimension))
    found = [_score(subject, theirs, weights) for subject, theirs in figures.items()]
    return tuple(sorted(found, key=_rank))


def _score(subject: str, figures: Mapping[str, Figure], weights: IndicatorSet) -> Score:
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


def _mark(weight: Weight, figure: Figure) -> Mark:
    value = figure.value
    mark = None if value is None else weight.mark(value)
    return Mark(weight.indicator, weight.weight, figure, mark)


def _rank(score: Score) -> tuple[float, str]:
    return (-score.points if score.points is not None else float("inf"), score.subject)


def _shares(tally: Tally, dimension: Dimension) -> Mapping[Task, Shares]:
    """Whose work each case is, by task: places have all tasks, people those they did."""
    match dimension:
        case Dimension.DISTRICT:
            return _of_places(tally, length=0)
        case Dimension.AREA:
            return _of_places(tally, length=12)
        case Dimension.CELL:
            return _of_places(tally, length=15)
        case Dimension.DEPARTMENT:
            return {Task.DISPOSE: _of_departments(tally)}
        case Dimension.POST:
            return _of_staff(tally, attrgetter("role"))
        case Dimension.PERSON:
            return _of_staff(tally, attrgetter("person"))


def _of_places(tally: Tally, length: int) -> Mapping[Task, Shares]:
    """Cases by the first `length` characters of their cell's code, where it has so many."""
    rows = [row for row, case in enumerate(tally.cases) if len(case.cell) >= length]
    shares = Shares.sorted((tally.cases[row].cell[:length] for row in rows), rows)
    return dict.fromkeys(Task, shares)


def _of_staff(tally: Tally, subject: Callable[[Hand], str]) -> Mapping[Task, Shares]:
    """What people of the district did; citizens, rules and devices are not scored."""
    return {
        task: Shares.sorted(map(subject, hands), rows)
        for task, (rows, hands) in tally.staff.items()
    }


def _of_departments(tally: Tally) -> Shares:
    """Each unit answers for its own dispatches, and the last one for the disposal as well."""
    subjects: list[str] = []
    rows: list[int] = []
    parts: list[CaseFacts] = []
    for row, case in enumerate(tally.cases):
        if len(case.dispatches) == 1 and case.dispatches[0].unit == case.unit:  # all is its own
            subjects.append(case.unit)
            rows.append(row)
            continue
        for unit in dict.fromkeys(d.unit for d in case.dispatches):
            subjects.append(unit)
            rows.append(tally.rows + len(parts))
            parts.append(_part(case, unit))
    tally.take_parts(parts)
    return Shares.sorted(subjects, rows)


def _part(case: CaseFacts, unit: str) -> CaseFacts:
    """What of a case was that unit's."""
    own = tuple(d for d in case.dispatches if d.unit == unit)
    if unit == case.unit:
        return replace(case, dispatches=own)
    dispatch = {s: f for s, f in case.stages.items() if s is Stage.DISPATCH}
    return replace(case, dispatches=own, stages=dispatch)
