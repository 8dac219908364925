"""Training on recorded detections; nothing here changes an event."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from psycopg import Connection

from hub.api.access import OFFICE, PEOPLE, allow
from hub.api.deps import ActorDep, HubDep, Id, Listed, reading
from hub.api.errors import problems
from hub.api.models.people import Code
from hub.api.models.training import (
    Answered,
    AttemptFull,
    AttemptNow,
    Begin,
    ItemNow,
    MarksNow,
    SetNow,
    SetSaid,
)
from hub.domain.errors import NotFoundError
from hub.services.registry import train
from hub.store import training
from hub.store.training import AttemptRow

router = APIRouter(prefix="/training", tags=["Training"], dependencies=[allow(*PEOPLE)])
_OFFICE = [allow(*OFFICE)]


@router.get("/sets", summary="Sets of recorded detections", responses=problems())
def list_sets(hub: HubDep, listed: Listed) -> list[SetNow]:
    """Those that are offered, by name."""
    with reading(hub) as conn:
        found = listed.shown(training.sets(conn, listed.part))
    return [SetNow.model_validate(s) for s in found]


@router.post(
    "/sets",
    status_code=201,
    summary="Make a set",
    responses=problems(403, 413),
    dependencies=_OFFICE,
)
def make_set(body: SetSaid, hub: HubDep, actor: ActorDep) -> SetNow:
    """Of the detections that are named with their answers, or of the latest that were judged: then
    the standing verdict is the answer."""
    chosen = [(i.episode, i.answer) for i in body.items]
    with hub.pool.connection() as conn:
        made = train.make_set(conn, hub, body.name, chosen, body.latest, body.pass_mark, actor)
    return SetNow.model_validate(made)


@router.post(
    "/sets/{id}/retire",
    status_code=204,
    summary="Offer a set no longer",
    responses=problems(403, 404, 413),
    dependencies=_OFFICE,
)
def retire_set(id: Id, hub: HubDep) -> Response:
    """What people did at it stays known."""
    with hub.pool.connection() as conn:
        if not training.retire_set(conn, id, hub.now()):
            raise NotFoundError("training set that is offered", str(id))
    return Response(status_code=204)


@router.post(
    "/sets/{id}/attempts", summary="Begin, or go on", responses=problems(403, 404, 409, 413)
)
def begin(id: Id, body: Begin, hub: HubDep, actor: ActorDep) -> AttemptFull:
    """By who is trained, or who teaches them; the go under way, else a new one."""
    with hub.pool.connection() as conn:
        return _full(conn, train.begin(conn, hub, id, body.person, actor))


@router.get("/attempts/{id}", summary="One go at a set", responses=problems(404, 409))
def show_attempt(id: Id, hub: HubDep, actor: ActorDep) -> AttemptFull:
    """With the detections; the key and the marks once it is over."""
    with reading(hub) as conn:
        return _full(conn, train.seen_by(conn, id, actor))


@router.put(
    "/attempts/{id}/answers/{n}",
    status_code=204,
    summary="Say what a detection is",
    responses=problems(403, 404, 409, 413),
)
def answer(
    id: Id,
    n: Annotated[int, Path(ge=1, le=10_000)],
    body: Answered,
    hub: HubDep,
    actor: ActorDep,
) -> Response:
    """A later answer replaces an earlier one, until the go is over."""
    with hub.pool.connection() as conn:
        train.answer(conn, hub, id, n, body.answer, actor)
    return Response(status_code=204)


@router.post("/attempts/{id}/finish", summary="End a go", responses=problems(403, 404, 409, 413))
def finish(id: Id, hub: HubDep, actor: ActorDep) -> AttemptFull:
    """What was not answered is wrong."""
    with hub.pool.connection() as conn:
        train.finish(conn, hub, id, actor)
        return _full(conn, training.attempt(conn, id))


@router.get("/people/{code}", summary="What somebody did", responses=problems(404, 409))
def list_attempts(code: Code, hub: HubDep, actor: ActorDep, listed: Listed) -> list[AttemptNow]:
    """Their goes with their scores, the newest first; for them and for those who teach."""
    with reading(hub) as conn:
        found = listed.shown(train.attempts_of(conn, code, actor, listed.part))
    return [AttemptNow.model_validate(a) for a in found]


def _full(conn: Connection[Any], attempt: AttemptRow) -> AttemptFull:
    given = training.answers(conn, attempt.id)
    over = attempt.finished_at is not None
    return AttemptFull(
        **AttemptNow.model_validate(attempt).model_dump(),
        items=[
            ItemNow.model_validate(i).model_copy(update={"answered": given.get(i.n)})
            for i in training.items(conn, attempt.training)
        ],
        marks=MarksNow.model_validate(train.marks_of(conn, attempt)) if over else None,
        key=training.key(conn, attempt.training) if over else None,
    )
