"""The console's pages about what watches: agents, cameras and sensors, what of theirs arrived and
what could not be taken, and how their detectors are tuned."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import HTMLResponse

from contract.taxonomy import Lane
from hub.api import words
from hub.api.access import DESK, allow
from hub.api.deps import Cursor, HubDep, cursor_id, one_page, reading
from hub.api.errors import Problem
from hub.api.problem_pages import problem_page
from hub.api.render import pages_of
from hub.api.routes import blind_pages, sensor_pages
from hub.api.routes.quarantine import WAITING
from hub.domain.errors import NotFoundError
from hub.domain.sight import SILENT_AFTER
from hub.services import watch_expiry
from hub.services.read_manifest import read_manifest
from hub.store import daily_tests, views
from hub.store.part import Part
from hub.store.view_rows import AgentView, LaneView, QuarantineFilter

router = APIRouter(include_in_schema=False, dependencies=[allow(*DESK)])

_PAGE = 50
_CROSSING = "vehicle_crossing"
_HEALTHY = ("online", "ended")
_LANES = [lane.value for lane in Lane]
_DAY = timedelta(days=1)
_LINES = 1000  # of the ledger on one page
_FLOODING = 200  # devices of one page
_RAW = 16 * 1024  # bytes of a message that a page shows


@router.get("/devices")
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


@router.get("/completeness")
def show_completeness(
    request: Request, hub: HubDep, agent: Annotated[str, Query(max_length=64)] = ""
) -> HTMLResponse:
    """What of every lane is here, and who floods."""
    with reading(hub) as conn:
        values = {
            "page": "devices",
            "lanes": views.completeness(conn, agent or None, part=Part(_LINES)),
            "flooding": views.flooding(conn, hub.now() - _DAY, Part(_FLOODING)),
            "agent": agent,
        }
    return pages_of(request).page(request, "completeness.html", values)


@router.get("/quarantine")
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


@router.get("/quarantine/{id}")
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


@router.get("/tuning")
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


def _is_heard(agent: AgentView, now: datetime) -> bool:
    seen_at = agent.seen_at
    return agent.online and seen_at is not None and now - seen_at <= SILENT_AFTER
