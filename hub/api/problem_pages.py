"""A problem as a page, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
import psycopg_pool
from fastapi import Request
from starlette.responses import HTMLResponse, Response

from hub.api import words
from hub.api.caller import look_up
from hub.api.errors import Problem, problem_response
from hub.api.render import pages_of
from hub.domain.errors import SignedOutError


def answer(
    request: Request, problem: Problem, headers: Mapping[str, str] | None = None
) -> Response:
    """The problem: as a page to a person in a browser, as a document to a program."""
    if not wants_page(request):
        return problem_response(problem, dict(headers or {}))
    page = problem_page(request, problem)
    page.headers.update(headers or {})
    return page


def problem_page(request: Request, problem: Problem) -> HTMLResponse:
    """A problem as a page of the console; a bare one for whoever is not known to be signed in, and
    where the hub cannot do its work."""
    values: dict[str, Any] = {"problem": problem, "heading": words.PROBLEMS.get(problem.status)}
    if problem.status < 500 and _is_known(request):
        values |= {"page": "problem"}
        return pages_of(request).page(request, "problem.html", values, problem.status)
    return pages_of(request).bare(request, "bare_problem.html", values, problem.status)


def _is_known(request: Request) -> bool:
    """Whether it is known who asks; looked up where the request found no route that did."""
    if not hasattr(request.state, "caller"):
        try:
            caller = look_up(request)
        except (SignedOutError, psycopg.OperationalError, psycopg_pool.PoolTimeout):
            caller = None
        if caller is None:
            return False
        request.state.caller = caller
    return True


def wants_page(request: Request) -> bool:
    """Whether a person in a browser asked for a page."""
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")
