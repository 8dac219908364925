"""The console's pages of sensors."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from psycopg import Connection
from starlette.responses import HTMLResponse

from contract.messages import SensorHealth
from hub.api.access import DESK, allow
from hub.api.deps import HubDep, reading
from hub.api.errors import Problem
from hub.api.problem_pages import problem_page
from hub.api.render import pages_of
from hub.api.sensor_charts import RANGES, chart, sparks
from hub.domain.errors import NotFoundError
from hub.store import sensor_views
from hub.store.part import Part
from hub.store.sensor_views import SensorView
from hub.store.view_rows import AgentView

router = APIRouter(include_in_schema=False, dependencies=[allow(*DESK)])

SHOWN = 40  # sensors on the devices page, those that need a look first
_MOST = 2000


@router.get("/sensors/{agent}/{device}")
def show_sensor(
    agent: str,
    device: str,
    request: Request,
    hub: HubDep,
    range: Annotated[str, Query(max_length=8)] = "day",
) -> HTMLResponse:
    """One sensor: the last values and a chart of each series."""
    now, zone = hub.now(), hub.zone
    name = range if range in RANGES else "day"
    try:
        with reading(hub) as conn:
            view = sensor_views.sensor(conn, agent, device)
            charts = [(v, chart(conn, v, name, now, zone)) for v in view.series]
    except NotFoundError as e:
        return problem_page(request, Problem.of(404, str(e)))
    return pages_of(request).page(
        request,
        "sensor.html",
        {
            "page": "devices",
            "view": view,
            "charts": charts,
            "range": name,
            "ranges": RANGES,
            "silent_since": view.silent_since(now),
        },
    )


def of_devices_page(
    conn: Connection[Any], agents: list[AgentView], now: datetime
) -> dict[str, Any]:
    """What the devices page shows of sensors: those that need a look first, and their sources."""
    found = sensor_views.sensors(conn, part=Part(_MOST))
    found.sort(key=lambda s: (not s.faults, s.silent_since(now) is None))
    shown = found[:SHOWN]
    return {
        "sensors": shown,
        "sensors_in_all": len(found),
        "silent": {_name(s): at for s in found if (at := s.silent_since(now)) is not None},
        "sparks": sparks(conn, shown, now) if shown else {},
        "sources": [(a, s) for a in agents for s in _sources(a)],
    }


def _sources(agent: AgentView) -> list[SensorHealth]:
    told = (agent.heartbeat or {}).get("sensors", [])
    try:
        return msgspec.convert(told, list[SensorHealth])
    except msgspec.ValidationError:  # a later agent says it in another way
        return []


def _name(view: SensorView) -> tuple[str, str]:
    return view.sensor.agent, view.sensor.device
