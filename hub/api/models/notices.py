"""What the API says of notices."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated

from pydantic import Field, WithJsonSchema

from contract.taxonomy import Severity
from hub.api.models.base import Answer, Asked
from hub.domain.notice import NoticeKind


class NoticeNow(Answer):
    """What somebody is told, by name, by role or as a unit."""

    id: int
    number: str | None = Field(description="Of the grid event; null: about none")
    kind: NoticeKind
    person: str | None
    role: str | None
    unit: str | None
    severity: Severity | None
    title_en: str
    title_zh: str
    body: str
    at: datetime
    read_at: datetime | None


class NoticePage(Answer):
    """Some notices, the newest first."""

    notices: list[NoticeNow]
    unread: int = Field(description="Of all, counted up to 1000")
    next: str | None = Field(description="`cursor` of the next page, null on the last")


class ReadNotices(Asked):
    """Which notices were read."""

    ids: list[Annotated[int, Field(ge=1, le=2**63 - 1)]] | None = Field(
        None, max_length=1000, description="null: all"
    )


class UnreadNow(Answer):
    """How many are left."""

    unread: int


# JSON Schema's own "time" has an offset; the district's clock has none
ClockTime = Annotated[
    time,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?$",
            "examples": ["22:00"],
        }
    ),
]


class Wishes(Asked):
    """How somebody wants to be told."""

    mail: bool = Field(description="false: only in the console")
    quiet_from: ClockTime = Field(description="No mail from then on, but of S1 and S2")
    quiet_to: ClockTime = Field(description="Equal to quiet_from: no quiet hours")
    kinds_off: list[NoticeKind] = Field([], max_length=100, description="No mail of these")


class WishesNow(Answer):
    """How somebody is told, by the clock of the district."""

    mail: bool
    quiet_from: ClockTime
    quiet_to: ClockTime
    kinds_off: list[NoticeKind]
    time_zone: str
    mail_is_sent: bool = Field(description="Whether this hub has a mail server at all")
