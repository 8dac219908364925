"""What the API says of sensors."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from hub.api.models.base import Answer


class SeriesNow(Answer):
    """The last word on one series of a device."""

    metric: str
    label: str
    place: str
    unit: str = Field(description="UCUM")
    value: float
    captured_at: datetime
    received_at: datetime
    interval_s: float | None = Field(description="Usual time between two; null: only one came")
    n: int = Field(description="How many came")
    silent: bool = Field(description="Nothing has come for much longer than usual")


class FaultNow(Answer):
    """An open detection over readings: of the city (high) or of the sensor (gap, stuck)."""

    kind: str
    label: str
    raised_at: datetime
    event: str | None = Field(description="Number of the grid event, where it opened one")


class SensorNow(Answer):
    """A device whose readings an agent passes on."""

    agent: str
    device: str
    source: str | None = Field(description="The [[sensor]] that names it; null: none does")
    name: str
    lon: float | None
    lat: float | None
    cell: str | None
    silent_since: datetime | None = Field(description="Every series is overdue since then")
    series: list[SeriesNow]
    open: list[FaultNow]


class ReadingNow(Answer):
    """One reading."""

    captured_at: datetime
    received_at: datetime
    metric: str
    label: str
    place: str
    value: float
    unit: str


class RollUp(Answer):
    """The readings of one series in one minute, hour or day of the district."""

    bucket: datetime = Field(description="Begin of the period")
    metric: str
    label: str
    place: str
    n: int
    mean: float
    low: float
    high: float
