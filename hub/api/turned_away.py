"""What somebody sees who is not signed in, or may not: people a page, programs a problem."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response

from hub.api.caller import COOKIE
from hub.api.errors import Problem
from hub.api.problem_pages import answer, document, wants_page
from hub.domain.errors import ForbiddenError, SignedOutError, TooManyTriesError
from hub.domain.sign_in import START, way_back

SIGN_IN = "/sign-in"


def install(app: FastAPI) -> None:
    """Answer those who are turned away."""
    app.add_exception_handler(SignedOutError, _signed_out)
    app.add_exception_handler(ForbiddenError, _forbidden)
    app.add_exception_handler(TooManyTriesError, _too_many)


def sign_in_at(wanted: str) -> str:
    """The address of the sign-in page that leads back to there."""
    back = way_back(wanted)
    return SIGN_IN if back == START else f"{SIGN_IN}?next={quote(back, safe='')}"


def _signed_out(request: Request, error: Exception) -> Response:
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    part = request.headers.get("hx-request") == "true"
    response: Response
    if wants_page(request) and not part:
        response = RedirectResponse(sign_in_at(here), 303)
    else:
        problem = Problem.of(401, str(error), instance=request.url.path)
        response = document(request, problem, {"WWW-Authenticate": 'Bearer realm="gridwarden"'})
        if part:  # of a page that is open: the whole page goes to the sign-in and comes back
            page = urlsplit(request.headers.get("hx-current-url", ""))
            back = page.path + (f"?{page.query}" if page.query else "")
            response.headers["HX-Redirect"] = sign_in_at(back)
    if COOKIE in request.cookies:
        response.delete_cookie(COOKIE, path="/")
    return response


def _forbidden(request: Request, error: Exception) -> Response:
    assert isinstance(error, ForbiddenError)
    told = {name: value for name, value in error.extras().items() if value is not None}
    problem = Problem.of(403, str(error), instance=request.url.path, **told)
    problem.type, problem.title = "urn:gridwarden:problem:forbidden", error.title
    return answer(request, problem)


def _too_many(request: Request, error: Exception) -> Response:
    assert isinstance(error, TooManyTriesError)
    problem = Problem.of(429, str(error), instance=request.url.path, **error.extras())
    return answer(request, problem, {"Retry-After": str(error.wait_s)})
