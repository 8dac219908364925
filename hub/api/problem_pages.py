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
from hub.api.errors import MOST_TOLD, Problem, problem_response
from hub.api.refusal_words import refusal_zh
from hub.api.refusal_words.faults import fault_zh
from hub.api.render import language_of, pages_of
from hub.domain.errors import SignedOutError
from hub.services.context import Hub


def answer(
    request: Request, problem: Problem, headers: Mapping[str, str] | None = None
) -> Response:
    """The problem: as a page to a person in a browser, as a document to a program."""
    if not wants_page(request):
        return document(request, problem, headers)
    page = problem_page(request, problem)
    page.headers.update(headers or {})
    return page


def document(
    request: Request, problem: Problem, headers: Mapping[str, str] | None = None
) -> Response:
    """The problem as a document: in Chinese to a page that is in it, in English to a program."""
    own = {"Content-Language": "zh"} if _put_into_chinese(request, problem) else {}
    return problem_response(problem, {**own, **(headers or {})})


def problem_page(request: Request, problem: Problem) -> HTMLResponse:
    """A problem as a page of the console; a bare one for whoever is not known to be signed in, and
    where the hub cannot do its work."""
    chinese = _put_into_chinese(request, problem)
    values: dict[str, Any] = {
        "problem": problem,
        "heading": words.PROBLEMS.get(problem.status),
        "chinese": chinese,
    }
    if problem.status < 500 and _is_known(request):
        values |= {"page": "problem"}
        return pages_of(request).page(request, "problem.html", values, problem.status)
    return pages_of(request).bare(request, "bare_problem.html", values, problem.status)


def _put_into_chinese(request: Request, problem: Problem) -> bool:
    """Whether a problem's detail is in Chinese now: the console was set to it, and it is known."""
    if language_of(request) != "zh":
        return False
    hub: Hub = request.app.state.hub
    states = {name: state.name_zh for name, state in hub.lifecycle.states.items()}
    more = problem.model_extra or {}
    said = refusal_zh(problem.detail, states, more.get("action", ""), more.get("missing", ()))
    if problem.errors:
        for fault in problem.errors:
            fault.detail = fault_zh(fault.at, fault.detail)
        said = "；".join(fault.detail for fault in problem.errors[:MOST_TOLD])
    known = said != problem.detail
    problem.detail = said
    if known and problem.status in words.PROBLEMS:
        problem.title = words.PROBLEMS[problem.status].zh
    return known


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
