"""What the API says of the parameters of detectors, and how they are set."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from hub.api.models.base import Answer, Asked, Name, Words


class CommandNow(Answer):
    """A version of parameters that an engineer set."""

    version: int
    issued_at: datetime
    issued_by: str
    note: str
    parameters: dict[str, dict[str, dict[str, Any]]]
    published_at: datetime | None
    answered_at: datetime | None = Field(description="When the agent said what came of it")
    errors: list[str] = Field(description="What the agent refused, and why")


class DetectorNow(Answer):
    """A detector as an agent runs it on one stream."""

    kind: str
    version: str
    summary: str
    parameter_schema: dict[str, Any] = Field(description="JSON Schema with units and ranges")
    in_force: dict[str, Any]


class StreamDetectors(Answer):
    """The detectors of one stream."""

    stream: str
    name: str
    detectors: list[DetectorNow]


class Parameters(Answer):
    """What an agent runs, what is in force, and what was set last."""

    agent: str
    command_version: int = Field(description="The last command the agent applied, 0 for none")
    command_errors: list[str]
    streams: list[StreamDetectors]
    commands: list[CommandNow] = Field(description="The newest first")


class Change(Asked):
    """New values of parameters; null takes one back to the agent's own setting."""

    parameters: Annotated[
        dict[Name, float | int | bool | str | None], Field(min_length=1, max_length=100)
    ]
    note: Words = ""
