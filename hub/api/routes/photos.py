"""Photos that people hand in: before and after a case was handled, or with a report."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from hub.api.access import PEOPLE, allow
from hub.api.deps import ActorDep, HubDep
from hub.api.errors import problems
from hub.api.models.evidence import PhotoNow
from hub.services.evidence.keep_photo import keep_photo
from hub.services.evidence.photo import looked_at

router = APIRouter(tags=["Evidence"], dependencies=[allow(*PEOPLE)])

KINDS = ("image/jpeg", "image/png", "image/webp")


async def _bytes(request: Request) -> bytes:
    return await request.body()


@router.post(
    "/evidence/photos",
    status_code=201,
    summary="Hand in a photo",
    responses=problems(403, 408, 409, 410, 413),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in KINDS},
        }
    },
)
def hand_in(hub: HubDep, actor: ActorDep, data: Annotated[bytes, Depends(_bytes)]) -> PhotoNow:
    """The body is the photo, JPEG, PNG or WebP, 16 MiB at most. Where it was taken, with which
    device and by whom is taken out of it; its digest is what acts and reports name as evidence."""
    photo = looked_at(data)
    with hub.pool.connection() as conn:
        row = keep_photo(conn, hub, photo.data, photo.media_type, actor)
    return PhotoNow(
        digest=row.digest,
        media_type=row.media_type,
        size=row.total,
        width=photo.width,
        height=photo.height,
    )
