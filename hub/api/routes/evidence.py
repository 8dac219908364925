"""The bytes of pictures and clips; holding them back from deletion, and erasing them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Path, Request
from starlette.responses import FileResponse, Response

from hub.api.access import DESK, PEOPLE, allow
from hub.api.caller import CallerDep
from hub.api.deps import ActorDep, HubDep, Listed, reading
from hub.api.errors import Problem, problems
from hub.api.models.evidence import Because, ErasedNow, HoldNow
from hub.api.problem_pages import document
from hub.api.recorder import shown
from hub.domain.errors import NotFoundError
from hub.domain.reach import within
from hub.services.evidence.erase_evidence import erase_evidence, remove_erased
from hub.services.evidence.hold_evidence import hold_event, hold_one, release_event, release_one
from hub.services.reach import check_evidence_reach
from hub.store import evidence_keeping, views
from hub.store.evidence_index import check_not_erased

router = APIRouter(tags=["Evidence"], dependencies=[allow(*PEOPLE)])

# what a browser may show; anything else an agent sent is a download
SHOWN = frozenset({"image/jpeg", "image/png", "image/webp", "video/mp4", "video/webm"})
DigestPath = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="SHA-256")]


@router.get(
    "/evidence/{digest}",
    summary="The bytes of a picture or clip",
    response_class=FileResponse,
    responses=problems(404, 410)
    | {
        200: {"description": "The bytes", "content": {kind: {} for kind in sorted(SHOWN)}},
        206: {"description": "The part asked for by Range"},
        400: {"description": "Range cannot be read", "content": {"text/plain": {}}},
        416: {"description": "Range lies outside the bytes", "content": {"text/plain": {}}},
        304: {"description": "What the browser has is the same: If-None-Match named its digest"},
    },
)
def show_evidence(
    digest: DigestPath,
    request: Request,
    hub: HubDep,
    caller: CallerDep,
    range_: Annotated[str, Header(alias="Range")] = "",
    if_none_match: Annotated[str, Header()] = "",
) -> Response:
    """Only what has arrived whole and has this digest; until then 404 says how far it is. What was
    erased answers 410 with who did it, when and why. Every look stands in the audit log, a Range
    too unless it goes on with one; a browser may keep the bytes, and has to ask again each time."""
    with reading(hub) as conn:
        known = views.evidence(conn, digest)
        check_evidence_reach(conn, digest, caller.actor)
    check_not_erased(known)
    if known.complete_at is None:
        missing = Problem.of(
            404,
            f"evidence {digest} has not arrived whole yet ({known.total} bytes are announced): "
            "ask again when the topic `evidence` of /api/v1/live names it",
            total=known.total,
        )
        return document(request, missing, {"Retry-After": "2"})
    path = hub.evidence.path(digest)
    if not path.is_file():
        raise NotFoundError("file of evidence", digest)
    shown(request, caller, in_part=bool(range_))
    headers = {
        "Cache-Control": "private, no-cache",
        "ETag": f'"{digest}"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if f'"{digest}"' in if_none_match:
        return Response(status_code=304, headers=headers)
    in_browser = known.media_type in SHOWN
    return FileResponse(
        path,
        media_type=known.media_type if in_browser else "application/octet-stream",
        filename=None if in_browser else digest,  # a name makes it a download
        headers=headers,
    )


@router.post(
    "/evidence/{digest}/erase",
    summary="Erase a picture or clip",
    dependencies=[allow(*DESK)],
    responses=problems(403, 404, 409, 410, 413),
)
def erase(digest: DigestPath, body: Because, hub: HubDep, actor: ActorDep) -> ErasedNow:
    """Its bytes are deleted for good. Its digest stays, with who, when and why, and the history of
    every event it belonged to says so. 409 where a legal hold stands."""
    with hub.pool.connection() as conn:
        row = erase_evidence(conn, hub, digest, body.reason, actor)
    with hub.pool.connection() as conn:
        remove_erased(conn, hub)
    return ErasedNow.model_validate(row)


@router.get(
    "/holds", summary="Legal holds that stand", dependencies=[allow(*DESK)], responses=problems()
)
def list_holds(hub: HubDep, actor: ActorDep, listed: Listed) -> list[HoldNow]:
    """The newest first; whoever acts in cells sees those on what happened there."""
    with reading(hub) as conn:
        return [
            HoldNow(
                event=number,
                digest=hold.digest,
                placed_at=hold.placed_at,
                placed_by=hold.placed_by,
                reason=hold.reason,
            )
            for hold, number in listed.shown(
                evidence_keeping.standing_holds(conn, within(actor).cells, listed.part)
            )
        ]


@router.post(
    "/evidence/{digest}/hold",
    status_code=204,
    summary="Hold one picture or clip",
    dependencies=[allow(*DESK)],
    responses=problems(403, 404, 409, 413),
)
def hold_piece(digest: DigestPath, body: Because, hub: HubDep, actor: ActorDep) -> None:
    """It is not deleted, by nobody and no rule, until the hold is released."""
    with hub.pool.connection() as conn:
        hold_one(conn, hub, digest, body.reason, actor)


@router.post(
    "/evidence/{digest}/release",
    status_code=204,
    summary="Release the hold on one picture or clip",
    dependencies=[allow(*DESK)],
    responses=problems(403, 404, 409, 413),
)
def release_piece(digest: DigestPath, body: Because, hub: HubDep, actor: ActorDep) -> None:
    """From now on its time counts again."""
    with hub.pool.connection() as conn:
        release_one(conn, hub, digest, body.reason, actor)


@router.post(
    "/events/{number}/hold",
    status_code=204,
    summary="Hold the evidence of an event",
    dependencies=[allow(*DESK)],
    responses=problems(403, 404, 409, 413),
)
def hold_all(number: str, body: Because, hub: HubDep, actor: ActorDep) -> None:
    """All of it, what arrives later too, until the hold is released. Stands in the history."""
    with hub.pool.connection() as conn:
        hold_event(conn, hub, number, body.reason, actor)


@router.post(
    "/events/{number}/release",
    status_code=204,
    summary="Release the hold on an event",
    dependencies=[allow(*DESK)],
    responses=problems(403, 404, 409, 413),
)
def release_all(number: str, body: Because, hub: HubDep, actor: ActorDep) -> None:
    """From now on the time of its evidence counts again. Stands in the history."""
    with hub.pool.connection() as conn:
        release_event(conn, hub, number, body.reason, actor)
