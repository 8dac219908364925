"""What the API says of measured values."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from hub.api.models.base import Answer


class TotalNow(Answer):
    """Measured values of one source and label in one period."""

    bucket: datetime = Field(description="Begin of the period")
    agent: str
    device: str
    metric: str
    label: str
    place: str
    n: int
    total: float
    low: float
    high: float
