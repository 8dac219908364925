"""Whether the process lives, whether it can work, and what changes while it does."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import psycopg
import psycopg_pool
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from hub.api.access import DESK, PEOPLE, TO_EVERYONE, allow, allow_this_machine
from hub.api.caller import look_up
from hub.api.deps import ActorDep, HubDep
from hub.api.errors import Problem, problem_response, problems
from hub.api.live import MAX_CLIENTS, Live, LiveClient
from hub.api.metrics import MEDIA_TYPE, metrics
from hub.api.models.health import Alive, Ready
from hub.domain.actor import Role
from hub.domain.errors import SignedOutError
from hub.store import views

router = APIRouter(tags=["Health"])
live_router = APIRouter(tags=["Live"])

LOOK_EVERY_S = 3.0  # whether who listens is still signed in; a quiet stream is written to each 15 s


@router.get(
    "/healthz", summary="The process runs", dependencies=[TO_EVERYONE], responses=problems()
)
def alive() -> Alive:
    """Asks nothing of anybody."""
    return Alive()


@router.get(
    "/readyz",
    summary="Database and ingestion are there",
    dependencies=[TO_EVERYONE],
    response_model=Ready,
    responses=problems(),
)
def ready(request: Request, hub: HubDep) -> Ready | Response:
    """503 names what is missing. Ingestion may run in another process: what counts is that some
    hub holds a station."""
    with hub.pool.connection(timeout=2.0) as conn:
        ingested = views.stations_ingested(conn)
    missing = [] if ingested else ["ingestion (no hub ingests a station)"]
    missing += [name for name, is_there in request.app.state.checks.items() if not is_there()]
    if missing:
        detail = f"not ready: {', '.join(missing)} is missing; its log line says why"
        return problem_response(Problem.of(503, detail), {"Retry-After": "2"})
    return Ready(stations_ingested=ingested, live=request.app.state.live.listening)


@router.get(
    "/metrics",
    summary="Figures for a monitoring system",
    dependencies=[allow_this_machine(*DESK, Role.MONITOR)],
    response_class=Response,
    responses=problems() | {200: {"content": {"text/plain": {}}}},
)
def show_metrics(hub: HubDep) -> Response:
    """In the text format of Prometheus: completeness by lane, quarantine, floods, agents."""
    return Response(metrics(hub), media_type=MEDIA_TYPE)


@live_router.get(
    "/live",
    summary="What changes, as server-sent events",
    dependencies=[allow(*PEOPLE)],
    response_class=StreamingResponse,
    responses=problems()
    | {
        200: {
            "description": "Events `event`, `evidence`, `stream`, `agent`, `command`, `notice` "
            'with {"id": ...}, and `resync`: fetch anew what you show',
            "content": {"text/event-stream": {}},
        }
    },
)
async def live(request: Request, actor: ActorDep) -> Response:
    """What concerns whoever asks. Begins with `resync`, as it does after a break; a client need not
    remember where it was, so Last-Event-ID is not needed. Ends when the session or token does."""
    source: Live = request.app.state.live
    if source.full:
        detail = f"{MAX_CLIENTS} pages are open already, no more are taken: close one"
        return problem_response(Problem.of(503, detail), {"Retry-After": "10"})
    return StreamingResponse(
        _while_signed_in(source, LiveClient(actor), request),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _while_signed_in(
    source: Live, client: LiveClient, request: Request
) -> AsyncIterator[bytes]:
    """What concerns the client, as long as whoever opened it is signed in, in the capacity they
    then have; looked at as the stream is written to.

    An open page is use of the session, so it does not stand idle meanwhile.
    """
    looked_at = time.monotonic()
    async for piece in source.stream(client):
        if time.monotonic() - looked_at >= LOOK_EVERY_S:
            try:
                caller = await run_in_threadpool(look_up, request)
            except SignedOutError:
                return
            except (psycopg.OperationalError, psycopg_pool.PoolTimeout):
                pass  # the database is away, and nothing is told meanwhile
            else:
                if caller is None:
                    return
                client.actor = caller.actor
            looked_at = time.monotonic()
        yield piece
