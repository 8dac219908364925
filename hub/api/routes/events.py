"""Grid events: list, one with everything, verdict, acts, undo, and reports by people."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from contract.geometry import Point
from contract.taxonomy import Severity
from hub.api.access import DESK, PEOPLE, allow
from hub.api.by_itself import by_itself
from hub.api.deps import (
    ActorDep,
    Cursor,
    HubDep,
    Id,
    IfMatch,
    Limit,
    cursor_id,
    one_page,
    reading,
    seen_version,
)
from hub.api.errors import problems
from hub.api.models.clock import ClocksNow
from hub.api.models.detections import DetectionNow, PictureNow
from hub.api.models.events import (
    ActOn,
    EventBrief,
    EventFull,
    EventNow,
    EventPage,
    HistoryEntry,
    Judge,
    Merged,
    Offered,
    OfferNow,
    Rate,
    RatingNow,
    Report,
    ReportAnswer,
    ReportNow,
    Root,
    State,
    VerdictNow,
)
from hub.api.models.evidence import Because
from hub.api.models.filing import WindowNow, WindowOffer
from hub.api.recorder import detail
from hub.domain.actor import Role
from hub.domain.correlate import HOTSPOT
from hub.domain.errors import NotFoundError
from hub.domain.rating import Standing
from hub.domain.reach import Place, check_reach, within
from hub.services.act_on_event import Act, act_on_event, undo
from hub.services.context import Hub
from hub.services.event_facts import ground_of
from hub.services.explain_clock import explain_clock
from hub.services.filing.control_windows import prefilled, windows_over
from hub.services.judge_detection import Judgement, judge_detection
from hub.services.outward.own_report import MyReport, my_report
from hub.services.outward.rate_case import rate, take_down_comment
from hub.services.reach import event_in_reach
from hub.services.report_manually import ManualReport, report_manually
from hub.store import reports, views
from hub.store.rows import DetectionRow, GridEventRow, VerdictRow
from hub.store.view_rows import EventFilter

router = APIRouter(prefix="/events", tags=["Grid events"], dependencies=[allow(*PEOPLE)])
reports_router = APIRouter(
    prefix="/reports",
    tags=["Grid events"],
    dependencies=[allow(*PEOPLE, Role.CITIZEN)],
)


@router.get("", summary="Grid events, the newest first", responses=problems())
def list_events(
    hub: HubDep,
    actor: ActorDep,
    state: Annotated[list[State] | None, Query()] = None,
    severity: Annotated[list[Severity] | None, Query()] = None,
    cell: Annotated[
        str | None, Query(pattern=r"^[0-9]{1,15}$", description="A grid code or its beginning")
    ] = None,
    text: Annotated[
        str | None, Query(max_length=200, description="In title, number, camera or report")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> EventPage:
    """Filters are joined by and; several values of one by or."""
    wanted = EventFilter(state, severity, cell, text, within(actor))
    with reading(hub) as conn:
        found = views.events(conn, wanted, cursor_id(cursor), limit + 1)
    events, last = one_page(found, limit)
    return EventPage(
        events=[EventBrief.model_validate(e) for e in events],
        next=str(last.id) if last else None,
    )


@router.get("/{number}", summary="One grid event with everything", responses=problems(404))
def show_event(number: str, hub: HubDep, actor: ActorDep, response: Response) -> EventFull:
    """Detections, evidence, reports, the standing verdict, the whole history and what whoever
    asks may do next. The ETag is its version, for If-Match."""
    with reading(hub) as conn:
        event = event_in_reach(conn, number, actor)
        verdict = views.verdict(conn, event.id)
        history = views.history(conn, event.id)
        detections = views.detections_of(conn, event.id)
        full = EventFull(
            **EventNow.model_validate(event).model_dump(),
            parent=None if event.parent is None else views.event_number(conn, event.parent),
            answered_by=None
            if event.parent is None
            else Root.model_validate(views.root_of(conn, event.id)),
            merged=[Merged.model_validate(m) for m in views.merged_into(conn, event.id)],
            recurrence_of=None
            if event.recurrence_of is None
            else views.event_number(conn, event.recurrence_of),
            repeated_by=views.repeats(conn, event.id),
            hotspot=event.occurrence >= HOTSPOT,
            by_itself=by_itself(conn, hub, event),
            control_windows=[
                WindowNow.model_validate(w) for w in windows_over(conn, event, detections)
            ],
            offers=_offers(hub, event, verdict, detections),
            detections=[DetectionNow.model_validate(d) for d in detections],
            evidence=[PictureNow.model_validate(p) for p in views.pictures(conn, event.id)],
            reports=[ReportNow.model_validate(r) for r in views.reports(conn, event.id)],
            verdict=None if verdict is None else VerdictNow.model_validate(verdict),
            history=[HistoryEntry.model_validate(h) for h in history],
            allowed=[
                OfferNow(name=o.name, needs=list(o.needs), is_act=o.is_act)
                for o in hub.lifecycle.offers_to(actor, event.state, ground_of(event, history))
            ],
        )
    response.headers["ETag"] = f'"{event.version}"'
    if full.answered_by is not None:
        path = f"/api/v1/events/{full.answered_by.number}"
        response.headers["Link"] = f'<{path}>; rel="successor-version"'
    return full


@router.get(
    "/{number}/clock", summary="Why an event is due when it is due", responses=problems(404)
)
def show_clock(number: str, hub: HubDep, actor: ActorDep) -> ClocksNow:
    """Every stage clock: running, paused or off hours, span by span with the rule; the ladder."""
    with reading(hub) as conn:
        event = event_in_reach(conn, number, actor)
        story = explain_clock(hub, event, views.history(conn, event.id))
    return ClocksNow.of(event.number, event.state, hub.now(), hub.config.hub.time_zone, story)


@router.post(
    "/{number}/verdict",
    summary="Say what a machine detection is",
    dependencies=[allow(*DESK)],
    responses=problems(403, 404, 409, 413),
)
def judge(
    number: str,
    body: Judge,
    request: Request,
    hub: HubDep,
    actor: ActorDep,
    response: Response,
    if_match: IfMatch = None,
) -> EventNow:
    """The event is filed or rejected, and the reason becomes a label of the detector. 409 tells
    who was faster, with what and when; then nothing of this request was done."""
    version = seen_version(body.expected_version, if_match)
    detail(request, body.verdict)
    judgement = Judgement(**body.model_dump(exclude={"expected_version"}))
    with hub.pool.connection() as conn:
        event = judge_detection(conn, hub, number, judgement, actor, version)
    return _changed(event, response)


@router.post(
    "/{number}/acts",
    summary="Move an event along its lifecycle",
    responses=problems(403, 404, 409, 413),
)
def act(
    number: str,
    body: ActOn,
    request: Request,
    hub: HubDep,
    actor: ActorDep,
    response: Response,
    if_match: IfMatch = None,
) -> EventNow:
    """A transition or an act by name; `allowed` of the event lists them with what each needs."""
    version = seen_version(body.expected_version, if_match)
    detail(request, body.name)
    said = body.model_dump(exclude={"expected_version"})
    with hub.pool.connection() as conn:
        event = act_on_event(
            conn, hub, number, Act(**said | {"evidence": tuple(body.evidence)}), actor, version
        )
    return _changed(event, response)


@router.post(
    "/{number}/undo",
    summary="Take back the last change within 30 s",
    responses=problems(403, 404, 409, 413),
)
def take_back(number: str, hub: HubDep, actor: ActorDep, response: Response) -> EventNow:
    """Open to who made it, as long as nothing followed."""
    with hub.pool.connection() as conn:
        event = undo(conn, hub, number, actor)
    return _changed(event, response)


@reports_router.post(
    "", status_code=201, summary="Report what a person saw", responses=problems(403, 413)
)
def report(
    body: Report,
    hub: HubDep,
    actor: ActorDep,
    response: Response,
    idempotency_key: Annotated[
        str | None,
        Header(
            max_length=200,
            pattern=r"^[\x21-\x7e]+$",
            description="Chosen by the sender; a repeated request with it is the same report",
        ),
    ] = None,
) -> EventNow:
    """The grid event that answers it: one nearby that it joined, or a new one. The place is the
    event's `Location`."""
    asked = ManualReport(
        reporter=actor,
        description=body.description,
        position=Point(body.lon, body.lat),
        category=body.category,
        subcategory=body.subcategory,
        severity=body.severity,
        occurred_at=body.occurred_at,
        request_key=idempotency_key,
        evidence=tuple(body.evidence),
    )
    with hub.pool.connection() as conn:
        event = report_manually(conn, hub, asked)
    response.headers["Location"] = f"/api/v1/events/{event.number}"
    return _changed(event, response)


@reports_router.get("/{id}", summary="What became of a report", responses=problems(404))
def show_report(id: Id, hub: HubDep, actor: ActorDep) -> ReportAnswer:
    """The answer follows the event it was merged into, and that one's progress. A citizen sees
    their own."""
    with reading(hub) as conn:
        said = reports.by_id(conn, id)
        if said is None or (actor.role is Role.CITIZEN and said.reporter != actor.name):
            raise NotFoundError("report", str(id))
        event = views.root_of(conn, said.event)
        if said.reporter != actor.name:
            check_reach(actor, [Place(event.cell, event.responsible_unit)], f"report {id}")
        own = said.reporter == actor.name
        return ReportAnswer(
            id=id,
            reported_at=said.reported_at,
            event=event.number,
            opened_as=views.event_number(conn, said.event) or event.number,
            state=event.state,  # type: ignore[arg-type]
            open311=hub.lifecycle.states[event.state].open311,  # type: ignore[arg-type]
            responsible_unit=event.responsible_unit,
            due_at=event.due_at,
            ended_at=event.ended_at,
            reject_reason=event.reject_reason,
            rating=_rating(my_report(conn, hub, id)) if own else None,
        )


@reports_router.post(
    "/{id}/rating",
    summary="Rate what became of a report",
    responses=problems(403, 404, 409, 413),
)
def rate_report(id: Id, body: Rate, hub: HubDep, actor: ActorDep) -> RatingNow:
    """Open to who made it, once the case is closed, for so many days ([ratings]); nobody rates
    their own work. It can be changed until the month of assessment ends."""
    with hub.pool.connection() as conn:
        said = reports.by_id(conn, id)
        if said is None or said.reporter != actor.name:
            raise NotFoundError("report of yours", str(id))
        return _rating(rate(conn, hub, id, body.score, body.comment, actor))


@reports_router.post(
    "/{id}/rating/take-down",
    status_code=204,
    summary="Take down what a reporter wrote beside a rating",
    dependencies=[allow(Role.MASTER)],
    responses=problems(403, 404, 409, 413),
)
def take_down(id: Id, body: Because, hub: HubDep, actor: ActorDep) -> None:
    """For what names somebody, or abuses them. Its bytes are deleted; the score stays and counts,
    and the history of the event says who did it and why. No comment of this report is taken any
    more."""
    with hub.pool.connection() as conn:
        take_down_comment(conn, hub, id, body.reason, actor)


def _rating(mine: MyReport) -> RatingNow:
    standing, said = mine.ratable.standing, mine.rating
    if standing not in (Standing.RATED, Standing.SETTLED):
        said = None  # what was said of an earlier closing is not of this one
    return RatingNow(
        standing=standing,
        until=mine.ratable.until,
        score=said.score if said else None,
        comment=said.comment if said else "",
        comment_taken_down_at=said.taken_down_at if said else None,
    )


def _offers(
    hub: Hub, event: GridEventRow, verdict: VerdictRow | None, detections: list[DetectionRow]
) -> Offered | None:
    if verdict is None or hub.lifecycle.verdicts[verdict.verdict].offers != "control_window":
        return None
    window = prefilled(hub, event, next(iter(detections), None))
    return Offered(control_window=WindowOffer.model_validate(window))


def _changed(event: GridEventRow, response: Response) -> EventNow:
    response.headers["ETag"] = f'"{event.version}"'
    return EventNow.model_validate(event)
