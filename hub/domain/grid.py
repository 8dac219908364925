"""The grid tree: district, secondary grids, basic grids; and which basic grid a point lies in.

Codes: 6 digits a district, 12 a secondary grid (district + street + community), 15 a basic grid
(+ sequence). A code begins with its parent's code, so the tree needs no further lookup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shapely import STRtree
from shapely.geometry import Point as ShapelyPoint
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from contract.errors import GridwardenError
from contract.geometry import Point

DISTRICT, SECONDARY, BASIC = 6, 12, 15  # digits
_LEVELS = {BASIC: 1, SECONDARY: 2, DISTRICT: 3}
_CODE = re.compile(r"[0-9]{6}([0-9]{6}([0-9]{3})?)?")


class GridError(GridwardenError, ValueError):
    """A description of the grid makes no sense."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A district, secondary grid or basic grid, with the outline it has or had for a time."""

    code: str
    name_en: str
    name_zh: str
    polygon: BaseGeometry  # WGS 84; a Polygon or MultiPolygon, empty where nobody surveyed it yet
    valid_from: datetime | None = None  # None: since ever
    valid_to: datetime | None = None  # not included; None: in force

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.code):
            raise GridError(f"grid code {self.code!r} has not 6, 12 or 15 digits")
        if self.polygon.geom_type not in ("Polygon", "MultiPolygon"):
            raise GridError(
                f"cell {self.code} has a {self.polygon.geom_type} for a polygon: give it a Polygon "
                "or MultiPolygon"
            )
        if not self.polygon.is_valid:
            raise GridError(
                f"cell {self.code} has no valid polygon ({explain_validity(self.polygon)}): "
                "correct its outline there"
            )

    @property
    def level(self) -> int:
        """1 basic, 2 secondary, 3 district."""
        return _LEVELS[len(self.code)]

    @property
    def parent(self) -> str | None:
        """Code of the cell this one is part of, None for a district."""
        return {BASIC: self.code[:SECONDARY], SECONDARY: self.code[:DISTRICT]}.get(len(self.code))

    @property
    def geojson(self) -> dict[str, Any]:
        """The polygon as a GeoJSON geometry."""
        return dict(mapping(self.polygon))

    def held_at(self, at: datetime) -> bool:
        """Whether this was the cell's outline then."""
        return (self.valid_from is None or self.valid_from <= at) and (
            self.valid_to is None or at < self.valid_to
        )


@dataclass(frozen=True, slots=True)
class _InForce:
    """What a grid knows, never changed once built."""

    cells: Mapping[str, Cell]  # those in force, by code
    outlines: tuple[Cell, ...]  # every outline a cell has or had, by code, the one in force first
    basic: tuple[Cell, ...]  # those of basic grids
    tree: STRtree  # over `basic`
    around: dict[str, frozenset[str]]  # by code, the neighbours that were asked for


class Grid:
    """The cells of a district, searchable by point, as they are now and as they were.

    Thread-safe: `take` swaps what is in force as a whole.
    """

    def __init__(self, cells: Iterable[Cell]) -> None:
        self._now = _built(cells)

    def take(self, cells: Iterable[Cell]) -> None:
        """These are the cells from now on, with the outlines they had."""
        self._now = _built(cells)

    @property
    def cells(self) -> Mapping[str, Cell]:
        """The cells in force, by code."""
        return self._now.cells

    def as_of(self, at: datetime | None) -> list[Cell]:
        """The cells with the outlines they had then, by code; None: those in force."""
        if at is None:
            return list(self.cells.values())
        return [c for c in self._now.outlines if c.held_at(at)]

    def locate(self, point: Point, at: datetime | None = None) -> Cell | None:
        """The basic grid the point lies in, None outside the district.

        at: as the outlines were then; None: as they are. A point on a shared edge belongs to the
        cell with the lowest code.
        """
        now = self._now
        found = now.tree.query(ShapelyPoint(point.lon, point.lat), predicate="intersects")
        for i in sorted(found):
            cell: Cell = now.basic[i]
            if cell.valid_to is None if at is None else cell.held_at(at):
                return cell
        return None

    def place(self, position: Point | None, code: str) -> Point | None:
        """The position, or where only a cell is known a point inside that."""
        cell = self.cells.get(code)
        if position is not None or cell is None or cell.polygon.is_empty:
            return position
        inside = cell.polygon.representative_point()
        return Point(float(inside.x), float(inside.y))

    def around(self, code: str) -> frozenset[str]:
        """A basic grid and those that touch it; a corner counts. Alone where it is not known."""
        now = self._now
        found = now.around.get(code)
        if found is None:
            found = frozenset({code})
            if (cell := now.cells.get(code)) is not None:
                touching = now.tree.query(cell.polygon, "intersects")
                found |= {now.basic[i].code for i in touching if now.basic[i].valid_to is None}
            now.around[code] = found  # computed twice at worst, to the same end
        return found

    def district_of(self, code: str) -> Cell | None:
        """The district a code belongs to."""
        return self.cells.get(code[:DISTRICT])


def _built(cells: Iterable[Cell]) -> _InForce:
    ordered = tuple(sorted(cells, key=lambda c: (c.code, c.valid_to is not None)))
    basic = tuple(c for c in ordered if c.level == 1)
    return _InForce(
        {c.code: c for c in ordered if c.valid_to is None},
        ordered,
        basic,
        STRtree([c.polygon for c in basic]),
        {},
    )
