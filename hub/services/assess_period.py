"""The assessment of a period: figures, latencies and scores, each with the events it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from psycopg import Connection

from contract.taxonomy import Category
from hub.domain.assess import LATENCIES, closing_rate, precision_by_stream
from hub.domain.case_facts import CaseFacts
from hub.domain.caseload import Caseload
from hub.domain.figures import Figure, Latency
from hub.domain.indicator_sets import AssessmentError, IndicatorSet, in_force
from hub.domain.period import NamedPeriod
from hub.domain.reach import EVERYWHERE, Within
from hub.domain.scores import Dimension, Score, scores_of
from hub.domain.tally import Tally
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
    reported: tuple[str, ...]
    categories: Mapping[Category, tuple[tuple[str, ...], Figure]]
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
    cases = [c for c in cases_of(conn, hub, period, question.as_of, told) if question.covers(c)]
    return assess(cases, question, hub.indicator_sets, keepers)


def assess(
    cases: Iterable[CaseFacts],
    question: Question,
    sets: tuple[IndicatorSet, ...],
    keepers: Mapping[str, frozenset[str]],
) -> Assessment:
    """The same, of cases that were read."""
    tally = Tally(list(cases), question.period.period, keepers)
    load, figures = tally.load, tally.figures()
    everything = load.all
    compared: dict[Dimension, tuple[Score, ...]] = {}
    version, why = "", ""
    try:
        weights = in_force(sets, question.period.first)
    except AssessmentError as e:
        why = str(e)
    else:
        version = weights.version
        compared = {by: scores_of(tally, weights, by) for by in question.by}
    return Assessment(
        question=question,
        cases=len(load.known),
        reported=tuple(c.number for c in load.reported),
        categories=_categories(load),
        figures=figures,
        latencies={name: formula(load) for name, formula in LATENCIES.items()},
        streams=precision_by_stream(load),
        exempt=tuple(c.number for c in everything if c.exempt),
        hung=tuple(c.number for c in everything if c.hung),
        version=version,
        scores=compared,
        without_scores=why,
    )


def _categories(load: Caseload) -> dict[Category, tuple[tuple[str, ...], Figure]]:
    reported: dict[Category, list[str]] = {}
    to_close: dict[Category, list[CaseFacts]] = {}
    for case in load.reported:
        reported.setdefault(case.category, []).append(case.number)
    for case in load.to_close:
        to_close.setdefault(case.category, []).append(case)
    return {
        c: (
            tuple(reported.get(c, ())),
            closing_rate(replace(load, to_close=tuple(to_close.get(c, ())))),
        )
        for c in Category
        if c in reported or c in to_close
    }
