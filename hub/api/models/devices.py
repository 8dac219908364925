"""What the API says of agents, cameras and completeness."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from contract.taxonomy import CameraState, Lane
from hub.api.models.base import Answer
from hub.domain.daily_test import Daily


class StreamNow(Answer):
    """The last word on a camera."""

    agent: str
    stream: str
    name: str
    lon: float | None
    lat: float | None
    cell: str | None
    state: CameraState
    since: datetime
    heard_at: datetime | None = Field(description="Capture time of the heartbeat that said so")
    frame_age_s: float | None = Field(description="Age of the last real frame at that time")
    captured: int
    observed: int
    restarts: int
    detail: str
    footprint: dict[str, Any] | None = Field(
        description="GeoJSON Polygon: the ground it sees; null: nobody said"
    )


class AgentNow(Answer):
    """An edge agent."""

    agent: str
    station: str
    boot: str | None
    online: bool
    born_at: datetime | None
    seen_at: datetime | None
    heard_at: datetime | None
    clock_offset_s: float | None
    first_seen_at: datetime
    spooled: dict[str, int] = Field(description="Records that wait at the edge, by lane")
    not_taken: dict[str, int] = Field(
        description="Records that found no room at the edge since it began, by lane"
    )
    detail: str = Field(description="What is wrong with the agent itself, in its own words")
    software: str
    streams: list[StreamNow]


class LaneNow(Answer):
    """What the hub has of one lane of one boot: 1..watermark, what lies beyond, what is missing."""

    agent: str
    boot: str
    lane: Lane
    watermark: int
    beyond: list[tuple[int, int]] = Field(description="Received beyond the watermark, closed")
    holes: list[tuple[int, int]]
    lost: list[tuple[int, int]] = Field(description="Declared lost by the edge")
    received: int = Field(description="Numbers the hub has a word on, losses included")
    stored: int = Field(description="Records in the database")
    quarantined: int = Field(description="Received, refused, and not taken after all")
    discarded: int = Field(description="Received, and beyond the limit of their device")
    missing: int = Field(description="Records in holes")
    lost_count: int
    updated_at: datetime
    closed_at: datetime | None = Field(description="A later boot was born; unknown after this")


class FloodingNow(Answer):
    """A device that sent more than its limit; what was beyond is gone."""

    agent: str
    boot: str
    lane: str = Field(description="Empty: messages that could not be read")
    device: str = Field(
        description="Empty: of the lane as a whole; `(refused)`: records that are quarantined"
    )
    discarded: int = Field(validation_alias="n")
    per_minute: int = Field(description="Records that are taken")
    first_at: datetime
    last_at: datetime


class DailyTestNow(Answer):
    """The test detection that a camera sends every day, to see that the way here is open."""

    agent: str
    stream: str
    state: Daily
    tested_at: datetime | None = Field(description="When the last one arrived")
    event: str | None = Field(description="The grid event it opened, ended at once, marked a test")


class BlindPeriod(Answer):
    """A time in which no camera of a cell saw, in the district's zone; `ends_at` not included."""

    begins_at: datetime
    ends_at: datetime


class BlindCellNow(Answer):
    """A cell that no camera saw for a while."""

    cell: str
    cameras: list[str] = Field(description="agent/stream")
    states: list[str] = Field(description="What they were in meanwhile, other than online")
    blind_s: float = Field(description="Length of all its periods together")
    count: int = Field(description="How many periods there are")
    periods: list[BlindPeriod] = Field(description="Oldest first; of more than 200 the latest")


class BlindNow(Answer):
    """Which cells were blind, from `since` to `until`, and which had no camera at all."""

    since: datetime
    until: datetime
    cells: list[BlindCellNow]
    uncovered: list[str] = Field(description="Basic cells in which no camera stood")
