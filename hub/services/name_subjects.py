"""What those compared in an assessment are called."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from psycopg import Connection

from hub.domain.scores import Dimension
from hub.services.assess_period import Assessment
from hub.services.context import Hub
from hub.store import case_facts


def name_subjects(
    conn: Connection[Any], hub: Hub, by: Dimension, subjects: Collection[str]
) -> dict[str, tuple[str, str]]:
    """Subject -> its name in English and Chinese; one that nobody knows keeps its code."""
    named: dict[str, tuple[str, str]] = {}
    match by:
        case Dimension.AREA | Dimension.CELL:
            cells = hub.grid.cells
            named = {s: (cells[s].name_en, cells[s].name_zh) for s in subjects if s in cells}
        case Dimension.DEPARTMENT:
            named = case_facts.unit_names(conn, subjects)
        case Dimension.PERSON:
            named = {c: (n, n) for c, n in case_facts.person_names(conn, subjects).items()}
        case Dimension.DISTRICT | Dimension.POST:
            pass
    return {s: named.get(s, (s, s)) for s in subjects}


def names_in(
    conn: Connection[Any], hub: Hub, found: Assessment
) -> Mapping[Dimension, Mapping[str, tuple[str, str]]]:
    """What everybody compared in an assessment is called."""
    return {
        by: name_subjects(conn, hub, by, [s.subject for s in scores])
        for by, scores in found.scores.items()
    }
