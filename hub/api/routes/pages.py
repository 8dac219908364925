"""The console's pages: what is read, put into templates. They change nothing; their buttons ask
the API."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from psycopg import Connection
from starlette.responses import HTMLResponse, RedirectResponse, Response

from contract.taxonomy import Lane, Severity
from hub.api import words
from hub.api.access import DESK, PEOPLE, allow
from hub.api.by_itself import by_itself
from hub.api.curve import Curve, score_curve
from hub.api.deps import ActorDep, Cursor, HubDep, cursor_id, one_page, reading
from hub.api.errors import Problem
from hub.api.handling import of_event_page
from hub.api.offers import may_undo, offered
from hub.api.problem_pages import problem_page
from hub.api.render import pages_of
from hub.api.routes import blind_pages, sensor_pages
from hub.api.routes.parameters import read_manifest
from hub.api.routes.quarantine import WAITING
from hub.api.sensor_charts import Measured, measured
from hub.domain.actor import Actor
from hub.domain.errors import ForbiddenError, NotFoundError
from hub.domain.guards import UNDO_WITHIN
from hub.domain.reach import within
from hub.domain.retention import REJECTED
from hub.domain.sight import SILENT_AFTER
from hub.services import watch_expiry
from hub.services.context import Hub
from hub.services.explain_clock import explain_clock
from hub.services.filing.control_windows import windows_over
from hub.services.merge_events import JOINING
from hub.services.open_requests import open_requests
from hub.services.reach import event_in_reach
from hub.store import daily_tests, evidence_keeping, registry, views
from hub.store.rows import DetectionRow, GridEventRow
from hub.store.view_rows import AgentView, EventFilter, LaneView, Picture, QuarantineFilter

router = APIRouter(include_in_schema=False, dependencies=[allow(*PEOPLE)])

_NEARBY_M = 500.0
_CURVE_S = 30.0  # of scores before and after the moment it fired
_DECISIONS = ("confirm", "reject", "file", "refuse", "endorse", "recall")  # made in triage
_PAGE = 50
_CROSSING = "vehicle_crossing"
_HEALTHY = ("online", "ended")
_LANES = [lane.value for lane in Lane]
_DAY = timedelta(days=1)
_LINES = 1000  # of the ledger on one page
_RAW = 16 * 1024  # bytes of a message that a page shows
_CLIP_COMES_WITHIN = timedelta(seconds=120)  # the seconds after the alarm, encoding, the way here


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
            | _pane(conn, hub, chosen, actor, swap=False)
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
        values = _pane(conn, hub, None, actor, swap=True)
    return pages_of(request).page(request, "_evidence.html", values)


@router.get("/triage/events/{number}", dependencies=[allow(*DESK)])
def show_evidence(number: str, request: Request, hub: HubDep, actor: ActorDep) -> HTMLResponse:
    """The evidence and facts of one event."""
    with reading(hub) as conn:
        event = event_in_reach(conn, number, actor)
        values = _pane(conn, hub, event, actor, swap=True)
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
            values = _pane(conn, hub, event, actor, swap=False) | {
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


@router.get("/devices", dependencies=[allow(*DESK)])
def show_devices(request: Request, hub: HubDep) -> HTMLResponse:
    """Agents, cameras, what arrived of what they sent, what was refused."""
    now = hub.now()
    pages = pages_of(request)
    with reading(hub) as conn:
        agents, streams = views.agents(conn), views.streams(conn)
        lanes = views.completeness(conn, present=True)
        counts = views.counts(conn, _CROSSING, pages.midnight(now))
        refused = views.quarantine(conn, QuarantineFilter(), None, 5)
        of_sensors = sensor_pages.of_devices_page(conn, agents, now)
        ending = watch_expiry.endings(conn, hub)
        tests = daily_tests.last_tests(conn)
        of_cells = blind_pages.of_devices_page(conn, now)
    boots = {a.agent: a.boot for a in agents}
    ledger: dict[str, list[LaneView]] = {}
    for lane in lanes:
        if boots.get(lane.agent) in (lane.boot, None):
            ledger.setdefault(lane.agent, []).append(lane)
    for lane_list in ledger.values():
        lane_list.sort(key=lambda lane: _LANES.index(lane.lane))
    return pages.page(
        request,
        "devices.html",
        {
            "page": "devices",
            "agents": agents,
            "streams": sorted(streams, key=lambda s: s.state in _HEALTHY),
            "heard": {a.agent for a in agents if _is_heard(a, now)},
            "ledger": ledger,
            "spooled": {(a.agent, k): n for a in agents for k, n in a.spooled.items()},
            "counts": counts,
            "refused": refused,
            **of_sensors,
            **of_cells,
            "ending": ending,
            "tests": {(x.agent, x.stream): (x.state(now).value, x) for x in tests},
        },
    )


@router.get("/completeness", dependencies=[allow(*DESK)])
def show_completeness(
    request: Request, hub: HubDep, agent: Annotated[str, Query(max_length=64)] = ""
) -> HTMLResponse:
    """What of every lane is here, and who floods."""
    with reading(hub) as conn:
        values = {
            "page": "devices",
            "lanes": views.completeness(conn, agent or None, limit=_LINES),
            "flooding": views.flooding(conn, hub.now() - _DAY),
            "agent": agent,
        }
    return pages_of(request).page(request, "completeness.html", values)


@router.get("/quarantine", dependencies=[allow(*DESK)])
def show_quarantine(
    request: Request,
    hub: HubDep,
    state: Annotated[str, Query(max_length=20)] = "waiting",
    fault: Annotated[str, Query(max_length=20)] = "",
    agent: Annotated[str, Query(max_length=64)] = "",
    cursor: Cursor = None,
) -> HTMLResponse:
    """What could not be taken, the newest first."""
    state = state if state in WAITING else "waiting"
    wanted = QuarantineFilter(
        agent or None, fault if fault in words.FAULTS else None, WAITING[state]
    )
    with reading(hub) as conn:
        found = views.quarantine(conn, wanted, cursor_id(cursor), _PAGE + 1)
        counts = {c.fault: c.n for c in views.quarantine_counts(conn)}
    entries, last = one_page(found, _PAGE)
    values = {
        "page": "devices",
        "entries": entries,
        "counts": counts,
        "next": str(last.id) if last else None,
        "filter": {"state": state, "fault": fault, "agent": agent},
    }
    return pages_of(request).page(request, "quarantine.html", values)


@router.get("/quarantine/{id}", dependencies=[allow(*DESK)])
def show_quarantined(
    id: Annotated[int, Path(ge=1, le=2**63 - 1)], request: Request, hub: HubDep
) -> HTMLResponse:
    """One entry with its bytes, and what may be done with it."""
    try:
        with reading(hub) as conn:
            entry = views.quarantined(conn, id)
    except NotFoundError as e:
        return problem_page(request, Problem.of(404, str(e)))
    raw = base64.b64decode(entry.payload_base64)
    text = raw[:_RAW].decode("utf-8", "backslashreplace")
    values = {"page": "devices", "entry": entry, "text": text, "cut": len(raw) > _RAW}
    return pages_of(request).page(request, "quarantined.html", values)


@router.get("/tuning", dependencies=[allow(*DESK)])
def show_tuning(
    request: Request,
    hub: HubDep,
    agent: Annotated[str, Query(max_length=64)] = "",
    stream: Annotated[str, Query(max_length=64)] = "",
    kind: Annotated[str, Query(max_length=64)] = "",
) -> HTMLResponse:
    """The parameters of one detector on one camera; what is not named is the first there is."""
    with reading(hub) as conn:
        known = {a.agent: a for a in views.agents(conn) if a.manifest}
        name = agent if agent in known else next(iter(known), "")
        commands = views.commands(conn, name, 10) if name else []
    manifest = read_manifest(name, known[name].manifest) if name else None
    streams = [s for s in manifest.tuned() if s.detectors] if manifest else []
    chosen = next((s for s in streams if s.stream == stream), streams[0] if streams else None)
    detectors = chosen.detectors if chosen else []
    detector = next((d for d in detectors if d.kind == kind), detectors[0] if detectors else None)
    properties = detector.schema.get("properties", {}) if detector else {}
    return pages_of(request).page(
        request,
        "tuning.html",
        {
            "page": "tuning",
            "agents": list(known),
            "agent": name,
            "online": bool(name) and known[name].online,
            "streams": streams,
            "stream": chosen,
            "detector": detector,
            # what is tuned most stands first
            "knobs": sorted(properties.items(), key=lambda item: item[0] != "threshold"),
            "commands": commands,
            "latest": commands[0] if commands else None,
        },
    )


@router.get("/report")
def show_report(request: Request) -> HTMLResponse:
    """The form for what a person saw."""
    return pages_of(request).page(request, "report.html", {"page": "report"})


def _is_heard(agent: AgentView, now: datetime) -> bool:
    seen_at = agent.seen_at
    return agent.online and seen_at is not None and now - seen_at <= SILENT_AFTER


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


def _pane(
    conn: Connection[Any], hub: Hub, event: GridEventRow | None, actor: Actor, *, swap: bool
) -> dict[str, Any]:
    """What the pane of an event shows. swap: as a part, with the facts beside it."""
    if event is None:
        nothing: list[Any] = []
        return {"event": None, "swap": swap, "clip_due": False, "filing": None} | dict.fromkeys(
            ("detections", "pictures", "reports", "history", "nearby", "windows"), nothing
        )
    detections = views.detections_of(conn, event.id)
    pictures = views.pictures(conn, event.id)
    episodes = {d.episode: d for d in detections}
    first = next((p.episode for p in pictures if p.is_image and p.episode in episodes), None)
    # told of is the detection whose picture is on show; without one, the first
    shown = episodes[first] if first else next(iter(detections), None)
    return {
        "event": event,
        "swap": swap,
        "detections": detections,
        "episodes": episodes,
        "detection": shown,
        "why": views.why_raised(conn, shown.episode) if shown else "",
        "curve": _curve(conn, shown) if shown else None,
        "measured": _measured(conn, hub, shown) if shown else None,
        "pictures": pictures,
        "clip_due": _clip_due(conn, detections, pictures, hub.now()),
        "reports": views.reports(conn, event.id),
        "history": views.history(conn, event.id),
        "nearby": views.nearby(conn, event, _NEARBY_M, within(actor)),
        "filing": by_itself(hub, event),
        "windows": windows_over(conn, event, detections),
        "recurrence_of": None
        if event.recurrence_of is None
        else views.event_number(conn, event.recurrence_of),
        "cameras": views.names(conn),
    }


def _clip_due(
    conn: Connection[Any],
    detections: Sequence[DetectionRow],
    pictures: Sequence[Picture],
    now: datetime,
) -> bool:
    """Whether a clip is still being made of a detection that was raised just now."""
    shown = {p.episode for p in pictures if p.role == "clip"}
    young = [
        d for d in detections if d.episode not in shown and now - d.raised_at < _CLIP_COMES_WITHIN
    ]
    for agent in {d.agent for d in young}:
        manifest = views.agent(conn, agent).manifest
        streams = read_manifest(agent, manifest).streams if manifest else []
        making = {s.stream for s in streams if s.clip_s > 0.0}
        if any(d.agent == agent and d.stream in making for d in young):
            return True
    return False


def _curve(conn: Connection[Any], detection: DetectionRow) -> Curve | None:
    scores = views.scores_around(conn, detection.episode, _CURVE_S)
    return score_curve(scores, detection.rule["threshold"])


def _measured(conn: Connection[Any], hub: Hub, detection: DetectionRow) -> Measured | None:
    return measured(detection, views.curves_of(conn, detection.episode), hub.zone)


def _last(conn: Connection[Any], hub: Hub, actor: str) -> dict[str, Any]:
    last = views.last_decision(conn, actor, hub.now() - UNDO_WITHIN, _DECISIONS)
    return {"last": last, "undo_until": last.at + UNDO_WITHIN if last else None}
