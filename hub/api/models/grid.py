"""What the API says of cells and categories."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from contract.taxonomy import Category, Severity
from hub.api.models.base import Answer


class CellNow(Answer):
    """A cell of the grid."""

    code: str
    level: int = Field(description="1 basic, 2 secondary, 3 district")
    name_en: str
    name_zh: str
    parent: str | None


class Feature(Answer):
    """A cell as GeoJSON."""

    type: Literal["Feature"] = "Feature"
    id: str
    geometry: dict[str, Any]
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
