"""What Alertmanager sends (its webhook, version 4), and what it is answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.api.models.base import Answer
from hub.services.outward.take_alerts import Outcome

Words = Annotated[str, Field(max_length=4000)]
Labels = Annotated[dict[Annotated[str, Field(max_length=200)], Words], Field(max_length=100)]


class AlertTold(BaseModel):
    """One alert; what else it has is not looked at."""

    model_config = ConfigDict(extra="ignore")

    status: Literal["firing", "resolved"]
    labels: Labels = {}
    annotations: Labels = {}
    startsAt: datetime  # noqa: N815 - as Alertmanager writes it
    fingerprint: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]


class AlertsTold(BaseModel):
    """What Alertmanager's webhook sends."""

    model_config = ConfigDict(extra="ignore")

    version: Literal["4"]
    alerts: Annotated[list[AlertTold], Field(max_length=1000)]


class AlertAnswered(Answer):
    """What an alert became."""

    fingerprint: str
    outcome: Outcome | Literal["refused"]
    number: str | None = Field(description="Of the grid event")
    detail: str | None = Field(None, description="Why it was refused")


class AlertsAnswered(Answer):
    """What each alert became."""

    alerts: list[AlertAnswered]
