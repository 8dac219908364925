"""What could not be taken from the edge, and why."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from hub.api.deps import Cursor, HubDep, Limit, cursor_id, one_page, reading
from hub.api.errors import problems
from hub.api.models.quarantine import RefusedPage
from hub.store import views
from hub.store.view_rows import RefusedFull

router = APIRouter(prefix="/quarantine", tags=["Quarantine"])


@router.get("", summary="What was refused, the newest first", responses=problems())
def list_quarantine(
    hub: HubDep,
    agent: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> RefusedPage:
    """Each with its reason, topic and identity as far as it could be read."""
    with reading(hub) as conn:
        found = views.quarantine(conn, agent, cursor_id(cursor), limit + 1)
    entries, last = one_page(found, limit)
    return RefusedPage(
        entries=entries,
        next=str(last.id) if last else None,
    )


@router.get("/{id}", summary="One refused message with its bytes", responses=problems(404))
def show_quarantined(id: Annotated[int, Path(ge=1, le=2**63 - 1)], hub: HubDep) -> RefusedFull:
    """The bytes as they came, Base64."""
    with reading(hub) as conn:
        return views.quarantined(conn, id)
