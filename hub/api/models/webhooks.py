"""What the API says of webhooks, and what it is asked of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from contract.taxonomy import Severity
from hub.api.models.base import Answer, Asked, Name

RowId = Annotated[int, Field(ge=1, le=2**63 - 1)]


class WebhookNow(Answer):
    """Another system that is told, and how far that has come. Its secret is never shown again."""

    id: int
    url: str
    note: str
    steps: list[str] = Field(description="Names of steps; empty: every one")
    severities: list[str] = Field(description="Empty: every one")
    cell: str = Field(description="Beginning of grid codes; empty: everywhere")
    tests: bool = Field(description="Events of tests too")
    made_at: datetime
    made_by: str
    stopped_at: datetime | None
    stopped_why: str | None
    failures: int = Field(description="Of the receiver as a whole, in a row")
    failing_since: datetime | None
    next_at: datetime = Field(description="While it fails: the next attempt")
    waiting: int
    dead: int = Field(description="Given up; can be sent again")
    oldest_at: datetime | None = Field(description="Of what waits")
    delivered_at: datetime | None


class WebhookMade(Answer):
    """A webhook with the secret that signs, shown this once."""

    webhook: WebhookNow
    secret: str = Field(examples=["whsec_..."])


class DeliveryNow(Answer):
    """One message to a webhook."""

    id: int
    number: str | None = Field(description="Of the grid event; null: a test message")
    n: int | None = Field(description="Of the history entry it tells")
    step: str | None
    state: Literal["waiting", "delivered", "dead"]
    attempts: int
    queued_at: datetime
    next_at: datetime
    last_at: datetime | None
    last_status: int | None = Field(description="Of HTTP; null: there was no answer")
    last_error: str | None
    ended_at: datetime | None


class DeliveryPage(Answer):
    """Some messages, the newest first."""

    deliveries: list[DeliveryNow]
    next: str | None = Field(description="`cursor` of the next page, null on the last")


class AddWebhook(Asked):
    """A system to be told."""

    url: Annotated[str, Field(min_length=1, max_length=2000)]
    note: Annotated[str, Field(max_length=200)] = ""
    steps: list[Name] = Field([], max_length=100)
    severities: list[Severity] = Field([], max_length=4)
    cell: Annotated[str, Field(pattern=r"^[0-9]{0,15}$")] = ""
    tests: bool = False


class Redeliver(Asked):
    """Which messages are to be sent again."""

    deliveries: list[RowId] | None = Field(None, max_length=1000, description="null: all dead ones")


class Queued(Answer):
    """Messages that wait to be sent."""

    deliveries: list[int]
