"""The grid tree: district, secondary grids, basic grids; and which basic grid a point lies in.

Codes: 6 digits a district, 12 a secondary grid (district + street + community), 15 a basic grid
(+ sequence). A code begins with its parent's code, so the tree needs no further lookup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shapely import STRtree
from shapely.errors import ShapelyError
from shapely.geometry import Point as ShapelyPoint
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from contract.errors import GridwardenError
from contract.geometry import Point

DISTRICT, SECONDARY, BASIC = 6, 12, 15  # digits
_LEVELS = {BASIC: 1, SECONDARY: 2, DISTRICT: 3}
_CODE = re.compile(r"[0-9]{6}([0-9]{6}([0-9]{3})?)?")


class GridError(GridwardenError, ValueError):
    """A description of the grid makes no sense."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A district, secondary grid or basic grid."""

    code: str
    name_en: str
    name_zh: str
    polygon: BaseGeometry  # WGS 84; a Polygon or MultiPolygon

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.code):
            raise GridError(f"grid code {self.code!r} has not 6, 12 or 15 digits")
        if self.polygon.geom_type not in ("Polygon", "MultiPolygon") or not self.polygon.is_valid:
            raise GridError(
                f"cell {self.code} has no valid polygon ({self.polygon.geom_type}): correct its "
                "outline, which may cross itself"
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


class Grid:
    """The cells of a district, searchable by point. Thread-safe: never changed once built."""

    def __init__(self, cells: Iterable[Cell]) -> None:
        self.cells: Mapping[str, Cell] = {c.code: c for c in sorted(cells, key=lambda c: c.code)}
        self._basic = [c for c in self.cells.values() if c.level == 1]
        self._tree = STRtree([c.polygon for c in self._basic])

    def locate(self, point: Point) -> Cell | None:
        """The basic grid the point lies in, None outside the district.

        A point on a shared edge belongs to the cell with the lowest code.
        """
        found = self._tree.query(ShapelyPoint(point.lon, point.lat), predicate="intersects")
        return self._basic[min(found)] if len(found) else None

    def place(self, position: Point | None, code: str) -> Point | None:
        """The position, or where only a cell is known a point inside that."""
        cell = self.cells.get(code)
        if position is not None or cell is None:
            return position
        inside = cell.polygon.representative_point()
        return Point(float(inside.x), float(inside.y))

    def district_of(self, code: str) -> Cell | None:
        """The district a code belongs to."""
        return self.cells.get(code[:DISTRICT])


def cells_from_geojson(document: Any) -> list[Cell]:
    """The cells in a FeatureCollection whose features have `code`, `name_en` and `name_zh`.

    Raises GridError naming the feature at fault, and where a cell's parent is missing.
    """
    if not isinstance(document, dict) or not isinstance(document.get("features"), list):
        raise GridError("the grid must be a GeoJSON FeatureCollection")
    cells: dict[str, Cell] = {}
    for n, feature in enumerate(document["features"], 1):
        try:
            properties = feature["properties"]
            cell = Cell(
                str(properties["code"]),
                str(properties["name_en"]),
                str(properties["name_zh"]),
                shape(feature["geometry"]),
            )
        except (KeyError, TypeError, AttributeError) as e:
            raise GridError(
                f"feature {n} of the grid needs a geometry and the properties code, name_en, "
                f"name_zh: {e!r}"
            ) from None
        except (ShapelyError, ValueError, IndexError) as e:
            raise GridError(f"feature {n} of the grid: {e}") from None
        if cell.code in cells:
            raise GridError(f"feature {n} of the grid repeats the code {cell.code}")
        cells[cell.code] = cell
    for cell in cells.values():
        if cell.parent is not None and cell.parent not in cells:
            raise GridError(f"cell {cell.code} has no parent: add a feature {cell.parent}")
    return list(cells.values())
