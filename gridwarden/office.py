"""Grid, people and units in plain lines: what the commands of an office print and take."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import Connection

from contract.errors import GridwardenError
from contract.geometry import Point
from contract.taxonomy import Category
from gridwarden.received import myself
from hub.api.deps import reading
from hub.domain.actor import Actor, Role
from hub.domain.grid import GridError
from hub.domain.grid_file import cells_from_geojson
from hub.domain.readiness import Need
from hub.domain.topology import Fault, check
from hub.services.accounts import note
from hub.services.context import Hub
from hub.services.registry import staff
from hub.services.registry.import_grid import GridChange, check_grid, counts, import_grid
from hub.services.registry.office_tables import (
    Taken,
    take_budget,
    take_matrix,
    take_people,
    take_shifts,
    take_units,
)
from hub.services.registry.readiness import check_readiness
from hub.store import people, units
from hub.store.people import PeopleFilter

SHOWN = 20  # lines of a long list, unless all are asked for
EVERYBODY = 1_000_000

Lines = list[str]
Take = Callable[[Connection[Any], Hub, str, bytes], Taken]

TABLES: dict[str, Take] = {
    "units": lambda conn, _hub, name, content: take_units(conn, name, content),
    "matrix": take_matrix,
    "people": take_people,
    "shifts": take_shifts,
    "budget": take_budget,
}


class OfficeError(GridwardenError, ValueError):
    """A file of an office cannot be read."""


def take_table(hub: Hub, table: str, path: Path) -> Lines:
    """Take a table over, as a whole or not at all. Raises OfficeError and TableError."""
    try:
        content = path.read_bytes()
    except OSError as e:
        raise OfficeError(f"cannot read {path}: {e.strerror}") from None
    with hub.pool.connection() as conn:
        taken = TABLES[table](conn, hub, path.name, content)
        note(conn, hub, myself().name, f"import_{table}", path.name, str(taken))
    return [f"took {taken} from {path.name}"]


def take_grid(
    hub: Hub, path: Path, *, dry_run: bool, part: bool, valid_from: datetime | None
) -> Lines:
    """Import a grid, or say what importing it would do. Raises OfficeError and GridError."""
    zone = hub.zone
    if valid_from is not None and valid_from.tzinfo is None:
        valid_from = valid_from.replace(tzinfo=zone)
    with hub.pool.connection() as conn:
        change = import_grid(
            conn, hub, _json(path), dry_run=dry_run, whole=not part, valid_from=valid_from
        )
        if change.done:
            told = (
                f"{len(change.new)} new, {len(change.changed)} changed, {len(change.ended)} ended"
            )
            note(conn, hub, myself().name, "import_grid", path.name, told)
    return [*_change(change, zone), *fault_lines(change.faults)]


def check_file(path: Path) -> list[Fault]:
    """What is wrong with the cells of a file, whoever owns them. Raises OfficeError, GridError."""
    return check(cells_from_geojson(_json(path)), owned=None)


def check_hub(hub: Hub) -> list[Fault]:
    """What is wrong with the hub's grid."""
    with reading(hub) as conn:
        return check_grid(conn, hub, list(hub.grid.cells.values()))


def fault_lines(faults: Sequence[Fault], *, all: bool = False) -> Lines:
    """A topology report, its counts first."""
    if not faults:
        return ["the cells fit together: no gap, no overlap, nothing beyond its parent"]
    told = ", ".join(f"{n} {kind.replace('_', ' ')}" for kind, n in counts(faults).items())
    lines = [f"the report names {told}"]
    lines += [f"  {f.kind:<11}{' and '.join(f.cells)}: {f.detail}" for f in faults]
    return _cut(lines, all)


def faults_as_geojson(faults: Sequence[Fault]) -> dict[str, Any]:
    """A topology report for a map."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": f.geometry,
                "properties": {
                    "kind": f.kind,
                    "cells": list(f.cells),
                    "detail": f.detail,
                    "area_m2": f.area_m2,
                },
            }
            for f in faults
        ],
    }


def list_people(hub: Hub, wanted: PeopleFilter) -> Lines:
    """People with their posts."""
    with reading(hub) as conn:
        found = people.people(conn, wanted, "", EVERYBODY, hub.now())
        posts: dict[str, list[str]] = {p.code: [] for p in found}
        for p in people.posts_of(conn, list(posts)):
            posts[p.person].append(f"{p.role} {p.cell or p.unit or 'of the district'}")
    if not found:
        return ["nobody; import a table: gridwarden people import people.csv"]
    return [
        f"{p.code:<12}{p.name:<8}{', '.join(posts[p.code]) or 'no post'}"
        + (" (in training)" if p.in_training else "")
        + (f" (left {p.left_at:%Y-%m-%d})" if p.left_at else "")
        for p in found
    ]


def leave(hub: Hub, code: str) -> Lines:
    """Somebody works here no more. Raises NotFoundError."""
    with hub.pool.connection() as conn:
        person, posts = staff.leave(conn, hub, code, Actor(getpass.getuser(), Role.SUPERVISOR))
        note(conn, hub, myself().name, "leave", code)
    return [f"{person.code} {person.name} left; {len(posts)} posts are ended"]


def duty(hub: Hub, role: Role, cell: str | None, near: Point | None) -> Lines:
    """Who is on duty, the nearest first where a place is named."""
    with reading(hub) as conn:
        found = people.on_duty(conn, role, cell, hub.now(), near=near)
    return [f"{p.code:<12}{p.name:<8}{p.phone}" for p in found] or [
        f"no {role} is on duty for {cell or 'what lies outside the grid'}"
    ]


def list_units(hub: Hub, *, closed: bool) -> Lines:
    """Units, and what each answers for."""
    with reading(hub) as conn:
        found = units.units(conn, closed=closed)
        matrix = units.matrix(conn, hub.now())
    if not found:
        return ["no unit; import a table: gridwarden units import units.csv"]
    lines = []
    for u in found:
        n = sum(r.unit == u.code for r in matrix)
        state = f", closed {u.closed_at:%Y-%m-%d}" if u.closed_at else ""
        lines.append(f"{u.code:<16}{u.kind:<12}{u.name_zh}  {u.name_en}, {n} entries{state}")
    return lines


def who_answers(hub: Hub, category: Category, subcategory: str | None, cell: str | None) -> Lines:
    """The unit that answers for a category in a cell."""
    with reading(hub) as conn:
        unit = units.responsible_unit(conn, category, subcategory, cell, hub.now())
    if unit is None:
        return [f"nobody answers for {category} in {cell or 'no cell'}: add it to the matrix"]
    return [f"{unit.code}  {unit.name_zh}  {unit.name_en}  {unit.phone}".rstrip()]


def readiness_lines(hub: Hub, cell: str, need: Need | None, *, all: bool) -> tuple[Lines, bool]:
    """What each cell lacks, and whether all of them are ready."""
    with reading(hub) as conn:
        found, unassigned = check_readiness(conn, hub, cell)
    if not found.cells:
        return [f"there is no basic or secondary grid {cell}".rstrip()], False
    gaps = [g for g in found.gaps if need is None or g.need is need]
    lines = [f"{found.ready} of {found.cells} cells are ready"]
    lines += [f"  {g.cell:<16}{g.need.replace('_', ' '):<13}{g.detail}" for g in gaps]
    lines += [
        f"  {code:<16}{'unit':<13}nobody answers for {', '.join(missing)}"
        for code, missing in unassigned.items()
        if need is None
    ]
    return _cut(lines, all), len(lines) == 1


def _change(change: GridChange, zone: ZoneInfo) -> Lines:
    verb = "changed" if change.done else "would change"
    lines = [
        f"{verb}: {len(change.new)} new, {len(change.changed)} changed, {len(change.ended)} ended, "
        f"{change.unchanged} as they were; valid from {change.valid_from.astimezone(zone):%F %T%z}"
    ]
    for word, codes in (("new", change.new), ("changed", change.changed), ("ended", change.ended)):
        if codes and word != "new":
            more = f" and {len(codes) - SHOWN} more" if len(codes) > SHOWN else ""
            lines.append(f"  {word:<9}{', '.join(codes[:SHOWN])}{more}")
    return lines


def _cut(lines: Lines, all: bool) -> Lines:
    if all or len(lines) <= SHOWN + 1:
        return lines
    return [*lines[: SHOWN + 1], f"and {len(lines) - SHOWN - 1} more: --all"]


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as e:
        raise OfficeError(f"cannot read {path}: {e.strerror}") from None
    except (ValueError, RecursionError) as e:
        raise GridError(f"{path.name} is not JSON: {e}") from None
