"""The web application: API, console and live updates over an opened hub."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute

from hub.api import access, errors, refusals, turned_away
from hub.api.assessing import Assessing
from hub.api.guard import Guard
from hub.api.live import Live
from hub.api.recorder import Recorder
from hub.api.render import Pages
from hub.api.routes import (
    alertmanager,
    assessment,
    assessment_pages,
    audit,
    cap,
    detections,
    device_pages,
    devices,
    district_pages,
    event_pages,
    events,
    evidence,
    files,
    filing,
    filing_pages,
    grid,
    grid_upkeep,
    health,
    notices,
    open311,
    outward_pages,
    parameters,
    people,
    photos,
    quarantine,
    rating,
    readings,
    registry,
    sensor_pages,
    sensors,
    sign_in,
    training,
    units,
    webhooks,
    work,
    work_pages,
)
from hub.api.shelf import Shelf
from hub.api.strangers import Strangers
from hub.services.context import Hub

API = "/api/v1"
_STATIC = Path(__file__).resolve().parent.parent / "web" / "static"
_VERSION = "1.0.0"  # of the API
_SUMMARY = """Grid events of a city district, found by cameras and reported by people.

Every error is a problem document (RFC 9457). Changes take `expected_version` or `If-Match`, so
nobody overwrites what they have not seen."""


def create_app(hub: Hub, checks: Mapping[str, Callable[[], bool]] | None = None) -> FastAPI:
    """The application on an opened hub.

    checks: what `/readyz` asks beside the database, by the name it tells. `app.state.live` must
    be closed before the server that runs the app is told to stop, or open pages hold it up.
    """
    live = Live(hub.config.database.url)
    assessing = Assessing(hub)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        live.start()
        yield
        assessing.close()
        live.close()
        await asyncio.to_thread(live.join)

    app = FastAPI(
        title="Gridwarden",
        version=_VERSION,
        description=_SUMMARY,
        openapi_url=None,  # a route of ours: it says who may read it
        docs_url=None,  # its page would fetch scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.hub = hub
    app.state.live = live
    app.state.assessing = assessing
    app.state.checks = dict(checks or {})
    app.state.strangers = Strangers(hub.config.open311.reports_per_hour)
    app.state.raters = Strangers(hub.config.ratings.tries_per_hour)
    app.state.shelf = Shelf([assets_folder(hub), _STATIC])
    app.state.pages = Pages(hub, app.state.shelf)
    refusals.install(app)
    turned_away.install(app)
    app.router.routes.extend(_routes())
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    http = hub.config.http
    access.table(app)  # a route that does not say who may use it is told of now
    app.add_middleware(Recorder, hub=hub)
    app.add_middleware(Guard, hosts=(http.host, *http.allowed_hosts))
    return app


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """All routes, put together once: that takes 0.15 s, and they keep nothing of an app."""
    every = APIRouter()
    for router in (
        events.router,
        work.router,
        events.reports_router,
        detections.router,
        photos.router,  # before what takes any digest
        evidence.router,
        devices.router,
        readings.router,
        sensors.router,
        grid.router,
        grid_upkeep.router,
        units.router,
        people.router,
        registry.router,
        training.router,
        parameters.router,
        quarantine.router,
        webhooks.router,
        notices.router,
        alertmanager.router,
        filing.windows_router,
        filing.trust_router,
        health.live_router,
        assessment.router,
        audit.router,
        sign_in.api_router,
    ):
        every.include_router(router, prefix=API)
    every.include_router(health.router)
    every.include_router(files.router)
    every.include_router(open311.router)
    every.include_router(cap.router)
    every.include_router(rating.router)
    every.include_router(event_pages.router)
    every.include_router(device_pages.router)
    every.include_router(work_pages.router)
    every.include_router(outward_pages.router)
    every.include_router(assessment_pages.router)
    every.include_router(sensor_pages.router)
    every.include_router(sign_in.router)
    every.include_router(audit.pages_router)
    every.add_api_route(
        f"{API}/openapi.json",
        _document,
        include_in_schema=False,
        dependencies=[access.TO_EVERYONE],
    )
    every.include_router(filing_pages.router)
    every.include_router(district_pages.router)
    return tuple(every.routes)


def assets_folder(hub: Hub) -> Path:
    """Where the libraries fetched at set-up time lie: as configured, or beside the interpreter."""
    return hub.config.hub.assets_dir or Path(sys.prefix) / "share" / "gridwarden" / "assets"


def _document(request: Request) -> JSONResponse:
    return JSONResponse(request.app.openapi())


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        app.openapi_schema = errors.describe_problems(document)
    return app.openapi_schema
