"""What the API says of the base registry and its links, and what it is told of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from hub.api.models.base import Answer, Asked
from hub.api.models.people import CellCode, Lat, Lon, Title

EntryKind = Literal["person", "place", "thing", "matter", "organisation"]
Relation = Literal["concerns", "at", "caused_by", "reported_by", "owned_by"]
AttributeName = Annotated[str, Field(min_length=1, max_length=64)]
AttributeText = Annotated[str, Field(max_length=2000)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]


class EntrySaid(Asked):
    """An entry as it is from now on."""

    kind: EntryKind
    name: Title
    cell: CellCode | None = Field(None, description="null: that of the place, if there is one")
    lon: Lon | None = None
    lat: Lat | None = None
    attributes: dict[AttributeName, AttributeText] = Field(default_factory=dict, max_length=50)

    @model_validator(mode="after")
    def _whole_place(self) -> EntrySaid:
        if (self.lon is None) != (self.lat is None):
            raise ValueError("send both lon and lat, or neither")
        return self


class EntryChange(EntrySaid):
    """An entry as it is from now on, and what its writer had seen."""

    expected_version: Version | None = None


class Seen(Asked):
    """What the caller had seen."""

    expected_version: Version | None = None


class EntryNow(Answer):
    """A person, place, thing, matter or organisation of the district."""

    id: int
    kind: EntryKind
    name: str
    cell: str | None
    lon: float | None
    lat: float | None
    attributes: dict[str, str]
    created_at: datetime
    created_by: str
    changed_at: datetime
    changed_by: str
    retired_at: datetime | None
    version: int = Field(description="Send it back as expected_version")


class EntryPage(Answer):
    """Entries, and where the next page begins."""

    entries: list[EntryNow]
    next: str | None


class LinkSaid(Asked):
    """An event has to do with an entry."""

    entry: Annotated[int, Field(ge=1, le=2**63 - 1)]
    relation: Relation = "concerns"


class LinkNow(Answer):
    """What an event has to do with an entry."""

    id: int
    event: str = Field(description="Its number")
    entry: int
    kind: EntryKind
    name: str
    relation: Relation
    linked_at: datetime
    linked_by: str


class LinkPage(Answer):
    """Links, and where the next page begins."""

    links: list[LinkNow]
    next: str | None
