"""Detections: episodes of one detector on one camera."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from hub.api.access import PEOPLE, allow
from hub.api.deps import ActorDep, Cursor, HubDep, Limit, cursor_parts, one_page, reading
from hub.api.errors import problems
from hub.api.models.detections import DetectionFull, DetectionNow, DetectionPage, PictureNow
from hub.domain.reach import Place, check_reach, within
from hub.store import views

router = APIRouter(tags=["Detections"], dependencies=[allow(*PEOPLE)])

_EPOCH, _US = datetime.fromtimestamp(0, UTC), timedelta(microseconds=1)


@router.get("/detections", summary="Detections, the newest first", responses=problems())
def list_detections(
    hub: HubDep,
    actor: ActorDep,
    kind: Annotated[str | None, Query(max_length=64)] = None,
    agent: Annotated[str | None, Query(max_length=64)] = None,
    stream: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> DetectionPage:
    """Episodes as their latest change tells them."""
    with reading(hub) as conn:
        found = views.detections(
            conn,
            kind=kind,
            agent=agent,
            stream=stream,
            before=_before(cursor),
            limit=limit + 1,
            within=within(actor),
        )
    detections, last = one_page(found, limit)
    return DetectionPage(
        detections=[DetectionNow.model_validate(d) for d in detections],
        next=f"{(last.raised_at - _EPOCH) // _US}_{last.episode}" if last else None,
    )


@router.get("/detections/{episode}", summary="One detection", responses=problems(404))
def show_detection(episode: UUID, hub: HubDep, actor: ActorDep) -> DetectionFull:
    """With what shows it and the event it feeds."""
    with reading(hub) as conn:
        found = views.detection(conn, episode)
        number = views.number_of(conn, episode)
        event = views.event(conn, number) if number else None
        place = Place(event.cell, event.responsible_unit) if event else Place(found.cell)
        check_reach(actor, [place], f"detection {episode}")
        return DetectionFull(
            **DetectionNow.model_validate(found).model_dump(),
            event=number,
            evidence=[
                PictureNow.model_validate(p) for p in views.pictures_of_episode(conn, episode)
            ],
        )


def _before(cursor: str | None) -> tuple[datetime, UUID] | None:
    pattern = r"([0-9]{1,16})_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    parts = cursor_parts(cursor, pattern)
    return (_EPOCH + int(parts[0]) * _US, UUID(parts[1])) if parts else None
