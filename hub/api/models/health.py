"""What the API says of the hub itself."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hub.api.models.base import Answer


class Alive(Answer):
    """The process runs."""

    status: Literal["alive"] = "alive"


class Ready(Answer):
    """What the hub needs is there."""

    status: Literal["ready"] = "ready"
    database: Literal["reachable"] = "reachable"
    stations_ingested: int
    live: bool = Field(description="Whether live updates are listening")
