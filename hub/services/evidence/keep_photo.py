"""A person hands in a photo: the evidence of a report, a verification or a feedback."""

from __future__ import annotations

import hashlib
from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor, Role
from hub.domain.errors import InvalidError, WrongRoleError
from hub.services.context import Hub
from hub.store import changes, evidence_index
from hub.store.rows import EvidenceRow

MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp", "video/webm", "video/mp4")
MAX_PHOTO = 16 * 1024 * 1024  # bytes


def keep_photo(
    conn: Connection[Any], hub: Hub, data: bytes, media_type: str, actor: Actor
) -> EvidenceRow:
    """The evidence these bytes are, stored under their digest; the same photo twice is one.

    What comes from outside is looked at first: `hub.services.evidence.photo`.

    Raises InvalidError, WrongRoleError, and GoneError where it was here and was erased.
    """
    if actor.role in (Role.DEVICE, Role.RULE):
        raise WrongRoleError(
            f"a {actor.role} hands in no photos", action="keep_photo", role=actor.role
        )
    if media_type not in MEDIA_TYPES:
        raise InvalidError(
            f"media type {media_type[:100]!r} is not taken; taken are {', '.join(MEDIA_TYPES)}",
            field="media_type",
        )
    if not 0 < len(data) <= MAX_PHOTO:
        raise InvalidError(
            f"the photo has {len(data)} bytes, it must have 1 to {MAX_PHOTO}", field="data"
        )
    known = evidence_index.by_digest(conn, hashlib.sha256(data).hexdigest())
    if known is not None:
        evidence_index.check_not_erased(known)  # or its bytes would be on the disk again
    digest = hub.evidence.keep(data)
    row = evidence_index.keep_photo(conn, digest, media_type, len(data), hub.now())
    changes.tell(conn, "evidence", digest)
    return row
