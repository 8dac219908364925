"""Scores: what an area, department, post or person gets by a set of weighted indicators.

Every mark carries its figure, and so the very events it comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter

from hub.domain.actor import Role
from hub.domain.assess import INDICATORS
from hub.domain.case_facts import Hand, Task
from hub.domain.caseload import Caseload
from hub.domain.figures import Figure
from hub.domain.indicator_sets import IndicatorSet, Weight
from hub.domain.tally import Shares, Tally, shares

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


def scores(load: Caseload, weights: IndicatorSet, dimension: Dimension) -> tuple[Score, ...]:
    """The scores of everybody in a dimension, the best first, those without points last."""
    work = _work(load, dimension)
    tallies = {id(shares): Tally(load, shares) for shares in work.values()}
    figures: dict[str, dict[str, Figure]] = {}
    for name, (indicator, task) in INDICATORS.items():
        if task in work:
            for subject, figure in tallies[id(work[task])].figures(indicator).items():
                figures.setdefault(subject, {})[name] = figure
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


def _work(load: Caseload, dimension: Dimension) -> Mapping[Task, Shares[str]]:
    """Whose work each case is, by task: places have all tasks, people those they did."""
    match dimension:
        case Dimension.DISTRICT:
            return dict.fromkeys(Task, shares(load.cells, lambda cell: ""))
        case Dimension.AREA:
            return dict.fromkeys(Task, shares(load.cells, _code_of(12)))
        case Dimension.CELL:
            return dict.fromkeys(Task, shares(load.cells, _code_of(15)))
        case Dimension.DEPARTMENT:
            return {Task.DISPOSE: shares(load.units, str)}
        case Dimension.POST:
            return _of_staff(load, attrgetter("role"))
        case Dimension.PERSON:
            return _of_staff(load, attrgetter("person"))


def _code_of(length: int) -> Callable[[str], str | None]:
    """The first `length` characters of a cell's code, where it has so many."""
    return lambda cell: cell[:length] if len(cell) >= length else None


def _of_staff(load: Caseload, subject: Callable[[Hand], str]) -> Mapping[Task, Shares[str]]:
    """What people of the district did; citizens, rules and devices are not scored."""

    def staff(hand: Hand) -> str | None:
        return subject(hand) if hand.role in STAFF else None

    return {task: shares(hands, staff) for task, hands in load.hands.items()}
