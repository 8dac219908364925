"""A grid as a GeoJSON file tells it, read with an error that names feature and property."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from shapely import force_2d
from shapely.errors import ShapelyError
from shapely.geometry import Polygon, shape
from shapely.geometry.base import BaseGeometry

from hub.domain.grid import Cell, GridError

MAX_CELLS = 20_000  # of one file: a large city has some 10,000
_PROPERTIES = ("code", "name_en", "name_zh")
_WGS_84 = ("crs84", "4326")  # how the old `crs` member names it


def cells_from_geojson(document: Any, known: Collection[str] = ()) -> list[Cell]:
    """The cells in a FeatureCollection whose features have `code`, `name_en` and `name_zh`.

    known: codes of cells that may be parents besides those in the file. A feature whose geometry is
    null is a cell that nobody surveyed yet. Raises GridError naming feature and property at fault,
    and where a cell's parent is missing.
    """
    if not isinstance(document, dict) or not isinstance(document.get("features"), list):
        raise GridError("the grid must be a GeoJSON FeatureCollection")
    _check_crs(document.get("crs"))
    features = document["features"]
    if len(features) > MAX_CELLS:
        raise GridError(f"{len(features)} features are more than one file may have ({MAX_CELLS})")
    cells: dict[str, Cell] = {}
    for n, feature in enumerate(features, 1):
        cell = _cell(n, feature)
        if cell.code in cells:
            raise GridError(f"feature {n} of the grid repeats the code {cell.code}")
        cells[cell.code] = cell
    for cell in cells.values():
        if cell.parent is not None and cell.parent not in cells and (cell.parent not in known):
            raise GridError(f"cell {cell.code} has no parent: add a feature {cell.parent}")
    return list(cells.values())


def _check_crs(crs: Any) -> None:
    if crs is not None and not any(name in str(crs).lower() for name in _WGS_84):
        raise GridError(
            f"the grid's `crs` is {crs!r:.120}: export it in WGS 84 (EPSG:4326), degrees"
        )


def _cell(n: int, feature: Any) -> Cell:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise GridError(f"entry {n} of the grid is no GeoJSON Feature")
    properties = feature.get("properties")
    if not isinstance(properties, dict):
        raise GridError(f"feature {n} of the grid has no `properties`")
    code, name_en, name_zh = (_property(n, properties, name) for name in _PROPERTIES)
    where = f"feature {n} of the grid ({code})"
    try:
        return Cell(code, name_en, name_zh, _polygon(where, feature.get("geometry")))
    except GridError as e:
        raise GridError(str(e) if str(e).startswith("feature") else f"{where}: {e}") from None


def _property(n: int, properties: Mapping[str, Any], name: str) -> str:
    value = properties.get(name)
    if isinstance(value, int) and not isinstance(value, bool):  # a code that a table made a number
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        told = "is missing" if value is None else f"is {value!r:.60}"
        raise GridError(f"feature {n} of the grid: property `{name}` {told}; it must be text")
    value = value.strip()
    if not value.isprintable() or len(value) > 200:  # half a surrogate, NUL, a line feed
        raise GridError(f"feature {n} of the grid: property `{name}` is no name: {value!r:.60}")
    return value


def _polygon(where: str, geometry: Any) -> BaseGeometry:
    if geometry is None:
        return Polygon()
    try:
        polygon = force_2d(shape(geometry))
        bounds = polygon.bounds
    except (ShapelyError, ValueError, TypeError, AttributeError, IndexError, KeyError) as e:
        raise GridError(f"{where}: `geometry` cannot be read: {e}") from None
    if polygon.is_empty:
        raise GridError(f"{where}: `geometry` is empty; null says that nobody surveyed it yet")
    west, south, east, north = bounds
    if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):  # NaN too
        raise GridError(
            f"{where}: `geometry` reaches from {west:g}, {south:g} to {east:g}, {north:g}, which "
            "are no degrees: export it in WGS 84 (EPSG:4326)"
        )
    return polygon
