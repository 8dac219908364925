"""Detections, and the bytes that show them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from starlette.responses import FileResponse, Response

from hub.api.deps import Cursor, HubDep, Limit, cursor_parts, one_page, reading
from hub.api.errors import Problem, problem_response, problems
from hub.api.models.detections import DetectionFull, DetectionNow, DetectionPage, PictureNow
from hub.domain.errors import NotFoundError
from hub.store import views

router = APIRouter(tags=["Detections"])

# what a browser may show; anything else an agent sent is a download
SHOWN = frozenset({"image/jpeg", "image/png", "image/webp", "video/mp4", "video/webm"})
_EPOCH, _US = datetime.fromtimestamp(0, UTC), timedelta(microseconds=1)
_FOR_EVER = "private, max-age=31536000, immutable"


@router.get("/detections", summary="Detections, the newest first", responses=problems())
def list_detections(
    hub: HubDep,
    kind: Annotated[str | None, Query(max_length=64)] = None,
    agent: Annotated[str | None, Query(max_length=64)] = None,
    stream: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> DetectionPage:
    """Episodes as their latest change tells them."""
    with reading(hub) as conn:
        found = views.detections(
            conn, kind=kind, agent=agent, stream=stream, before=_before(cursor), limit=limit + 1
        )
    detections, last = one_page(found, limit)
    return DetectionPage(
        detections=[DetectionNow.model_validate(d) for d in detections],
        next=f"{(last.raised_at - _EPOCH) // _US}_{last.episode}" if last else None,
    )


@router.get("/detections/{episode}", summary="One detection", responses=problems(404))
def show_detection(episode: UUID, hub: HubDep) -> DetectionFull:
    """With what shows it and the event it feeds."""
    with reading(hub) as conn:
        found = views.detection(conn, episode)
        return DetectionFull(
            **DetectionNow.model_validate(found).model_dump(),
            event=views.number_of(conn, episode),
            evidence=[
                PictureNow.model_validate(p) for p in views.pictures_of_episode(conn, episode)
            ],
        )


@router.get(
    "/evidence/{digest}",
    summary="The bytes of a picture or clip",
    response_class=FileResponse,
    responses=problems(404)
    | {
        200: {"description": "The bytes", "content": {kind: {} for kind in sorted(SHOWN)}},
        206: {"description": "The part asked for by Range"},
    },
)
def show_evidence(
    digest: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="SHA-256")], hub: HubDep
) -> Response:
    """Only what has arrived whole and has this digest; until then 404 says how far it is."""
    with reading(hub) as conn:
        known = views.evidence(conn, digest)
    if known.complete_at is None:
        missing = Problem.of(
            404,
            f"evidence {digest} has not arrived whole yet ({known.total} bytes are announced): "
            "ask again when the topic `evidence` of /api/v1/live names it",
            total=known.total,
        )
        return problem_response(missing, {"Retry-After": "2"})
    path = hub.evidence.path(digest)
    if not path.is_file():
        raise NotFoundError("file of evidence", digest)
    shown = known.media_type in SHOWN
    return FileResponse(
        path,
        media_type=known.media_type if shown else "application/octet-stream",
        filename=None if shown else digest,  # a name makes it a download
        headers={
            "Cache-Control": _FOR_EVER,
            "ETag": f'"{digest}"',
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


def _before(cursor: str | None) -> tuple[datetime, UUID] | None:
    pattern = r"([0-9]{1,16})_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    parts = cursor_parts(cursor, pattern)
    return (_EPOCH + int(parts[0]) * _US, UUID(parts[1])) if parts else None
