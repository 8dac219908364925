"""How every case of a period counts for every indicator, worked out once.

Whoever is compared has a part of these cases. Their figures are cut out of columns, one row a case,
so that a month is read once for a district with hundreds of cells and thousands of people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hub.domain.actor import Role
from hub.domain.assess import INDICATORS, Indicator
from hub.domain.case_facts import CaseFacts, Hand, Task
from hub.domain.caseload import Caseload, caseload
from hub.domain.figures import AMONG, COUNTED, LEFT_OUT, Figure
from hub.domain.period import Period

RECURRENCE = "recurrence_rate"  # depends on what else is the subject's
STAFF = frozenset(Role) - {Role.DEVICE, Role.RULE, Role.CITIZEN, Role.MONITOR}


@dataclass(frozen=True, slots=True)
class Shares:
    """Whose work is which row, subject by subject; a row may be several subjects'.

    of, rows: of each share the number of its subject and its row, ordered by both.
    """

    subjects: Sequence[str]
    of: NDArray[np.intp]
    rows: NDArray[np.intp]

    @classmethod
    def sorted(cls, subjects: Iterable[str], rows: Sequence[int]) -> Shares:
        """Of subjects and rows that belong together, in any order of the subjects."""
        numbers: dict[str, int] = {}
        of = np.array([numbers.setdefault(s, len(numbers)) for s in subjects], np.intp)
        order = np.argsort(of, kind="stable")
        return cls(tuple(numbers), of[order], np.array(rows, np.intp)[order])


class Tally:
    """The cases of a period, and what each is to the indicators."""

    def __init__(
        self,
        cases: Sequence[CaseFacts],
        period: Period,
        keepers: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self.period = period
        self.load = caseload(cases, period, keepers)
        self.cases = cases
        self._rows: list[CaseFacts] = []  # the cases, then parts of them
        self._numbers: NDArray[Any] = np.empty(0, object)
        self._repeats = np.empty(0, bool)  # rows that name the closed event they repeat
        self._repeated = np.empty(0, bool)  # rows that came back as another event alone
        self._outcomes: dict[str, NDArray[np.int32]] = {
            name: np.empty(0, np.int32) for name in INDICATORS
        }
        self._judge(cases, self.load)

    @cached_property
    def staff(self) -> Mapping[Task, tuple[Sequence[int], Sequence[Hand]]]:
        """Rows of cases for which people of the district did a task, and who did it."""
        found: dict[Task, tuple[list[int], list[Hand]]] = {task: ([], []) for task in Task}
        for row, case in enumerate(self.cases):
            for task, hand in case.hands.items():
                if hand.role in STAFF:
                    rows, hands = found[task]
                    rows.append(row)
                    hands.append(hand)
        return found

    @property
    def rows(self) -> int:
        """How many there are: the next part has this number."""
        return len(self._rows)

    def take_parts(self, parts: Sequence[CaseFacts]) -> None:
        """Add rows for parts of cases, for those who answer for no more than that."""
        load = caseload(parts, self.period, self.load.keepers)
        self._judge(parts, replace(load, recurred=self.load.recurred))

    def figures(self) -> dict[str, Figure]:
        """Every indicator of all cases."""
        rows = np.arange(len(self.cases))
        everybody = _Cut(self._numbers, Shares(("",), np.zeros_like(rows), rows))
        return {name: everybody.figures(self._of(name, everybody.shares))[0] for name in INDICATORS}

    def figures_of(self, shares: Mapping[Task, Shares]) -> dict[str, dict[str, Figure]]:
        """By subject, the indicators of the tasks they have a share of."""
        found: dict[str, dict[str, Figure]] = {}
        cuts = {id(s): _Cut(self._numbers, s) for s in shares.values()}
        for name, (_, task) in INDICATORS.items():
            if task in shares:
                figures = cuts[id(shares[task])].figures(self._of(name, shares[task]))
                for subject, figure in zip(shares[task].subjects, figures, strict=True):
                    found.setdefault(subject, {})[name] = figure
        return found

    def _judge(self, cases: Sequence[CaseFacts], load: Caseload) -> None:
        """Add rows of these cases."""
        self._rows += cases
        row_of = {id(case): row for row, case in enumerate(cases)}
        rows_of: dict[str, NDArray[np.intp]] = {}
        for name, (indicator, _) in INDICATORS.items():
            meant = indicator.cases(load)
            if indicator.among not in rows_of:
                rows_of[indicator.among] = np.fromiter(
                    (row_of[id(case)] for case in meant), np.intp, len(meant)
                )
            outcomes = np.zeros(len(cases), np.int32)
            outcomes[rows_of[indicator.among]] = _outcomes(indicator, meant, load)
            self._outcomes[name] = np.concatenate([self._outcomes[name], outcomes])
        numbers = np.empty(len(cases), object)
        numbers[:] = [case.number for case in cases]
        self._numbers = np.concatenate([self._numbers, numbers])
        again = [bool(case.recurrence_of) for case in cases]
        self._repeats = np.concatenate([self._repeats, np.array(again, bool)])
        gone = [case.number in load.recurred and not case.returns for case in cases]
        self._repeated = np.concatenate([self._repeated, np.array(gone, bool)])

    def _of(self, name: str, shares: Shares) -> NDArray[np.int32]:
        """How each share counts for an indicator."""
        outcomes = self._outcomes[name][shares.rows]
        return self._recurred_here(outcomes, shares) if name == RECURRENCE else outcomes

    def _recurred_here(self, outcomes: NDArray[np.int32], shares: Shares) -> NDArray[np.int32]:
        """A case came back to whom the event that repeats it belongs as well."""
        again = np.flatnonzero(self._repeats[shares.rows])
        here = {
            (of, self._rows[row].recurrence_of)
            for of, row in zip(shares.of[again], shares.rows[again], strict=True)
        }
        outcomes = outcomes.copy()
        for i in np.flatnonzero(self._repeated[shares.rows] & (outcomes == COUNTED)):
            if (shares.of[i], self._numbers[shares.rows[i]]) not in here:
                outcomes[i] = AMONG
        return outcomes


class _Cut:
    """Figures of the subjects of some shares.

    Indicators mean the same cases again and again: what is listed once is not listed anew.
    """

    def __init__(self, numbers: NDArray[Any], shares: Shares) -> None:
        self.shares = shares
        self._numbers = numbers[shares.rows]
        self._known: dict[bytes, list[tuple[str, ...]]] = {}

    def figures(self, outcomes: NDArray[np.int32]) -> list[Figure]:
        """An indicator subject by subject."""
        left_out = outcomes == LEFT_OUT
        meant = np.where(left_out, 0, outcomes)
        among, counted = self._listed(meant // AMONG), self._listed(meant % AMONG)
        rest = self._listed(left_out.astype(np.int32))
        return [Figure(*three) for three in zip(counted, among, rest, strict=True)]

    def _listed(self, times: NDArray[np.int32]) -> list[tuple[str, ...]]:
        """For each subject its cases' numbers, each so many times."""
        key = times.tobytes()
        if key not in self._known:
            picked = np.repeat(np.arange(len(times)), times)
            numbers = self._numbers[picked].tolist()
            everybody = np.arange(len(self.shares.subjects))
            ends = np.searchsorted(self.shares.of[picked], everybody, "right").tolist()
            self._known[key] = [tuple(numbers[a:b]) for a, b in pairwise([0, *ends])]
        return self._known[key]


def _outcomes(
    indicator: Indicator, cases: Sequence[CaseFacts], load: Caseload
) -> NDArray[np.int32]:
    return np.fromiter(map(indicator.outcome, cases, repeat(load)), np.int32, len(cases))
