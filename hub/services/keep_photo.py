"""A person hands in a photo: the evidence of a report, a verification or a feedback."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor
from hub.services.context import Hub
from hub.store.rows import EvidenceRow

MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp", "video/webm", "video/mp4")
MAX_PHOTO = 16 * 1024 * 1024  # bytes


def keep_photo(
    conn: Connection[Any], hub: Hub, data: bytes, media_type: str, actor: Actor
) -> EvidenceRow:
    """The evidence these bytes are, stored under their digest; the same photo twice is one.

    Raises InvalidError.
    """
    raise NotImplementedError
