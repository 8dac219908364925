"""Whether the cells of a grid fit together: gaps, overlaps, what sticks out, cells nobody owns."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shapely import STRtree, unary_union
from shapely.affinity import scale
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from contract.geometry import EARTH_RADIUS_M
from hub.domain.grid import Cell

MIN_AREA_M2 = 10.0  # less is rounding: 1 cm along 1 km of edge
_LEVEL_NAMES = {1: "basic", 2: "secondary", 3: "district"}


class FaultKind(StrEnum):
    """What can be wrong with a cell's outline or standing."""

    GAP = "gap"  # part of a cell that none of its parts covers
    OVERLAP = "overlap"  # ground that two cells of one level claim
    OUTSIDE = "outside"  # part of a cell beyond the cell it belongs to
    NO_POLYGON = "no_polygon"  # nobody surveyed it yet
    NO_PARTS = "no_parts"  # a district or secondary grid with nothing in it
    NO_OWNER = "no_owner"  # a basic grid without assistant, a secondary grid without leader


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, where, and how large."""

    kind: FaultKind
    cells: tuple[str, ...]
    detail: str
    area_m2: float = 0.0
    geometry: dict[str, Any] | None = None  # GeoJSON: where


def check(
    cells: Collection[Cell], owned: Collection[str] | None, min_area_m2: float = MIN_AREA_M2
) -> list[Fault]:
    """What is wrong with these cells, by kind and code; empty where they fit.

    owned: codes of basic grids with an assistant and secondary grids with a leader; None: not
    looked at. min_area_m2: a smaller gap or overlap is taken for rounding.
    """
    by_code = {c.code: c for c in cells}
    parts: dict[str, list[Cell]] = defaultdict(list)
    for cell in by_code.values():
        if cell.parent is not None:
            parts[cell.parent].append(cell)
    found = [
        *_standing(by_code.values(), parts, owned),
        *_overlaps(by_code.values(), min_area_m2),
        *(
            fault
            for code, children in parts.items()
            if code in by_code and not by_code[code].polygon.is_empty
            for fault in _fit(by_code[code], children, min_area_m2)
        ),
    ]
    order = list(FaultKind)
    return sorted(found, key=lambda f: (order.index(f.kind), f.cells, -f.area_m2))


def area_m2(geometry: BaseGeometry) -> float:
    """Area of a geometry in degrees, on the sphere flattened at its own latitude; within 0.1 % for
    a district, which is all that a report needs."""
    if geometry.is_empty:
        return 0.0
    metres = EARTH_RADIUS_M * math.pi / 180
    _, south, _, north = geometry.bounds
    shrink = math.cos(math.radians((south + north) / 2))
    return float(scale(geometry, metres * shrink, metres, origin=(0, 0)).area)


def _standing(
    cells: Iterable[Cell], parts: Mapping[str, list[Cell]], owned: Collection[str] | None
) -> Iterator[Fault]:
    for cell in cells:
        if cell.polygon.is_empty:
            yield Fault(FaultKind.NO_POLYGON, (cell.code,), "nobody surveyed it yet")
        if cell.level > 1 and not parts.get(cell.code):
            detail = f"no {_LEVEL_NAMES[cell.level - 1]} grid belongs to it"
            yield Fault(FaultKind.NO_PARTS, (cell.code,), detail)
        if owned is not None and cell.level < 3 and cell.code not in owned:
            post = "assistant" if cell.level == 1 else "leader"
            yield Fault(FaultKind.NO_OWNER, (cell.code,), f"it has no {post}")


def _overlaps(cells: Iterable[Cell], min_area_m2: float) -> Iterator[Fault]:
    for level in (1, 2, 3):
        same = [c for c in cells if c.level == level and not c.polygon.is_empty]
        tree = STRtree([c.polygon for c in same])
        for i, cell in enumerate(same):
            for j in tree.query(cell.polygon, predicate="intersects"):
                if j <= i:
                    continue
                shared = _polygonal(cell.polygon.intersection(same[j].polygon))
                size = area_m2(shared)
                if size >= min_area_m2:
                    pair = (cell.code, same[j].code)
                    yield Fault(
                        FaultKind.OVERLAP, pair, f"both claim {size:,.0f} m²", size, _json(shared)
                    )


def _fit(parent: Cell, children: Iterable[Cell], min_area_m2: float) -> Iterator[Fault]:
    together = unary_union([c.polygon for c in children])
    for hole in _pieces(parent.polygon.difference(together)):
        size = area_m2(hole)
        if size >= min_area_m2:
            detail = f"{size:,.0f} m² of it belong to no {_LEVEL_NAMES[parent.level - 1]} grid"
            yield Fault(FaultKind.GAP, (parent.code,), detail, size, _json(hole))
    for child in children:
        beyond = _polygonal(child.polygon.difference(parent.polygon))
        size = area_m2(beyond)
        if size >= min_area_m2:
            detail = f"{size:,.0f} m² of it lie beyond {parent.code}"
            yield Fault(FaultKind.OUTSIDE, (child.code, parent.code), detail, size, _json(beyond))


def _pieces(geometry: BaseGeometry) -> list[BaseGeometry]:
    """The polygons of a geometry; lines and points have no area."""
    parts = getattr(geometry, "geoms", [geometry])
    return [p for p in parts if p.geom_type == "Polygon" and not p.is_empty]


def _polygonal(geometry: BaseGeometry) -> BaseGeometry:
    return unary_union(_pieces(geometry))


def _json(geometry: BaseGeometry) -> dict[str, Any]:
    return dict(mapping(geometry))
