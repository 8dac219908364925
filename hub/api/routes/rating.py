"""The page by which somebody without an account rates what became of their report.

The address holds the reporter's token: no log of ours has it, and no other site learns it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from psycopg import Connection
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hub.api.access import TO_EVERYONE
from hub.api.caller import address_of
from hub.api.deps import FormDep, HubDep, reading
from hub.api.render import Pages
from hub.api.strangers import Strangers
from hub.domain.errors import ConflictError, InvalidError, NotFoundError
from hub.services.context import Hub
from hub.services.outward.own_report import MyReport, my_report, report_of
from hub.services.outward.rate_case import MAX_COMMENT, REPORTER, rate
from hub.store import audit, units

router = APIRouter(prefix="/rate", include_in_schema=False, dependencies=[TO_EVERYONE])

Token = Annotated[str, Path(max_length=100)]


@router.get("/{token}")
def show_rating(
    token: Token, request: Request, hub: HubDep, done: Annotated[str, Query(max_length=5)] = ""
) -> HTMLResponse:
    """What became of the report, and the form where it can be rated. Looking changes nothing."""
    try:
        with reading(hub) as conn:
            mine = my_report(conn, hub, report_of(conn, token))
    except NotFoundError:
        return _unknown(request, hub)
    return _page(request, hub, mine, told="thanks" if done else "")


@router.post("/{token}")
def rate_report(token: Token, request: Request, hub: HubDep, form: FormDep) -> Response:
    """Rate it, or change what was said; the audit log has it without the token."""
    if (wait_s := _wait_s(request, hub)) is not None:
        return _too_many(request, hub, wait_s)
    score, comment = form.get("score", ""), form.get("comment", "")
    try:
        with hub.pool.connection() as conn:
            report = report_of(conn, token)
            given = int(score) if score in ("1", "2", "3", "4", "5") else 0
            _note(conn, request, hub, rate(conn, hub, report, given, comment))
    except NotFoundError:
        return _page(request, hub, None, told="unknown", status=404)
    except (ConflictError, InvalidError) as e:
        with reading(hub) as conn:
            mine = my_report(conn, hub, report)
        if isinstance(e, ConflictError):
            return _page(request, hub, mine, status=409)
        return _page(request, hub, mine, told=e.field or "", comment=comment, status=422)
    return RedirectResponse(f"{request.url.path}?done=1", 303)


def _unknown(request: Request, hub: Hub) -> HTMLResponse:
    """No link of ours. Whoever tries many is held up: not that one could be guessed."""
    if (wait_s := _wait_s(request, hub)) is not None:
        return _too_many(request, hub, wait_s)
    return _page(request, hub, None, told="unknown", status=404)


def _wait_s(request: Request, hub: Hub) -> int | None:
    raters: Strangers = request.app.state.raters
    wait = raters.wait_of(address_of(request), hub.now())
    return None if wait is None else int(wait.total_seconds()) + 1


def _too_many(request: Request, hub: Hub, wait_s: int) -> HTMLResponse:
    page = _page(request, hub, None, told="many", wait_min=-(-wait_s // 60), status=429)
    page.headers["Retry-After"] = str(wait_s)
    return page


def _note(conn: Connection[Any], request: Request, hub: Hub, mine: MyReport) -> None:
    assert mine.rating is not None
    audit.write(
        conn,
        at=hub.now(),
        actor=REPORTER.name,
        role=REPORTER.role,
        login="-",
        via="link",
        address=address_of(request),
        action="rate_report",
        subject=mine.event.number,
        detail=f"report {mine.report.id}: {mine.rating.score}",
    )


def _page(
    request: Request,
    hub: Hub,
    mine: MyReport | None,
    *,
    told: str = "",
    comment: str | None = None,
    wait_min: int = 0,
    status: int = 200,
) -> HTMLResponse:
    pages: Pages = request.app.state.pages
    unit = None
    if mine is not None and mine.event.responsible_unit is not None:
        with reading(hub) as conn, suppress(NotFoundError):  # a person may stand for one
            unit = units.unit(conn, mine.event.responsible_unit)
    values = {
        "mine": mine,
        "what": mine and hub.categories.subcategories.get(mine.event.subcategory),
        "unit": unit,
        "told": told,
        "comment": comment,
        "longest": MAX_COMMENT,
        "wait_min": wait_min,
    }
    language = hub.config.open311.language
    page = pages.bare(request, "rate.html", values, status, "zh" if language == "zh" else "en")
    page.headers["X-Robots-Tag"] = "noindex"
    return page
