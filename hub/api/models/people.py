"""What the API says of units, people, posts, shifts and positions, and what it is told of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from contract.taxonomy import Category
from hub.api.models.base import Answer, Asked
from hub.domain.people import Language

UnitKind = Literal["department", "station", "grid"]
PostRole = Literal["assistant", "leader", "master", "dispatcher", "dept", "supervisor"]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
CellCode = Annotated[str, Field(pattern=r"^([0-9]{6}|[0-9]{12}|[0-9]{15})$")]
Title = Annotated[str, Field(min_length=1, max_length=200)]
Contact = Annotated[str, Field(max_length=200)]
Lon = Annotated[float, Field(ge=-180, le=180)]
Lat = Annotated[float, Field(ge=-90, le=90)]


class UnitSaid(Asked):
    """A unit as it is from now on."""

    kind: UnitKind
    name_en: Title
    name_zh: Title
    parent: Code | None = None
    phone: Contact = ""
    email: Contact = ""


class UnitNow(Answer):
    """A department, a station or a grid team."""

    code: str
    kind: UnitKind
    name_en: str
    name_zh: str
    parent: str | None
    phone: str
    email: str
    closed_at: datetime | None


class Assigned(Asked):
    """A unit answers for a category in a cell and everything below it, from now on."""

    category: Category
    subcategory: Annotated[str, Field(max_length=64)] | None = Field(
        None, description="null: every one of the category"
    )
    cell: CellCode
    unit: Code


class ResponsibilityNow(Answer):
    """An entry of the responsibility matrix."""

    id: int
    category: Category
    subcategory: str | None
    cell: str
    unit: str
    from_at: datetime
    to_at: datetime | None


class PostSaid(Asked):
    """A post: what somebody is, and where."""

    role: PostRole
    cell: CellCode | None = Field(None, description="null: the whole district")
    unit: Code | None = Field(None, description="Of a department: which one")


class PersonSaid(Asked):
    """A person as they are from now on; the posts are all they hold."""

    name: Title
    unit: Code | None = None
    phone: Contact = ""
    email: Contact = ""
    language: Language = "zh"
    in_training: bool = False
    posts: list[PostSaid] = Field(default_factory=list, max_length=50)


class PostNow(Answer):
    """A post as it is kept."""

    id: int
    role: PostRole
    cell: str | None
    unit: str | None
    from_at: datetime
    to_at: datetime | None


class PersonNow(Answer):
    """Somebody who works for the district."""

    code: str = Field(description="Staff number: what histories name")
    name: str
    unit: str | None
    phone: str
    email: str
    language: Language
    in_training: bool
    left_at: datetime | None


class PersonFull(PersonNow):
    """A person with their posts, those that ended too."""

    posts: list[PostNow]


class PeoplePage(Answer):
    """People, and where the next page begins."""

    people: list[PersonNow]
    next: str | None


class ShiftSaid(Asked):
    """A shift of somebody."""

    person: Code
    cell: CellCode | None = Field(None, description="null: what their post covers")
    begins_at: AwareDatetime
    ends_at: AwareDatetime


class ShiftNow(Answer):
    """A shift as it is kept."""

    id: int
    person: str
    cell: str | None
    begins_at: datetime
    ends_at: datetime


class ShiftPage(Answer):
    """Shifts, and where the next page begins."""

    shifts: list[ShiftNow]
    next: str | None


class PositionSaid(Asked):
    """Where somebody is."""

    lon: Lon
    lat: Lat
    accuracy_m: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    at: AwareDatetime | None = Field(None, description="null: now")


class PositionNow(Answer):
    """Where somebody was, as properties of a point."""

    person: str
    name: str
    accuracy_m: float | None
    at: datetime
    cell: str | None


class PointGeometry(Answer):
    """A GeoJSON Point."""

    type: Literal["Point"] = "Point"
    coordinates: tuple[float, float]


class PositionFeature(Answer):
    """A position as GeoJSON."""

    type: Literal["Feature"] = "Feature"
    id: str
    geometry: PointGeometry
    properties: PositionNow


class PositionCollection(Answer):
    """Positions as GeoJSON."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[PositionFeature]
