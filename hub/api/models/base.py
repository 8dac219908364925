"""What every answer and every request of the API shares."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Words = Annotated[str, Field(max_length=2000)]
Name = Annotated[str, Field(max_length=64)]


class Answer(BaseModel):
    """What the API answers; built from rows."""

    model_config = ConfigDict(from_attributes=True)


class Asked(BaseModel):
    """What the API is asked; an unknown member is refused by name."""

    model_config = ConfigDict(extra="forbid")
