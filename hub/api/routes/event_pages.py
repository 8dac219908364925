"""The console's pages about events: what is read, put into templates.

No page changes anything; its buttons ask the API.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from psycopg import Connection
from starlette.responses import HTMLResponse, RedirectResponse, Response

from contract.taxonomy import Severity
from hub.api import words
from hub.api.access import DESK, PEOPLE, allow
from hub.api.deps import ActorDep, Cursor, HubDep, cursor_id, one_page, reading
from hub.api.errors import Problem
from hub.api.event_pane import pane
from hub.api.handling import of_event_page
from hub.api.offers import may_undo, offered
from hub.api.problem_pages import problem_page
from hub.api.render import pages_of
from hub.domain.actor import Actor
from hub.domain.errors import ForbiddenError, NotFoundError
from hub.domain.guards import UNDO_WITHIN
from hub.domain.reach import within
from hub.domain.retention import REJECTED
from hub.services.context import Hub
from hub.services.explain_clock import explain_clock
from hub.services.merge_events import JOINING
from hub.services.open_requests import open_requests
from hub.services.reach import event_in_reach
from hub.store import evidence_keeping, registry, views
from hub.store.rows import GridEventRow
from hub.store.view_rows import EventFilter

router = APIRouter(include_in_schema=False, dependencies=[allow(*PEOPLE)])

_DECISIONS = ("confirm", "reject", "file", "refuse", "endorse", "recall")  # made in triage
_PAGE = 50


@router.get("/", dependencies=[allow(*DESK)])
def show_triage(
    request: Request,
    hub: HubDep,
    actor: ActorDep,
    event: Annotated[str | None, Query(max_length=64)] = None,
) -> HTMLResponse:
    """The queue, one event of it, and its place."""
    with reading(hub) as conn:
        queue = views.queue(conn, within=within(actor))
        chosen = _chosen(conn, event, actor) or (
            views.event(conn, queue[0].number) if queue else None
        )
        values = (
            {"page": "triage", "queue": queue, "selected": chosen.number if chosen else None}
            | pane(conn, hub, chosen, actor, swap=False)
            | _last(conn, hub, actor.name)
        )
    return pages_of(request).page(request, "triage.html", values)


@router.get("/triage/queue", dependencies=[allow(*DESK)])
def show_queue(request: Request, hub: HubDep, actor: ActorDep) -> HTMLResponse:
    """The queue alone, as it is now."""
    with reading(hub) as conn:
        queue = views.queue(conn, within=within(actor))
    return pages_of(request).page(request, "_queue.html", {"queue": queue, "selected": None})


@router.get("/triage/events/none", dependencies=[allow(*DESK)])
def show_no_event(request: Request, hub: HubDep, actor: ActorDep) -> HTMLResponse:
    """The pane of an empty queue."""
    with reading(hub) as conn:
        values = pane(conn, hub, None, actor, swap=True)
    return pages_of(request).page(request, "_evidence.html", values)


@router.get("/triage/events/{number}", dependencies=[allow(*DESK)])
def show_evidence(number: str, request: Request, hub: HubDep, actor: ActorDep) -> HTMLResponse:
    """The evidence and facts of one event."""
    with reading(hub) as conn:
        event = event_in_reach(conn, number, actor)
        values = pane(conn, hub, event, actor, swap=True)
    return pages_of(request).page(request, "_evidence.html", values)


@router.get("/triage/last", dependencies=[allow(*DESK)])
def show_last(request: Request, hub: HubDep, actor: ActorDep) -> HTMLResponse:
    """The last decision, as long as it can be undone."""
    with reading(hub) as conn:
        values = _last(conn, hub, actor.name)
    return pages_of(request).page(request, "_last.html", values)


@router.get("/events")
def show_events(
    request: Request,
    hub: HubDep,
    actor: ActorDep,
    state: Annotated[str, Query(max_length=20)] = "",
    severity: Annotated[str, Query(max_length=4)] = "",
    text: Annotated[str, Query(max_length=200)] = "",
    cursor: Cursor = None,
) -> HTMLResponse:
    """Every grid event, the newest first."""
    wanted = EventFilter(
        [state] if state in words.STATES else None,
        [severity] if severity in Severity.__members__ else None,
        text=text.replace("\0", ""),
        within=within(actor),
    )
    with reading(hub) as conn:
        found = views.events(conn, wanted, cursor_id(cursor), _PAGE + 1)
    events, last = one_page(found, _PAGE)
    return pages_of(request).page(
        request,
        "events.html",
        {
            "page": "events",
            "events": events,
            "next": str(last.id) if last else None,
            "filter": {"state": state, "severity": severity, "text": text},
        },
    )


@router.get("/events/{number}", response_model=None)
def show_event(
    number: str,
    request: Request,
    hub: HubDep,
    actor: ActorDep,
    itself: bool = False,
    merged: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """One event with everything, and what may be done with it.

    A merged one leads to the event that stands for it. itself: show the tombstone all the same;
    merged: the number of the one that led here.
    """
    try:
        with reading(hub) as conn:
            event = event_in_reach(conn, number, actor)
            root = views.root_of(conn, event.id) if event.parent is not None else None
            if root is not None and not itself:
                return RedirectResponse(f"/events/{root.number}?merged={event.number}", 303)
            values = pane(conn, hub, event, actor, swap=False) | {
                "page": "events",
                "root": root,
                "merged": views.merged_into(conn, event.id),
                "repeated_by": views.repeats(conn, event.id),
                **_arrived_from(conn, hub, event, merged, actor),
                "verdict": views.verdict(conn, event.id),
                "parent": None if event.parent is None else views.event_number(conn, event.parent),
                "hold": evidence_keeping.hold_on_event(conn, event.id),
                "entries": registry.links_of_event(conn, event.id),
            }
            values |= of_event_page(conn, hub, event, actor, values["pictures"], values["history"])
    except NotFoundError as e:
        return problem_page(request, Problem.of(404, str(e)))
    verdict = values["verdict"]
    offered_by = verdict and hub.lifecycle.verdicts[verdict.verdict].offers
    values["offers_window"] = offered_by == "control_window"
    values["live_nearby"] = [
        (e, metres) for e, metres in values["nearby"] if e.number != event.number
    ][:8]
    held = values["hold"] is not None
    values["story"] = explain_clock(hub, event, values["history"])
    values["offers"] = offered(hub, event, values["history"], actor, held=held)
    values["waits"] = open_requests(hub, values["history"]).waiting(event.state)
    values["keep_days"] = _keep_days(hub, event)
    ended_at = event.ended_at
    values["keep_until"] = ended_at and ended_at + timedelta(days=values["keep_days"])
    return pages_of(request).page(request, "event.html", values)


@router.get("/report")
def show_report(request: Request) -> HTMLResponse:
    """The form for what a person saw."""
    return pages_of(request).page(request, "report.html", {"page": "report"})


def _keep_days(hub: Hub, event: GridEventRow) -> int:
    """Days for which the evidence of an event is kept once the case has ended."""
    periods = hub.config.evidence.periods()
    return periods.rejected if event.state in REJECTED else periods.category[event.category]


def _chosen(conn: Connection[Any], number: str | None, actor: Actor) -> GridEventRow | None:
    """The event an address names; None where there is none: the address may be old."""
    try:
        return event_in_reach(conn, number, actor) if number else None
    except (NotFoundError, ForbiddenError):
        return None


def _arrived_from(
    conn: Connection[Any], hub: Hub, event: GridEventRow, number: str, actor: Actor
) -> dict[str, Any]:
    """The merged event that led here, who merged it, and whether that can still be undone."""
    child = _chosen(conn, number, actor)
    if child is None or child.parent is None or views.root_of(conn, child.id).id != event.id:
        return {"arrived_from": None, "merge_step": None, "may_unmerge_by_undo": False}
    history = views.history(conn, child.id)
    step = next((h for h in reversed(history) if h.name in JOINING), None)
    return {
        "arrived_from": child,
        "merge_step": step,
        "may_unmerge_by_undo": may_undo(hub, history, actor),
    }


def _last(conn: Connection[Any], hub: Hub, actor: str) -> dict[str, Any]:
    last = views.last_decision(conn, actor, hub.now() - UNDO_WITHIN, _DECISIONS)
    return {"last": last, "undo_until": last.at + UNDO_WITHIN if last else None}
