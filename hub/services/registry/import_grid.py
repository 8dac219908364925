"""A grid is imported as a whole or not at all, with what it would change and whether it fits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor
from hub.domain.grid import DISTRICT, Cell
from hub.domain.grid_file import cells_from_geojson
from hub.domain.reach import check_cell
from hub.domain.topology import Fault, FaultKind, check
from hub.services.context import Hub
from hub.store.grid import load_cells, save_cells
from hub.store.standing import owned, standing


@dataclass(frozen=True, slots=True)
class GridChange:
    """What an import does to each cell, by code, and how the outcome fits together."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    ended: tuple[str, ...]
    unchanged: int
    faults: tuple[Fault, ...]
    valid_from: datetime
    done: bool  # False: a dry run


def import_grid(
    conn: Connection[Any],
    hub: Hub,
    document: Any,
    *,
    dry_run: bool,
    whole: bool = True,
    valid_from: datetime | None = None,
    actor: Actor | None = None,
) -> GridChange:
    """Take the cells of a GeoJSON FeatureCollection over.

    whole: cells of the same district that it does not name end. valid_from: when the outlines
    begin to hold; None: now. actor: whose cells alone it may touch; None: any.
    Once this is committed, every process of the hub takes it over.
    Raises GridError, InvalidError and ForbiddenError; then nothing was changed.
    """
    at = valid_from or hub.now()
    before = {c.code: c for c in load_cells(conn, hub.now()) if c.valid_to is None}
    cells = cells_from_geojson(document, known=() if whole else before)
    after = {c.code: c for c in cells}
    districts = {code[:DISTRICT] for code in after}
    kept = {
        code: cell
        for code, cell in before.items()
        if code not in after and not (whole and code[:DISTRICT] in districts)
    }
    known = {code: cell for code, cell in after.items() if code in before}
    changed = [code for code, cell in known.items() if _differs(cell, before[code])]
    new, ended = set(after) - set(before), set(before) - set(after) - set(kept)
    if actor is not None:
        for code in sorted({*new, *changed, *ended}):
            check_cell(actor, code, "what changes")
    if not dry_run:
        save_cells(conn, cells, at, whole=whole)
    return GridChange(
        new=tuple(sorted(new)),
        changed=tuple(sorted(changed)),
        ended=tuple(sorted(ended)),
        unchanged=len(known) - len(changed),
        faults=tuple(check_grid(conn, hub, [*after.values(), *kept.values()])),
        valid_from=at,
        done=not dry_run,
    )


def check_grid(conn: Connection[Any], hub: Hub, cells: Collection[Cell]) -> list[Fault]:
    """Gaps, overlaps, what sticks out, and cells that nobody owns."""
    now = hub.now()
    return check(cells, owned(standing(conn, now, hub.zone)))


def counts(faults: Collection[Fault]) -> dict[FaultKind, int]:
    """How many faults of each kind there are."""
    found: dict[FaultKind, int] = {}
    for fault in faults:
        found[fault.kind] = found.get(fault.kind, 0) + 1
    return found


def _differs(one: Cell, other: Cell) -> bool:
    return (one.name_en, one.name_zh, one.geojson) != (other.name_en, other.name_zh, other.geojson)
