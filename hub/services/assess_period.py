"""The assessment of a period: figures, latencies and scores, each with the events it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from operator import attrgetter
from typing import Any

from psycopg import Connection

from contract.taxonomy import Category
from hub.domain.assess import INDICATORS, TO_DO, Which, known, reported
from hub.domain.case_facts import CaseFacts
from hub.domain.caseload import Caseload, caseload
from hub.domain.figures import Figure, Latency
from hub.domain.indicator_sets import AssessmentError, IndicatorSet, in_force
from hub.domain.period import NamedPeriod
from hub.domain.reach import EVERYWHERE, Within
from hub.domain.scores import Dimension, Score, scores
from hub.domain.tally import Tally, by_category, precision_by_stream, whole_of
from hub.services.context import Hub
from hub.services.count_cases import cases_of
from hub.store import case_facts

Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be assessed: which cases, as they stood when, who is compared.

    cell: code of a cell with all below it, "": the district. within: what the asker may see.
    """

    period: NamedPeriod
    as_of: datetime
    by: tuple[Dimension, ...] = (Dimension.DISTRICT,)
    cell: str = ""
    within: Within = EVERYWHERE

    @property
    def covers_all(self) -> bool:
        """Whether it is about every case there is."""
        return not self.cell and self.within == EVERYWHERE

    def covers(self, case: CaseFacts) -> bool:
        """Whether a case is one of those asked about."""
        if not case.cell.startswith(self.cell):
            return False
        cells, unit = self.within.cells, self.within.unit
        if cells is not None and not case.cell.startswith(tuple(cells)):
            return False
        return unit is None or any(d.unit == unit for d in case.dispatches)


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a period comes to.

    scores: of everybody in the dimensions asked for, the best first. without_scores: why there are
    none, where no set of indicators was in force. categories: what was reported, and the closing
    rate, of each.
    """

    question: Question
    cases: int  # that came to the desk in the period
    reported: Sequence[str]
    categories: Mapping[Category, tuple[Sequence[str], Figure]]
    figures: Mapping[str, Figure]
    latencies: Mapping[str, Latency]
    streams: Mapping[str, Figure]  # precision of each, by "agent/stream"
    exempt: tuple[str, ...]  # left out of what judges work: their appeals were granted
    hung: tuple[str, ...]  # left out of disposal and closing
    version: str  # of the set of indicators
    scores: Mapping[Dimension, tuple[Score, ...]]
    without_scores: str = ""

    def score_of(self, by: Dimension, subject: str) -> Score | None:
        """The score of one of those compared."""
        return next((s for s in self.scores.get(by, ()) if s.subject == subject), None)


def assess_period(
    conn: Connection[Any], hub: Hub, question: Question, told: Told = lambda n: None
) -> Assessment:
    """The answer to the question, from histories alone; told: hears how many cases were read."""
    period = question.period.period
    keepers = case_facts.keepers(conn, period.since, period.until)
    cases: Iterable[CaseFacts] = cases_of(conn, hub, period, question.as_of, told)
    if not question.covers_all:
        cases = filter(question.covers, cases)
    return assess(caseload(cases, period, keepers), question, hub.indicator_sets)


def assess(load: Caseload, question: Question, sets: tuple[IndicatorSet, ...]) -> Assessment:
    """The same, of the cases that were read."""
    compared: dict[Dimension, tuple[Score, ...]] = {}
    version, why = "", ""
    try:
        weights = in_force(sets, question.period.first)
    except AssessmentError as e:
        why = str(e)
    else:
        version = weights.version
        compared = {by: scores(load, weights, by) for by in question.by}
    district = Tally(load, whole_of(load))
    return Assessment(
        question=question,
        cases=len(load.numbers_of(known)),
        reported=load.numbers_of(reported),
        categories=by_category(load),
        figures={name: district.figures(of)[""] for name, (of, _) in INDICATORS.items()},
        latencies=load.latencies,
        streams=precision_by_stream(load),
        exempt=_listed(load, attrgetter("exempt")),
        hung=_listed(load, attrgetter("hung")),
        version=version,
        scores=compared,
        without_scores=why,
    )


def _listed(load: Caseload, which: Which) -> tuple[str, ...]:
    """Such cases that have something in the period, once, by what was to be done with them."""

    def such(to_do: Which) -> Which:
        return lambda course: which(course) and to_do(course)

    lists = (load.numbers_of(such(to_do)) for to_do in TO_DO)
    return tuple(dict.fromkeys(chain.from_iterable(lists)))
