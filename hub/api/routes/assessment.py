"""Assessment: figures, scores and the events behind them, for whoever works in the district."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from starlette.responses import JSONResponse, Response

from contract.taxonomy import Category
from hub.api.access import PEOPLE, allow
from hub.api.asked_period import Asked, AskedDep
from hub.api.assessing import Assessing, BusyError, Progress
from hub.api.deps import Cursor, Limit, cursor_parts
from hub.api.drill_down import Drill, Which, events_behind, figures_of
from hub.api.errors import problems
from hub.api.figures_csv import events_csv, figures_csv
from hub.api.models.assessment import (
    AssessmentNow,
    AssessmentPending,
    CategoryNow,
    CountedEvent,
    CountedEvents,
    ExtraNow,
    FigureNow,
    LatencyNow,
    MarkNow,
    ScoreNow,
)
from hub.domain.figures import Figure, Latency
from hub.domain.scores import Score
from hub.services.assess_period import Assessment, Question

router = APIRouter(prefix="/assessment", tags=["Assessment"], dependencies=[allow(*PEOPLE)])

WAIT_S = 20.0  # for an answer, before the asker is told to come again
_PENDING: dict[int | str, dict[str, Any]] = {
    202: {
        "model": AssessmentPending,
        "description": "It is being computed: ask again after `Retry-After` seconds",
    }
}
Of = Annotated[str, Query(max_length=40, description="A figure, a latency, or a list of events")]


@router.get(
    "",
    summary="Figures and scores of a period",
    response_model=AssessmentNow,
    responses={**problems(422, 503), **_PENDING},
)
def show(asked: AskedDep, request: Request) -> AssessmentNow | Response:
    """Computed from the histories alone, as things stood at `as_of`. Each figure drills down to the
    events it counts under `/assessment/events`."""
    found = answer(request, asked, WAIT_S)
    return _pending(found) if isinstance(found, Progress) else _now(found, asked)


@router.get(
    "/events",
    summary="The events behind a figure",
    response_model=CountedEvents,
    responses={**problems(422, 503), **_PENDING},
)
def show_events(
    asked: AskedDep,
    request: Request,
    of: Of,
    which: Which = Which.COUNTED,
    stream: Annotated[str | None, Query(max_length=140)] = None,
    category: Category | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> CountedEvents | Response:
    """Exactly those that were counted, ask with the `as_of` of the answer that told the figure."""
    found = answer(request, asked, WAIT_S)
    if isinstance(found, Progress):
        return _pending(found)
    parts = cursor_parts(cursor, r"([0-9]{1,9})")
    begin = int(parts[0]) if parts else 0
    counted = events_behind(found, asked, Drill(of, which, stream, category))
    return CountedEvents(
        total=sum(c.times for c in counted),
        events=[CountedEvent.model_validate(c) for c in counted[begin : begin + limit]],
        next=str(begin + limit) if begin + limit < len(counted) else None,
    )


@router.get(
    "/figures.csv",
    summary="Figures and scores as CSV",
    response_class=Response,
    responses={
        200: {"content": {"text/csv": {}}, "description": "UTF-8"},
        **problems(422, 503),
        **_PENDING,
    },
)
def download_figures(asked: AskedDep, request: Request) -> Response:
    """Every figure, latency and score, one a line."""
    found = answer(request, asked, WAIT_S)
    if isinstance(found, Progress):
        return _pending(found)
    return as_file(figures_csv(found), f"assessment-{asked.period.name}.csv")


@router.get(
    "/events.csv",
    summary="The events behind a figure as CSV",
    response_class=Response,
    responses={
        200: {"content": {"text/csv": {}}, "description": "UTF-8"},
        **problems(422, 503),
        **_PENDING,
    },
)
def download_events(
    asked: AskedDep,
    request: Request,
    of: Of,
    which: Which = Which.COUNTED,
    stream: Annotated[str | None, Query(max_length=140)] = None,
    category: Category | None = None,
) -> Response:
    """All of them, whatever the number."""
    found = answer(request, asked, WAIT_S)
    if isinstance(found, Progress):
        return _pending(found)
    counted = events_behind(found, asked, Drill(of, which, stream, category))
    return as_file(events_csv(counted), f"{of}-{which}-{asked.period.name}.csv")


def answer(request: Request, asked: Asked, wait_s: float) -> Assessment | Progress:
    """The assessment asked for, or how far it has come; checks that the subject is known."""
    found = ask(request, asked.question, wait_s)
    if isinstance(found, Assessment):
        figures_of(found, asked)
    return found


def ask(request: Request, question: Question, wait_s: float) -> Assessment | Progress:
    """The answer to a question, or how far it has come."""
    assessing: Assessing = request.app.state.assessing
    try:
        return assessing.ask(question, wait_s)
    except BusyError:
        raise HTTPException(
            503, "too many assessments are being computed: ask again", {"Retry-After": "10"}
        ) from None


def as_file(text: str, name: str, media_type: str = "text/csv") -> Response:
    """A text to be saved under that name."""
    return Response(
        text,
        media_type=f"{media_type}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _pending(progress: Progress) -> Response:
    return JSONResponse({"cases_read": progress.read}, 202, {"Retry-After": "2"})


def _now(found: Assessment, asked: Asked) -> AssessmentNow:
    period = asked.period
    compared = found.scores.get(asked.by, ())
    if asked.subject is not None:
        compared = tuple(s for s in compared if s.subject == asked.subject)
    return AssessmentNow(
        period=period.kind,
        name=period.name,
        first=period.first,
        last=period.last,
        as_of=found.question.as_of,
        by=asked.by,
        cases=found.cases,
        reported=len(found.reported),
        exempt=list(found.exempt),
        hung=list(found.hung),
        figures={name: _figure(f) for name, f in figures_of(found, asked).items()},
        latencies={name: _latency(x) for name, x in found.latencies.items()},
        streams={name: _figure(f) for name, f in found.streams.items()},
        categories={
            c: CategoryNow(reported=len(reported), closing_rate=_figure(figure))
            for c, (reported, figure) in found.categories.items()
        },
        version=found.version,
        scores=[_score(s) for s in compared],
        without_scores=found.without_scores,
    )


def _figure(figure: Figure) -> FigureNow:
    interval = figure.interval
    return FigureNow(
        counted=len(figure.counted),
        among=len(figure.among),
        left_out=len(figure.left_out),
        value=figure.value,
        percent=figure.percent,
        low=interval.low,
        high=interval.high,
    )


def _latency(latency: Latency) -> LatencyNow:
    p50, p90 = latency.p50, latency.p90
    return LatencyNow(
        cases=latency.cases,
        p50_s=None if p50 is None else p50.total_seconds(),
        p90_s=None if p90 is None else p90.total_seconds(),
    )


def _score(score: Score) -> ScoreNow:
    return ScoreNow(
        subject=score.subject,
        points=score.points,
        marks=[
            MarkNow(indicator=m.indicator, weight=m.weight, mark=m.mark, figure=_figure(m.figure))
            for m in score.marks
        ],
        extras=[
            ExtraNow(name=e.name, points=e.points, events=len(e.figure.counted))
            for e in score.extras
        ],
    )
