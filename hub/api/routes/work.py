"""Work: what waits for whoever asks, answers to tasks, whom a case is proposed to go to."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from hub.api.access import PEOPLE, allow
from hub.api.deps import ActorDep, HubDep, reading
from hub.api.errors import problems
from hub.api.handling import handling
from hub.api.models.events import EventNow
from hub.api.models.work import AnswerTask, CaseNow, HandlingNow, MyTaskNow, TaskNow, WorkNow
from hub.api.recorder import detail
from hub.services.dispatch.answer_task import answer_task
from hub.services.dispatch.my_work import my_work
from hub.services.reach import event_in_reach

router = APIRouter(tags=["Work"], dependencies=[allow(*PEOPLE)])


@router.get("/work", summary="What waits for you", responses=problems())
def show_work(hub: HubDep, actor: ActorDep) -> WorkNow:
    """Tasks to answer, cases to accept and to deal with, parts to help with; up to 50 of each."""
    with reading(hub) as conn:
        work = my_work(conn, actor)
    return WorkNow(
        tasks=[
            MyTaskNow(task=TaskNow.model_validate(m.task), case=CaseNow.model_validate(m.case))
            for m in work.tasks
        ],
        to_accept=[CaseNow.model_validate(c) for c in work.to_accept],
        to_handle=[CaseNow.model_validate(c) for c in work.to_handle],
        to_help=[CaseNow.model_validate(c) for c in work.to_help],
    )


@router.post(
    "/tasks/{id}/answer",
    summary="Say what you found",
    responses=problems(403, 404, 409, 413),
)
def answer(
    id: Annotated[int, Path(ge=1, le=2**63 - 1)],
    body: AnswerTask,
    request: Request,
    hub: HubDep,
    actor: ActorDep,
    response: Response,
) -> EventNow:
    """Whoever the task was given to. 409: it is over. What an assistant finds done, a leader who
    did not handle it closes."""
    detail(request, body.answer)
    with hub.pool.connection() as conn:
        event = answer_task(conn, hub, id, body.answer, body.note, tuple(body.evidence), actor)
    response.headers["ETag"] = f'"{event.version}"'
    return EventNow.model_validate(event)


@router.get(
    "/events/{number}/handling",
    summary="Who has to do with an event",
    responses=problems(404),
)
def show_handling(number: str, hub: HubDep, actor: ActorDep) -> HandlingNow:
    """Whom it is proposed to go to next and why, its tasks, who helps, what its cameras say."""
    with reading(hub) as conn:
        return handling(conn, hub, event_in_reach(conn, number, actor))
