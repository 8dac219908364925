"""What the API says of cells and categories."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from contract.taxonomy import Category, Severity
from hub.api.models.base import Answer
from hub.domain.readiness import Need
from hub.domain.topology import FaultKind


class CellNow(Answer):
    """A cell of the grid."""

    code: str
    level: int = Field(description="1 basic, 2 secondary, 3 district")
    name_en: str
    name_zh: str
    parent: str | None
    valid_from: datetime | None = Field(None, description="Of this outline; null: since ever")
    valid_to: datetime | None = Field(None, description="null: in force")


class Feature(Answer):
    """A cell as GeoJSON."""

    type: Literal["Feature"] = "Feature"
    id: str
    geometry: dict[str, Any] | None = Field(description="null: nobody surveyed it yet")
    properties: CellNow


class FeatureCollection(Answer):
    """Cells as GeoJSON."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[Feature]


class SubCategoryNow(Answer):
    """What exactly an event is."""

    id: str
    en: str
    zh: str
    severity: Severity


class CategoryNow(Answer):
    """A top category with its sub-categories."""

    id: Category
    en: str
    zh: str
    subcategories: list[SubCategoryNow]


class FaultNow(Answer):
    """One thing that is wrong with the cells of a grid."""

    kind: FaultKind
    cells: tuple[str, ...]
    detail: str
    area_m2: float


class FaultFeature(Answer):
    """A fault of the grid as GeoJSON; the geometry says where."""

    type: Literal["Feature"] = "Feature"
    geometry: dict[str, Any] | None
    properties: FaultNow


class TopologyReport(Answer):
    """What is wrong with a grid, as GeoJSON; no feature where it fits."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    counts: dict[FaultKind, int] = Field(description="How many of each kind")
    features: list[FaultFeature]


class GridChangeNow(Answer):
    """What an import does to each cell, by code, and how the outcome fits together."""

    done: bool = Field(description="false: a dry run")
    valid_from: datetime
    new: tuple[str, ...]
    changed: tuple[str, ...]
    ended: tuple[str, ...]
    unchanged: int
    report: TopologyReport


class GapNow(Answer):
    """One thing that a cell lacks."""

    cell: str
    need: Need
    detail: str


class ReadinessNow(Answer):
    """Whether every basic and secondary grid has what it needs."""

    cells: int = Field(description="How many were looked at")
    ready: int = Field(description="How many of them lack nothing")
    gaps: list[GapNow]
    unassigned: dict[str, list[Category]] = Field(
        description="By cell the categories that no unit answers for there"
    )
