"""The responsibility matrix: category x cell -> unit, the most specific assignment wins."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from contract.taxonomy import Category
from hub.domain.people import covers


@dataclass(frozen=True, slots=True)
class Assignment:
    """A unit answers for a category in a cell and everything below it."""

    category: Category
    subcategory: str | None  # None: every one of the category
    cell: str
    unit: str
    from_at: datetime
    to_at: datetime | None  # not included; None: for the time being


def most_specific(
    assignments: Iterable[Assignment],
    category: Category,
    subcategory: str | None,
    cell: str | None,
    at: datetime,
) -> Assignment | None:
    """The assignment that holds there and then: the most specific cell, then sub-category, wins.

    cell None is a place outside every cell: what holds for a whole district holds there.
    """
    fitting = (
        a
        for a in assignments
        if a.category is category
        and a.subcategory in (None, subcategory)
        and covers(a.cell, cell)
        and a.from_at <= at
        and (a.to_at is None or at < a.to_at)
    )
    return max(
        fitting, key=lambda a: (len(a.cell), a.subcategory is not None, a.from_at), default=None
    )


def unassigned(
    assignments: Collection[Assignment], cells: Iterable[str], at: datetime
) -> dict[str, list[Category]]:
    """By cell the categories that no unit answers for there; cells without such are left out."""
    found = {}
    for cell in cells:
        missing = [c for c in Category if most_specific(assignments, c, None, cell, at) is None]
        if missing:
            found[cell] = missing
    return found
