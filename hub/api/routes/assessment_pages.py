"""The console's pages of assessment: the figures of a period, and the events behind each."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, Response

from contract.taxonomy import Category
from hub.api import assessment_words
from hub.api.access import PEOPLE, allow
from hub.api.asked_period import Asked, AskedDep
from hub.api.assessing import Progress
from hub.api.bulletin import Bulletin, bulletin_html, questions
from hub.api.deps import Cursor, HubDep, cursor_parts, reading
from hub.api.drill_down import Drill, Which, events_behind, figures_of
from hub.api.render import pages_of
from hub.api.routes.assessment import answer, as_file, ask
from hub.domain.errors import InvalidError
from hub.domain.period import PeriodKind
from hub.domain.scores import Dimension
from hub.services.assess_period import Assessment
from hub.services.context import Hub
from hub.services.name_subjects import name_subjects, names_in
from hub.store import views

router = APIRouter(include_in_schema=False, prefix="/assessment", dependencies=[allow(*PEOPLE)])

WAIT_S = 1.5  # before a page shows how far it has come
_PAGE = 100


@router.get("")
def show_assessment(asked: AskedDep, request: Request, hub: HubDep) -> HTMLResponse:
    """The figures of a period, who is compared and their points."""
    found = answer(request, asked, WAIT_S)
    if isinstance(found, Progress):
        return _progress(request, asked, found)
    scores = found.scores.get(asked.by, ())
    score = None if asked.subject is None else found.score_of(asked.by, asked.subject)
    values = _frame(asked) | {
        "found": found,
        "figures": figures_of(found, asked),
        "scores": scores,
        "score": score,
        "names": _names(hub, asked, found),
        "going_on": found.question.as_of < asked.period.period.until,
    }
    return pages_of(request).page(request, "assessment.html", values)


@router.get("/events")
def show_events(
    asked: AskedDep,
    request: Request,
    hub: HubDep,
    of: Annotated[str, Query(max_length=40)],
    which: Which = Which.COUNTED,
    stream: Annotated[str | None, Query(max_length=140)] = None,
    category: Category | None = None,
    cursor: Cursor = None,
) -> HTMLResponse:
    """Exactly the events that a figure counts."""
    found = answer(request, asked, WAIT_S)
    if isinstance(found, Progress):
        return _progress(request, asked, found)
    parts = cursor_parts(cursor, r"([0-9]{1,9})")
    begin = int(parts[0]) if parts else 0
    counted = events_behind(found, asked, Drill(of, which, stream, category))
    shown = counted[begin : begin + _PAGE]
    with reading(hub) as conn:
        events = {e.number: e for e in views.events_named(conn, [c.number for c in shown])}
    drill = {"of": of, "which": which, "stream": stream, "category": category}
    values = _frame(asked) | {
        "of": of,
        "which": which,
        "stream": stream,
        "category": category,
        "drill": drill,
        "total": sum(c.times for c in counted),
        "distinct": len(counted),
        "counted": shown,
        "events": events,
        "names": _names(hub, asked, found),
        "next": begin + _PAGE if begin + _PAGE < len(counted) else None,
    }
    return pages_of(request).page(request, "assessed_events.html", values)


@router.get("/bulletin")
def download_bulletin(asked: AskedDep, request: Request, hub: HubDep) -> Response:
    """The bulletin of the month that the day lies in, to be kept, printed and sent."""
    if asked.period.kind is not PeriodKind.MONTH:
        raise InvalidError("bulletins are of months: period=month", field="period")
    parts = []
    for question in questions(hub, asked.period, asked.question.within):
        found = ask(request, question, WAIT_S)
        if isinstance(found, Progress):
            return _progress(request, asked, found)
        parts.append(found)
    with reading(hub) as conn:
        names = names_in(conn, hub, parts[0])
    text = bulletin_html(hub, Bulletin(parts[0], parts[1], names))
    return as_file(text, f"bulletin-{asked.period.name}.html", "text/html")


def _frame(asked: Asked) -> dict[str, Any]:
    """What both pages show around."""
    return {
        "page": "assessment",
        "asked": asked,
        "period": asked.period,
        "aw": assessment_words,
        "kinds": list(PeriodKind),
        "dimensions": list(Dimension),
    }


def _names(hub: Hub, asked: Asked, found: Assessment) -> dict[str, tuple[str, str]]:
    subjects = [s.subject for s in found.scores.get(asked.by, ())]
    with reading(hub) as conn:
        return name_subjects(conn, hub, asked.by, subjects)


def _progress(request: Request, asked: Asked, progress: Progress) -> HTMLResponse:
    values = _frame(asked) | {"read": progress.read}
    return pages_of(request).page(request, "assessing.html", values)
