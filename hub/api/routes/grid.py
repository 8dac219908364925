"""The grid as GeoJSON, and the categories of what happens in it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from contract.geometry import Point
from hub.api.access import PEOPLE, allow
from hub.api.deps import HubDep, Portion, portion
from hub.api.errors import problems
from hub.api.models.grid import CategoryNow, CellNow, Feature, FeatureCollection, SubCategoryNow
from hub.domain.actor import Role
from hub.domain.errors import NotFoundError
from hub.domain.grid import Cell

router = APIRouter(tags=["Grid"], dependencies=[allow(*PEOPLE, Role.CITIZEN)])


@router.get("/grid", summary="The cells as GeoJSON", responses=problems())
def list_cells(
    hub: HubDep,
    listed: Annotated[Portion, portion(10_000, 10_000)],
    level: Annotated[
        int | None, Query(ge=1, le=3, description="1 basic, 2 secondary, 3 district")
    ] = None,
    at: Annotated[
        AwareDatetime | None, Query(description="As the outlines were then; null: as they are")
    ] = None,
) -> FeatureCollection:
    """A FeatureCollection of every cell, or of those of one level."""
    cells = [c for c in hub.grid.as_of(at) if level is None or c.level == level]
    return FeatureCollection(features=[_feature(c) for c in listed.shown_of(cells)])


@router.get("/grid/at", summary="The basic grid at a point", responses=problems(404))
def cell_at(
    hub: HubDep,
    lon: Annotated[float, Query(ge=-180, le=180)],
    lat: Annotated[float, Query(ge=-90, le=90)],
    at: Annotated[
        AwareDatetime | None, Query(description="As the outlines were then; null: as they are")
    ] = None,
) -> CellNow:
    """404 where the point lies outside the district."""
    cell = hub.grid.locate(Point(lon, lat), at)
    if cell is None:
        raise NotFoundError("cell of the district at", f"{lon:.6f}, {lat:.6f}")
    return _cell(cell)


@router.get("/categories", summary="Categories and sub-categories", responses=problems())
def list_categories(hub: HubDep) -> list[CategoryNow]:
    """What a report may be about."""
    return [
        CategoryNow(
            id=category,
            en=name.en,
            zh=name.zh,
            subcategories=[
                SubCategoryNow(id=s.id, en=s.en, zh=s.zh, severity=s.severity)
                for s in hub.categories.subcategories.values()
                if s.category is category
            ],
        )
        for category, name in hub.categories.names.items()
    ]


def _feature(cell: Cell) -> Feature:
    geometry = None if cell.polygon.is_empty else cell.geojson
    return Feature(id=cell.code, geometry=geometry, properties=_cell(cell))


def _cell(cell: Cell) -> CellNow:
    return CellNow(
        code=cell.code,
        level=cell.level,
        name_en=cell.name_en,
        name_zh=cell.name_zh,
        parent=cell.parent,
        valid_from=cell.valid_from,
        valid_to=cell.valid_to,
    )
