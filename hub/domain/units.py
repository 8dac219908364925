"""How units belong to each other: each to one parent at most, and none to itself."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from hub.domain.errors import InvalidError


def parents_first(parents: Mapping[str, str | None]) -> list[str]:
    """The codes in an order in which each parent stands before its parts.

    parents: of each unit, by code. Raises InvalidError where some are parts of each other.
    """
    above = {code: [parent] if parent is not None else [] for code, parent in parents.items()}
    try:
        return [code for code in TopologicalSorter(above).static_order() if code in parents]
    except CycleError as e:
        ring = e.args[1]
        raise InvalidError(
            f"unit {ring[0]} would be a part of itself: {' > '.join(ring)}", field="parent"
        ) from None
