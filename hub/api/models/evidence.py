"""What the API says of keeping and erasing evidence."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from hub.api.models.base import Answer, Asked


class Because(Asked):
    """Why."""

    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class ErasedNow(Answer):
    """What is left of erased evidence."""

    digest: str
    captured_at: datetime
    erased_at: datetime
    erased_by: str
    erased_why: str


class HoldNow(Answer):
    """A legal hold that stands, on all evidence of an event or on one piece."""

    event: str | None = Field(description="Number of the event")
    digest: str | None
    placed_at: datetime
    placed_by: str
    reason: str


class PhotoNow(Answer):
    """A photo that was handed in."""

    digest: str = Field(description="SHA-256; what acts and reports name as evidence")
    media_type: str
    size: int = Field(description="Bytes")
    width: int
    height: int
