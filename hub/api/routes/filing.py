"""Filing by itself: control windows and silences, and the trust that streams earn."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from hub.api.access import DESK, allow
from hub.api.deps import ActorDep, Cursor, HubDep, Id, Limit, Listed, cursor_id, one_page, reading
from hub.api.errors import problems
from hub.api.models.filing import TrustNow, TrustTable, WindowBody, WindowNow, WindowPage
from hub.services.filing.control_windows import WantedWindow, end_window, make_window
from hub.services.filing.trust import trust_table
from hub.store import control_windows

windows_router = APIRouter(
    prefix="/control-windows", tags=["Filing by itself"], dependencies=[allow(*DESK)]
)
trust_router = APIRouter(prefix="/trust", tags=["Filing by itself"], dependencies=[allow(*DESK)])


@windows_router.get("", summary="Control windows, the newest first", responses=problems())
def list_windows(
    hub: HubDep,
    state: Annotated[
        Literal["standing", "over", "all"], Query(description="standing: in force or coming")
    ] = "standing",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> WindowPage:
    """Where and when nothing is filed by itself, by whose word and until when."""
    with reading(hub) as conn:
        found = control_windows.page(conn, state, hub.now(), cursor_id(cursor), limit + 1)
    windows, last = one_page(found, limit)
    return WindowPage(
        windows=[WindowNow.model_validate(w) for w in windows],
        next=str(last.id) if last else None,
    )


@windows_router.post(
    "",
    status_code=201,
    summary="Make a control window or silence",
    responses=problems(403, 404, 409, 413),
)
def make(body: WindowBody, hub: HubDep, actor: ActorDep) -> WindowNow:
    """Events go on being opened and wait for a person, marked; nothing is filed by itself. It ends
    by time; nobody has to take it away."""
    asked = body.model_dump() | {"cells": tuple(body.cells)}
    with hub.pool.connection() as conn:
        return WindowNow.model_validate(make_window(conn, hub, WantedWindow(**asked), actor))


@windows_router.post(
    "/{id}/end", summary="End a window before its time", responses=problems(403, 404, 409, 413)
)
def end(id: Id, hub: HubDep, actor: ActorDep) -> WindowNow:
    """It stays in the list, with who ended it and when."""
    with hub.pool.connection() as conn:
        return WindowNow.model_validate(end_window(conn, hub, id, actor))


@trust_router.get("", summary="The trust streams have earned", responses=problems())
def show_trust(
    hub: HubDep, listed: Listed, agent: Annotated[str | None, Query(max_length=64)] = None
) -> TrustTable:
    """By stream and class: what people judged, the share that was real, its Wilson lower bound and
    whether that earns filing by itself."""
    with reading(hub) as conn:
        rows = trust_table(conn, hub, agent)
    return TrustTable(
        rows=[
            TrustNow(
                agent=r.of.agent,
                stream=r.of.stream,
                kind=r.of.kind,
                label=r.of.label,
                subcategory=r.what.id if r.what else None,
                on=r.on,
                verdicts=r.trust.verdicts,
                least=r.least,
                good=r.trust.good,
                precision=r.trust.precision,
                bound=r.trust.bound,
                target=r.target,
                earned=r.trust.earned,
                since=r.trust.since,
            )
            for r in listed.shown_of(rows)
        ]
    )
