"""What the hub refuses or cannot do just now: people get a page, programs a problem document."""

from __future__ import annotations

import logging
from typing import Any

import psycopg
import psycopg_pool
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from hub.api.errors import KINDS, MOST_TOLD, Fault, Problem
from hub.api.problem_pages import answer, wants_page
from hub.domain.errors import (
    ConflictError,
    DomainError,
    GoneError,
    InvalidError,
    NotAllowedError,
    NotFoundError,
    WrongRoleError,
)

# where the status alone does not tell the kind
_OWN_KINDS: dict[type[Exception], str] = {
    NotAllowedError: "not-allowed",
    WrongRoleError: "not-allowed",
}

log = logging.getLogger(__name__)


def install(app: FastAPI) -> None:
    """Answer every error that the app's routes can raise."""
    app.add_exception_handler(NotFoundError, _refused(404))
    app.add_exception_handler(ConflictError, _refused(409))
    app.add_exception_handler(NotAllowedError, _refused(409))
    app.add_exception_handler(WrongRoleError, _refused(403))
    app.add_exception_handler(GoneError, _refused(410))
    app.add_exception_handler(InvalidError, _refused(422))
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(psycopg.DataError, _unstorable)
    for error in (psycopg.OperationalError, psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed):
        app.add_exception_handler(error, _unavailable)


def _refused(status: int) -> Any:
    """A handler for what the domain refuses: its own title and members."""

    def handle(request: Request, error: Exception) -> Response:
        assert isinstance(error, DomainError)
        problem = Problem.of(
            status,
            str(error),
            instance=request.url.path,
            **{name: value for name, value in error.extras().items() if value is not None},
        )
        kind = _OWN_KINDS.get(type(error), KINDS[status])
        problem.type, problem.title = f"urn:gridwarden:problem:{kind}", error.title
        return answer(request, problem)

    return handle


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [
        Fault(at=".".join(str(part) for part in e["loc"]), detail=fault_of(e))
        for e in error.errors()
    ]
    return answer(
        request,
        Problem.of(
            422,
            "; ".join(f"{fault.at}: {fault.detail}" for fault in faults[:MOST_TOLD]),
            instance=request.url.path,
            errors=faults[:50],
        ),
    )


def fault_of(error: dict[str, Any]) -> str:
    """What is wrong with a value, as pydantic says it, and what was given."""
    value = error.get("input")
    told = f", got {value!r:.100}" if isinstance(value, str | int | float | bool) else ""
    return f"{error['msg']}{told}"


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = _in_our_words(request, error)
    problem = Problem.of(error.status_code, detail, instance=request.url.path)
    return answer(request, problem, dict(error.headers or {}))


def _in_our_words(request: Request, error: HTTPException) -> str:
    """What the framework refuses by itself says no more than its status."""
    path = request.url.path[:200]
    if error.status_code == 404 and error.detail == "Not Found":
        nothing = f"there is nothing at {path!r}"
        return nothing if wants_page(request) else f"{nothing}: see /api/v1/openapi.json"
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "GET")
        return f"{path!r} does not take {request.method}, it takes {allowed}"
    return error.detail


def _unstorable(request: Request, error: Exception) -> Response:
    """Text with a NUL, a number beyond 64 bits: right for JSON, not for the database."""
    detail = f"a value cannot be stored: {str(error).splitlines()[0]}; nothing was changed"
    return answer(request, Problem.of(422, detail, instance=request.url.path))


def _unavailable(request: Request, error: Exception) -> Response:
    log.warning("%s %s: the database is not there: %s", request.method, request.url.path, error)
    problem = Problem.of(
        503,
        "the database does not answer; nothing was changed. Try again in a few seconds",
        instance=request.url.path,
    )
    return answer(request, problem, {"Retry-After": "2"})
