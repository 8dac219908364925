"""What the API says of filing by itself: control windows, and the trust that streams earn."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from contract.taxonomy import Category
from hub.api.models.base import Answer, Asked, Name
from hub.domain.control_window import WindowKind

Code = Annotated[str, Field(pattern=r"^[0-9]{6}([0-9]{6}([0-9]{3})?)?$")]


class WindowBody(Asked):
    """A control window or silence: what, where, from when to when, why."""

    kind: WindowKind = Field(description="`works`: approved works under a permit; `silence`")
    until_at: datetime = Field(description="It ends then by itself; 31 days at most")
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    from_at: datetime | None = Field(None, description="null: now")
    category: Category | None = Field(None, description="null: any")
    subcategory: Name | None = Field(None, description="null: any")
    detector: Name | None = Field(None, description="Kind of detector; null: any")
    cells: list[Code] = Field(
        [], max_length=50, description="Codes of any level, each with all below it; or a device"
    )
    agent: Name | None = None
    stream: Name | None = None
    permit: Annotated[str, Field(max_length=200)] = Field("", description="Number of the approval")
    event: Name | None = Field(None, description="Number of the event whose verdict led to it")


class WindowOffer(Answer):
    """A control window as a verdict offers it: to be completed with a reason and sent back."""

    kind: WindowKind
    until_at: datetime
    reason: str
    from_at: datetime | None
    category: Category | None
    subcategory: str | None
    detector: str | None
    cells: list[str]
    agent: str | None
    stream: str | None
    permit: str
    event: str | None


class WindowNow(Answer):
    """A control window as it stands."""

    id: int
    kind: WindowKind
    category: Category | None
    subcategory: str | None
    detector: str | None
    cells: list[str]
    agent: str | None
    stream: str | None
    from_at: datetime
    until_at: datetime
    reason: str
    permit: str
    made_at: datetime
    made_by: str
    ended_at: datetime | None = Field(description="Ended by hand before its time")
    ended_by: str | None


class WindowPage(Answer):
    """Some control windows, the newest first."""

    windows: list[WindowNow]
    next: str | None


class TrustNow(Answer):
    """What one stream has earned for one class."""

    agent: str
    stream: str
    kind: str
    label: str
    subcategory: str | None = Field(description="What its detections open; null: nothing")
    on: bool = Field(description="Events of that sub-category may be filed by themselves")
    verdicts: int = Field(description="That count: the last `window` of the settings")
    least: int = Field(description="Verdicts before trust can be earned")
    good: int = Field(description="Real, benign or not")
    precision: float | None
    bound: float = Field(description="Wilson lower bound of the precision")
    target: float
    earned: bool
    since: datetime | None = Field(description="Of the verdict that earned or lost it")


class TrustTable(Answer):
    """Every stream and class that was judged."""

    rows: list[TrustNow]


class ByItselfNow(Answer):
    """Whether an event was filed by itself, and why or why not, in one sentence."""

    filed: bool
    failed: list[Literal["off", "drill", "score", "persistence", "device", "trust", "window"]] = (
        Field(description="Every condition that was in the way")
    )
    en: str
    zh: str
