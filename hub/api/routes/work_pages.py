"""The page of what waits for whoever is signed in; made for a telephone."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from hub.api.access import PEOPLE, allow
from hub.api.deps import ActorDep, HubDep, reading
from hub.api.render import pages_of
from hub.services.dispatch.my_work import my_work

router = APIRouter(include_in_schema=False, dependencies=[allow(*PEOPLE)])


@router.get("/work")
def show_work(request: Request, hub: HubDep, actor: ActorDep) -> HTMLResponse:
    """Tasks, cases to accept and to deal with, parts to help with."""
    with reading(hub) as conn:
        work = my_work(conn, actor)
    values = {
        "page": "work",
        "work": work,
        "unit": actor.unit,
        "may_handle": actor.role in hub.lifecycle.transitions["accept"].by,
    }
    return pages_of(request).page(request, "work.html", values)
