"""The cases of a period in columns: what assessment counts, read once and kept small.

A month of a large district is hundreds of thousands of cases. Each is looked at as it comes and let
go of; what stays is its number, its course, and whose work it was.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from contract.taxonomy import Category
from hub.domain.assess import LATENCIES, Which
from hub.domain.case_facts import CaseFacts, Hand, Task
from hub.domain.course import Course, course_of
from hub.domain.figures import Latency, Numbers
from hub.domain.period import Period
from hub.domain.stages import Stage

MICROSECOND = timedelta(microseconds=1)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Column(Generic[T]):
    """What some rows have: rows[i], in order, has values[codes[i]]. Every value has a row."""

    values: Sequence[T]
    codes: NDArray[np.int32]
    rows: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Caseload:
    """Rows are the cases, each followed by its parts where units had no more than a part in it.

    cases: the rows that are cases. courses, course_of: each course once, and which one a row has.
    repeats: row -> number of the closed event that its case repeats. repeated: rows of those.
    """

    cases: NDArray[np.int32]
    numbers: NDArray[Any]  # of str
    courses: Sequence[Course]
    course_of: NDArray[np.int32]
    repeats: Mapping[int, str]
    repeated: Sequence[int]
    cells: Column[str]
    categories: Column[Category]
    streams: Column[str]
    units: Column[str]  # who answers for the row: of cases with one unit, and of parts
    hands: Mapping[Task, Column[Hand]]
    latencies: Mapping[str, Latency]

    def numbers_of(self, which: Which) -> Numbers:
        """The cases whose course is such."""
        such = np.fromiter(map(which, self.courses), bool, len(self.courses))
        return Numbers(self.numbers, self.cases[such[self.course_of[self.cases]]])


def caseload(
    cases: Iterable[CaseFacts], period: Period, keepers: Mapping[str, frozenset[str]] | None = None
) -> Caseload:
    """The caseload of a period out of the facts of any cases.

    keepers: basic cell -> its grid assistants in the period; says what "found by others" means.
    """
    read = _Reader(period, keepers or {})
    for case in cases:
        read.take(case)
    return read.caseload()


class _Codes(dict[T, int]):
    """Values numbered as they come."""

    def __missing__(self, value: T) -> int:
        code = self[value] = len(self)
        return code


class _Growing(Generic[T]):
    """A column as it grows."""

    def __init__(self) -> None:
        self._numbering = _Codes[T]()
        self._codes, self._rows = array("i"), array("i")

    def append(self, row: int, value: T) -> None:
        self._codes.append(self._numbering[value])
        self._rows.append(row)

    def column(self) -> Column[T]:
        return Column(tuple(self._numbering), _rows(self._codes), _rows(self._rows))


class _Spans:
    """How long something took, row by row."""

    def __init__(self, moments: Callable[[CaseFacts], tuple[Any, Any]]) -> None:
        self._moments = moments
        self._rows, self._us = array("i"), array("q")

    def append(self, row: int, case: CaseFacts) -> None:
        since, until = self._moments(case)
        if since is not None and until is not None:
            self._rows.append(row)
            self._us.append((until - since) // MICROSECOND)

    def latency(self, numbers: NDArray[Any]) -> Latency:
        return Latency(Numbers(numbers, _rows(self._rows)), np.array(self._us, np.int64))


class _Reader:
    """Takes in case after case."""

    def __init__(self, period: Period, keepers: Mapping[str, frozenset[str]]) -> None:
        self._period, self._keepers = period, keepers
        self._numbers: list[str] = []
        self._courses = _Codes[Course]()
        self._course_of = array("i")
        self._repeats: dict[int, str] = {}
        self._cells = _Growing[str]()
        self._categories = _Growing[Category]()
        self._streams = _Growing[str]()
        self._units = _Growing[str]()
        self._hands = {task: _Growing[Hand]() for task in Task}
        self._spans = {name: _Spans(span.moments) for name, span in LATENCIES.items()}
        self._spans_of: list[list[_Spans]] = []  # those that mean cases of each course

    def take(self, case: CaseFacts) -> None:
        """Add a case."""
        row, course = self._row(case)
        self._cells.append(row, case.cell)
        self._categories.append(row, case.category)
        self._streams.append(row, case.stream)
        for task, hand in case.hands.items():
            self._hands[task].append(row, hand)
        if len(case.dispatches) == 1 and case.dispatches[0].unit == case.unit:
            self._units.append(row, case.unit)
        else:
            for unit in dict.fromkeys(d.unit for d in case.dispatches):
                part, _ = self._row(_part(case, unit))
                self._units.append(part, unit)
        for spans in self._spans_of[course]:
            spans.append(row, case)

    def caseload(self) -> Caseload:
        """What was taken in."""
        numbers = np.array(self._numbers, object)
        cells = self._cells.column()
        again = set(self._repeats.values())
        return Caseload(
            cases=cells.rows,
            numbers=numbers,
            courses=tuple(self._courses),
            course_of=_rows(self._course_of),
            repeats=self._repeats,
            repeated=[row for row, n in enumerate(self._numbers) if n in again] if again else [],
            cells=cells,
            categories=self._categories.column(),
            streams=self._streams.column(),
            units=self._units.column(),
            hands={task: growing.column() for task, growing in self._hands.items()},
            latencies={name: spans.latency(numbers) for name, spans in self._spans.items()},
        )

    def _row(self, case: CaseFacts) -> tuple[int, int]:
        """Add a row; its place, and its course's."""
        row = len(self._numbers)
        self._numbers.append(case.number)
        course = course_of(case, self._period, self._keepers)
        code = self._courses[course]
        self._course_of.append(code)
        if code == len(self._spans_of):  # the first of this course
            self._spans_of.append(
                [self._spans[name] for name, span in LATENCIES.items() if span.meant(course)]
            )
        if case.recurrence_of:
            self._repeats[row] = case.recurrence_of
        return row, code


def _part(case: CaseFacts, unit: str) -> CaseFacts:
    """What of a case was that unit's: its own dispatches, and of the last one the disposal too."""
    own = tuple(d for d in case.dispatches if d.unit == unit)
    if unit == case.unit:
        return replace(case, dispatches=own)
    dispatch = {s: f for s, f in case.stages.items() if s is Stage.DISPATCH}
    return replace(case, dispatches=own, stages=dispatch)


def _rows(numbers: array[int] | NDArray[Any]) -> NDArray[np.int32]:
    return np.array(numbers, np.int32)
