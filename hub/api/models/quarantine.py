"""What the API says of messages that could not be taken, and what may be done with them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hub.api.models.base import Answer, Asked, Name, Words
from hub.store.view_rows import Refused


class RefusedPage(Answer):
    """Some of the quarantine, the newest first."""

    entries: list[Refused]
    next: str | None


class ReplayOne(Asked):
    """How an entry is taken after all."""

    clock: Literal["told", "received"] = Field(
        "told",
        description="`received` moves a record's times so that it was captured when it arrived: "
        "for a device whose clock was never set",
    )


class ReplayMany(ReplayOne):
    """Which entries that wait are replayed, the oldest first; none named: all."""

    agent: Name | None = None
    fault: Literal["sender", "hub"] | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 500


class GiveUp(Asked):
    """Why an entry will never be taken."""

    reason: Words


class SettledNow(Answer):
    """What came of an entry."""

    id: int
    outcome: Literal["stored", "here_already", "given_up"] | None = Field(
        description="null: it was refused again and waits on"
    )
    detail: str


class ReplayedNow(Answer):
    """What came of many replays."""

    stored: int
    here_already: int
    refused: int = Field(description="Refused again; they wait on")
    failed: list[str] = Field(description="What could not be replayed at all, and why")
    told: str = Field(description="The same in a sentence")
