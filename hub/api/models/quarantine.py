"""What the API says of messages that could not be taken."""

from __future__ import annotations

from hub.api.models.base import Answer
from hub.store.view_rows import Refused


class RefusedPage(Answer):
    """Some of the quarantine, the newest first."""

    entries: list[Refused]
    next: str | None
