"""Problem documents (RFC 9457): every error of the hub, said the same way.

`type` tells programs which kind of problem it is, `detail` tells people the thing, the value and
the way out. What a kind knows beyond that stands in members of its own.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

MOST_TOLD = 5  # refused values that `detail` tells of; `errors` names more
MEDIA_TYPE = "application/problem+json"

KINDS = {
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
        kind = KINDS.get(status, "bad-request" if status < 500 else "internal")
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
