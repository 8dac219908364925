"""The files of the pages, kept by browsers for as long as their content is the same."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from hub.api.access import TO_EVERYONE
from hub.api.shelf import Shelf
from hub.domain.errors import NotFoundError

router = APIRouter(include_in_schema=False, dependencies=[TO_EVERYONE])


@router.get("/assets/{fingerprint}/{name}")
def show_file(fingerprint: str, name: str, request: Request) -> Response:
    """A file of the shelf. Under an outdated fingerprint it is the present one, kept by nobody."""
    shelf: Shelf = request.app.state.shelf
    file = shelf.get(name)
    if file is None:
        raise NotFoundError("file of the console", name)
    current = fingerprint == shelf.fingerprint
    return Response(
        file.content,
        media_type=file.media_type,
        headers={"Cache-Control": "public, max-age=31536000, immutable" if current else "no-store"},
    )
