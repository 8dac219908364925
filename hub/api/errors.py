"""Problem documents (RFC 9457): every error of the hub, said the same way.

`type` tells programs which kind of problem it is, `detail` tells people the thing, the value and
the way out. What a kind knows beyond that stands in members of its own.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

import psycopg
import psycopg_pool
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from hub.domain.errors import (
    ConflictError,
    DomainError,
    GoneError,
    InvalidError,
    NotAllowedError,
    NotFoundError,
    WrongRoleError,
)

MEDIA_TYPE = "application/problem+json"

_KINDS = {
    400: "bad-request",
    401: "signed-out",
    403: "foreign-page",
    404: "not-found",
    405: "method-not-allowed",
    408: "too-slow",
    409: "conflict",
    410: "erased",
    413: "too-large",
    421: "unknown-host",
    422: "invalid",
    429: "too-many-tries",
    500: "internal",
    503: "unavailable",
}

# where the status alone does not tell the kind
_OWN_KINDS: dict[type[Exception], str] = {
    NotAllowedError: "not-allowed",
    WrongRoleError: "not-allowed",
}

log = logging.getLogger(__name__)


class Fault(BaseModel):
    """One value of a request that was refused."""

    at: str = Field(description="Where it stands: `body.severity`, `query.limit`")
    detail: str


class Problem(BaseModel):
    """An error as RFC 9457 tells it."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="The kind of problem, stable for programs")
    title: str
    status: int
    detail: str = Field(description="The thing, the value and the way out")
    instance: str | None = None
    errors: list[Fault] | None = Field(None, description="Every value refused, where several were")

    @classmethod
    def of(cls, status: int, detail: str, **members: Any) -> Problem:
        """The problem that belongs to a status, with further members."""
        kind = _KINDS.get(status, "bad-request" if status < 500 else "internal")
        return cls(
            type=f"urn:gridwarden:problem:{kind}",
            title=HTTPStatus(status).phrase,
            status=status,
            detail=detail,
            **members,
        )


def problem_response(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """The problem as a response."""
    return Response(
        problem.model_dump_json(exclude_none=True),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def install(app: FastAPI) -> None:
    """Make every error that the app's routes can raise a problem document."""
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
        kind = _OWN_KINDS.get(type(error), _KINDS[status])
        problem.type, problem.title = f"urn:gridwarden:problem:{kind}", error.title
        return problem_response(problem)

    return handle


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [
        Fault(at=".".join(str(part) for part in e["loc"]), detail=_fault(e)) for e in error.errors()
    ]
    return problem_response(
        Problem.of(
            422,
            "; ".join(f"{fault.at}: {fault.detail}" for fault in faults[:5]),
            instance=request.url.path,
            errors=faults[:50],
        )
    )


def _fault(error: dict[str, Any]) -> str:
    value = error.get("input")
    told = f", got {value!r:.100}" if isinstance(value, str | int | float | bool) else ""
    return f"{error['msg']}{told}"


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = str(error.detail)
    if error.status_code == 404 and detail == "Not Found":
        detail = f"there is nothing at {request.url.path[:200]!r}: see /api/v1/openapi.json"
    elif error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "GET")
        detail = f"{request.url.path[:200]!r} does not take {request.method}, it takes {allowed}"
    problem = Problem.of(error.status_code, detail, instance=request.url.path)
    return problem_response(problem, dict(error.headers or {}))


def _unstorable(request: Request, error: Exception) -> Response:
    """Text with a NUL, a number beyond 64 bits: right for JSON, not for the database."""
    detail = f"a value cannot be stored: {str(error).splitlines()[0]}; nothing was changed"
    return problem_response(Problem.of(422, detail, instance=request.url.path))


def _unavailable(request: Request, error: Exception) -> Response:
    log.warning("%s %s: the database is not there: %s", request.method, request.url.path, error)
    problem = Problem.of(
        503,
        "the database does not answer; nothing was changed. Try again in a few seconds",
        instance=request.url.path,
    )
    return problem_response(problem, {"Retry-After": "2"})


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route that may answer with these errors, for OpenAPI."""
    return {status: {"description": _MEANINGS[status]} for status in (*statuses, *_ALWAYS)}


_ALWAYS = (401, 403, 421, 422, 500, 503)
_MEANINGS = {
    400: "The body cannot be read: it is not in UTF-8, or no form",
    401: "Nobody is signed in, or the token is none: sign in, or send Authorization: Bearer",
    403: "Not with this role, not at this place, or sent by a page of another site",
    404: "There is no such thing",
    405: "The path does not take this method",
    408: "The body did not come in time",
    409: "Somebody was faster, or the lifecycle does not allow it; nothing was done",
    410: "It was here and was erased: by whom, when and why",
    413: "The body is too large",
    421: "The hub is not called by this name",
    422: "A value is refused; `errors` names each",
    500: "The hub failed; `incident` finds it in the log",
    503: "The database or a free place is missing; `Retry-After` says when to try again",
}


def describe_problems(document: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI document whose every error response is a problem document.

    Whatever takes a body answers 400 where the body cannot be read at all.
    """
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schema.pop("$defs", {}))
    schemas["Problem"] = schema
    for methods in document["paths"].values():
        for operation in methods.values():
            if "requestBody" in operation:
                operation["responses"].setdefault("400", {"description": _MEANINGS[400]})
            for status, response in operation["responses"].items():
                if status >= "400":
                    response.setdefault(
                        "content",
                        {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
                    )
    return document
