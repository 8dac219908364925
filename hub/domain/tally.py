"""How the cases of a period count for everybody who is compared, worked out once.

Whoever is compared has a share of the rows of a caseload. Their figures are cut out of columns, so
that a month is read once for a district with hundreds of cells and thousands of people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from contract.taxonomy import Category
from hub.domain.assess import Indicator, closing_rate, filing_rate, precision
from hub.domain.caseload import Caseload, Column
from hub.domain.course import Course
from hub.domain.figures import AMONG, LEFT_OUT, Figure, Numbers

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, slots=True, eq=False)
class Shares(Generic[S]):
    """Whose work is which row, subject by subject; a row may be several subjects'.

    of, rows: of each share the number of its subject and its row, ordered by both.
    """

    subjects: Sequence[S]
    of: NDArray[np.int32]
    rows: NDArray[np.int32]


def shares(column: Column[T], subject: Callable[[T], S | None]) -> Shares[S]:
    """The rows of a column by whose they are, as a row's value says; None: nobody's."""
    numbers: dict[S, int] = {}
    of_value = np.array(
        [
            -1 if whose is None else numbers.setdefault(whose, len(numbers))
            for whose in map(subject, column.values)
        ],
        np.int32,
    )
    of = of_value[column.codes]
    order = np.argsort(of, kind="stable")
    order = order[np.searchsorted(of[order], 0) :]
    return Shares(tuple(numbers), of[order], column.rows[order])


def whole_of(load: Caseload) -> Shares[str]:
    """All cases, under the subject ""."""
    return Shares(("",), np.zeros_like(load.cases), load.cases)


class Tally(Generic[S]):
    """What the cases of some subjects come to, indicator by indicator.

    Indicators mean the same cases again and again: what is listed once is not listed anew.
    """

    def __init__(self, load: Caseload, shares: Shares[S]) -> None:
        self._numbers = load.numbers
        self._shares = shares
        self._courses, self._course_of = _courses(load, shares)
        self._known: dict[bytes, list[Numbers]] = {}

    def figures(self, indicator: Indicator) -> dict[S, Figure]:
        """The indicator, subject by subject."""
        outcomes = np.fromiter(map(indicator, self._courses), np.int32, len(self._courses))
        left_out = outcomes == LEFT_OUT
        meant = np.where(left_out, 0, outcomes)
        parts = (meant % AMONG, meant // AMONG, left_out.astype(np.int32))
        figures = map(Figure, *map(self._listed, parts))
        return dict(zip(self._shares.subjects, figures, strict=True))

    def _listed(self, times: NDArray[np.int32]) -> list[Numbers]:
        """For each subject its cases, those of each course so many times."""
        key = times.tobytes()
        if key not in self._known:
            picked = np.repeat(np.arange(len(self._course_of)), times[self._course_of])
            rows = self._shares.rows[picked]
            everybody = np.arange(len(self._shares.subjects))
            ends = np.searchsorted(self._shares.of[picked], everybody, "right").tolist()
            self._known[key] = [Numbers(self._numbers, rows[a:b]) for a, b in pairwise([0, *ends])]
        return self._known[key]


def by_category(load: Caseload) -> dict[Category, tuple[Sequence[str], Figure]]:
    """What was reported of each, and its closing rate, where there is something in the period."""
    tally = Tally(load, shares(load.categories, Category))
    filed, closed = tally.figures(filing_rate), tally.figures(closing_rate)
    return {
        c: (filed[c].among, closed[c])  # filed or not: that is all that was reported
        for c in Category
        if c in filed and (filed[c].among or closed[c].among or closed[c].left_out)
    }


def precision_by_stream(load: Caseload) -> dict[str, Figure]:
    """`precision` of each stream that has a verdict."""
    found = Tally(load, shares(load.streams, str)).figures(precision)
    return {stream: found[stream] for stream in sorted(found) if found[stream].among}


def _courses(load: Caseload, shares: Shares[S]) -> tuple[Sequence[Course], NDArray[np.int32]]:
    """Every course, and which one each share has.

    A case recurred for those to whom the event that repeats it belongs as well.
    """
    course_of = load.course_of[shares.rows]
    again = {(of, load.repeats[row]) for _, of, row in _places(shares, list(load.repeats))}
    codes = {course: code for code, course in enumerate(load.courses)}
    for place, of, row in _places(shares, load.repeated):
        if (of, load.numbers[row]) in again:
            recurred = load.courses[course_of[place]]._replace(recurred=True)
            course_of[place] = codes.setdefault(recurred, len(codes))
    return tuple(codes), course_of


def _places(shares: Shares[S], rows: Sequence[int]) -> Iterable[tuple[int, int, int]]:
    """Where these rows are shared: the place, the subject's number, the row."""
    places = np.flatnonzero(np.isin(shares.rows, rows))
    found = (places, shares.of[places], shares.rows[places])
    return zip(*(part.tolist() for part in found), strict=True)
