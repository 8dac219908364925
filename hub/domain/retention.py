"""How long evidence is kept: by the category of its case, counted from the end of the case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

REJECTED = frozenset({"rejected", "lapsed", "voided"})  # what turned out to be no case


@dataclass(frozen=True, slots=True)
class Periods:
    """Days."""

    category: Mapping[str, int]  # of a case, from its end on
    rejected: int  # of what turned out to be no case
    loose: int  # of evidence that belongs to no case, from its arrival on
    partial: int  # of evidence that never arrived whole, from its last bytes on


@dataclass(frozen=True, slots=True)
class Case:
    """A grid event that the evidence belongs to."""

    category: str
    state: str
    ended_at: datetime | None


def kept_until(
    periods: Periods, last_at: datetime, complete: bool, cases: Sequence[Case]
) -> datetime | None:
    """When the evidence may go; None while a case of it is open.

    last_at: when its bytes last arrived. Of several cases the longest period counts.
    """
    if not complete:
        return last_at + timedelta(days=periods.partial)
    if not cases:
        return last_at + timedelta(days=periods.loose)
    ends = [_until(periods, case) for case in cases]
    return None if None in ends else max(end for end in ends if end is not None)


def _until(periods: Periods, case: Case) -> datetime | None:
    if case.ended_at is None:
        return None
    days = periods.rejected if case.state in REJECTED else periods.category[case.category]
    return case.ended_at + timedelta(days=days)
