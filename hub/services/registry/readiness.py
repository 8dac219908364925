"""Whether every cell has what it needs, and which categories nobody answers for."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from contract.taxonomy import Category
from hub.domain.readiness import Readiness, readiness
from hub.domain.responsibility import unassigned
from hub.services.context import Hub
from hub.store import units
from hub.store.standing import standing


def check_readiness(
    conn: Connection[Any], hub: Hub, cell: str = ""
) -> tuple[Readiness, dict[str, list[Category]]]:
    """What each cell lacks, and by cell the categories that no unit answers for.

    cell: a grid code or its beginning. The budget is that of the district's year.
    """
    now = hub.now()
    cells = [c for c in hub.grid.cells.values() if c.code.startswith(cell)]
    matrix = [r.assignment for r in units.matrix(conn, now)]
    basic = [c.code for c in cells if c.level == 1]
    return readiness(cells, standing(conn, now, hub.zone)), unassigned(matrix, basic, now)
