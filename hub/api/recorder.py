"""What is done over the API, as the audit log keeps it.

Before a change its entry is written; once its answer is known, and before it is sent, what came of
it is added. A hub that dies in between leaves an entry without an outcome.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import psycopg
import psycopg_pool
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.services.context import Hub
from hub.services.signing_in import Caller
from hub.store import audit

_SAFE = ("GET", "HEAD", "OPTIONS")
_ENTRY, _DETAIL = "audit_entry", "audit_detail"  # of a request's state
_LONGEST = 200  # characters of what an entry tells
_ONE_LOOK = timedelta(minutes=10)  # parts fetched by one account so long after its entry

log = logging.getLogger(__name__)


def began(request: Request, caller: Caller) -> None:
    """A change begins: its entry, once however many dependencies let it in."""
    if request.method not in _SAFE and not hasattr(request.state, _ENTRY):
        setattr(request.state, _ENTRY, _write(request, caller, None, ""))


def refused(request: Request, caller: Caller, why: str) -> None:
    """Somebody known was kept out."""
    if not hasattr(request.state, _ENTRY):
        _write(request, caller, audit.REFUSED, why)
    else:
        detail(request, why)


def shown(request: Request, caller: Caller, *, in_part: bool) -> None:
    """Evidence is handed out. A part of it goes on with the look that the log knows already: a
    player fetches one clip in many."""
    if not (in_part and _goes_on(request, caller)):
        _write(request, caller, audit.DONE, "")


def detail(request: Request, told: str) -> None:
    """What the entry of this request tells beside its action: the name of an act, a reason."""
    setattr(request.state, _DETAIL, told[:_LONGEST])


class Recorder:
    """ASGI middleware that adds to the entry of a request what came of it."""

    def __init__(self, app: ASGIApp, hub: Hub) -> None:
        self.app = app
        self.hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or scope["method"] in _SAFE:
            await self.app(scope, receive, send)
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        told = False

        async def send_after_entry(message: Message) -> None:
            nonlocal told
            if message["type"] == "http.response.start" and not told:
                told = True
                await self._finish(state, message["status"])
            await send(message)

        try:
            await self.app(scope, receive, send_after_entry)
        except Exception:  # whatever it is: the entry says that it failed, and it goes its way
            if not told:
                await self._finish(state, 500)
            raise

    async def _finish(self, state: dict[str, Any], status: int) -> None:
        entry = state.get(_ENTRY)
        if entry is None:
            return
        outcome = audit.DONE if status < 400 else audit.REFUSED if status < 500 else audit.FAILED
        said = [state.get(_DETAIL, ""), "" if status < 400 else f"HTTP {status}"]
        await run_in_threadpool(self._add, entry, outcome, ", ".join(s for s in said if s))

    def _add(self, entry: int, outcome: str, told: str) -> None:
        try:
            with self.hub.pool.connection(timeout=5.0) as conn:
                audit.finish(conn, entry, outcome, told)
        except (psycopg.Error, psycopg_pool.PoolTimeout) as e:
            # what was done is done: its answer must not say otherwise
            log.warning("entry %d of the audit log stays without %r: %s", entry, outcome, e)


def _goes_on(request: Request, caller: Caller) -> bool:
    hub: Hub = request.app.state.hub
    with hub.pool.connection() as conn:
        looks = audit.entries(
            conn,
            actor=caller.login,
            subject=_subject(request),
            action=_action(request),
            outcome=audit.DONE,
            since=hub.now() - _ONE_LOOK,
            limit=1,
        )
    return bool(looks)


def _write(request: Request, caller: Caller, outcome: str | None, told: str) -> int:
    hub: Hub = request.app.state.hub
    with hub.pool.connection() as conn:
        return audit.write(
            conn,
            at=hub.now(),
            actor=caller.actor.name,
            role=caller.actor.role,
            login=caller.login,
            via=caller.via,
            address=caller.address,
            action=_action(request),
            subject=_subject(request),
            detail=told[:_LONGEST],
            outcome=outcome,
        )


def _action(request: Request) -> str:
    """What the route does, by the name of its function."""
    route = request.scope.get("route")
    return str(getattr(route, "name", "") or f"{request.method} {request.url.path}")[:_LONGEST]


def _subject(request: Request) -> str:
    """What it is about: an event's number, a digest, an agent and what is on it."""
    return "/".join(str(value) for value in request.path_params.values())[:_LONGEST]
