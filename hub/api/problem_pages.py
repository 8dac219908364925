"""A problem as a page, for people."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import HTMLResponse

from hub.api.errors import Problem
from hub.api.render import pages_of


def problem_page(request: Request, problem: Problem) -> HTMLResponse:
    """A problem as a page."""
    values = {"page": "problem", "problem": problem}
    return pages_of(request).page(request, "problem.html", values, problem.status)
