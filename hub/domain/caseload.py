"""The cases of a period, sorted by what was to be done with them in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hub.domain.case_facts import CaseFacts
from hub.domain.period import Period
from hub.domain.stages import Stage

Cases = tuple[CaseFacts, ...]


@dataclass(frozen=True, slots=True)
class Caseload:
    """A case belongs to the period in which its deadline falls, for each stage by itself.

    recurred: numbers of closed events that a later one repeats. keepers: basic cell -> its grid
    assistants in the period; says what "found by others" means.
    """

    known: Cases  # came to the desk: suspected, reported, whatever became of it
    reported: Cases  # counts as reported, and was to be accepted
    to_dispatch: Cases
    to_dispose: Cases
    to_check: Cases
    to_close: Cases
    recurred: frozenset[str] = frozenset()
    keepers: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def all(self) -> Cases:
        """Every case that has something in the period, once."""
        parts = (self.known, self.to_dispatch, self.to_dispose, self.to_check, self.to_close)
        return tuple({c.number: c for part in parts for c in part}.values())


def caseload(
    cases: Iterable[CaseFacts], period: Period, keepers: Mapping[str, frozenset[str]] | None = None
) -> Caseload:
    """The caseload of a period out of the facts of any cases."""
    known, reported, recurred = [], [], set()
    filed: dict[Stage, list[CaseFacts]] = {stage: [] for stage in Stage}
    for case in cases:
        if case.recurrence_of:
            recurred.add(case.recurrence_of)
        accept = case.stages.get(Stage.ACCEPT)
        at = accept.belongs_at if accept is not None else case.known_at
        if at is not None and period.holds(at):
            known.append(case)
            if case.counts:
                reported.append(case)
        if not case.filed:
            continue
        for stage, fact in case.stages.items():
            if period.holds(fact.belongs_at):
                filed[stage].append(case)
    return Caseload(
        known=tuple(known),
        reported=tuple(reported),
        to_dispatch=tuple(filed[Stage.DISPATCH]),
        to_dispose=tuple(filed[Stage.DISPOSE]),
        to_check=tuple(filed[Stage.CHECK]),
        to_close=tuple(filed[Stage.TOTAL]),
        recurred=frozenset(recurred),
        keepers=keepers or {},
    )
