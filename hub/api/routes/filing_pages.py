"""The console's pages of filing by itself: control windows, and the trust of streams."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from hub.api.access import DESK, allow
from hub.api.deps import ActorDep, Cursor, HubDep, cursor_id, one_page, reading
from hub.api.render import pages_of
from hub.domain.errors import ForbiddenError, NotFoundError
from hub.services.filing.control_windows import OFFERED_FOR, prefilled
from hub.services.filing.trust import trust_table
from hub.services.reach import event_in_reach
from hub.store import control_windows, views

router = APIRouter(include_in_schema=False, dependencies=[allow(*DESK)])

_PAGE = 50
_STATES = ("standing", "over", "all")


@router.get("/windows")
def show_windows(
    request: Request,
    hub: HubDep,
    actor: ActorDep,
    state: Annotated[str, Query(max_length=20)] = "standing",
    event: Annotated[str, Query(max_length=64)] = "",
    cursor: Cursor = None,
) -> HTMLResponse:
    """Control windows and silences, and the form for a new one; event: prefilled from it."""
    state = state if state in _STATES else "standing"
    now = hub.now()
    with reading(hub) as conn:
        found = control_windows.page(conn, state, now, cursor_id(cursor), _PAGE + 1)
        offer = None
        try:
            about = event_in_reach(conn, event, actor) if event else None
        except (NotFoundError, ForbiddenError):
            about = None
        if about is not None:
            seen = views.detections_of(conn, about.id)
            offer = replace(prefilled(hub, about, next(iter(seen), None)), reason="")
        values: dict[str, Any] = {
            "page": "filing",
            "state": state,
            "offer": offer,
            "about": about,
            "streams": views.streams(conn),
            "cameras": views.names(conn),
        }
    windows, last = one_page(found, _PAGE)
    local = (now + OFFERED_FOR).astimezone(hub.zone)
    values |= {
        "until_value": f"{local:%Y-%m-%dT%H:%M}",
        "iso_offset": local.isoformat()[-6:],
    }
    values |= {"windows": windows, "next": str(last.id) if last else None}
    return pages_of(request).page(request, "windows.html", values)


@router.get("/trust")
def show_trust(request: Request, hub: HubDep) -> HTMLResponse:
    """What every stream has earned for each class."""
    with reading(hub) as conn:
        values = {
            "page": "filing",
            "rows": trust_table(conn, hub),
            "cameras": views.names(conn),
            "rule": hub.categories.filing,
        }
    return pages_of(request).page(request, "trust.html", values)
