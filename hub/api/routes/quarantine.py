"""What could not be taken from the edge, why, and taking it after all."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from hub.api.access import DESK, allow
from hub.api.deps import ActorDep, Cursor, HubDep, Id, Limit, cursor_id, one_page, reading
from hub.api.errors import problems
from hub.api.models.quarantine import (
    GiveUp,
    RefusedPage,
    ReplayedNow,
    ReplayMany,
    ReplayOne,
    SettledNow,
)
from hub.ingest.replay import give_up, replay, replay_waiting
from hub.store import views
from hub.store.view_rows import QuarantineFilter, RefusedFull

router = APIRouter(prefix="/quarantine", tags=["Quarantine"], dependencies=[allow(*DESK)])

WAITING = {"waiting": True, "settled": False, "all": None}


@router.get("", summary="What was refused, the newest first", responses=problems())
def list_quarantine(
    hub: HubDep,
    agent: Annotated[str | None, Query(max_length=64)] = None,
    fault: Annotated[Literal["sender", "hub"] | None, Query()] = None,
    state: Annotated[Literal["waiting", "settled", "all"], Query()] = "all",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> RefusedPage:
    """Each with its reason, topic and identity as far as it could be read."""
    wanted = QuarantineFilter(agent, fault, WAITING[state])
    with reading(hub) as conn:
        found = views.quarantine(conn, wanted, cursor_id(cursor), limit + 1)
    entries, last = one_page(found, limit)
    return RefusedPage(
        entries=entries,
        next=str(last.id) if last else None,
    )


@router.post(
    "/replay", summary="Take what waits, as far as it can be", responses=problems(403, 413)
)
def replay_quarantine(asked: ReplayMany, hub: HubDep, actor: ActorDep) -> ReplayedNow:
    """Each in a transaction of its own. After a fix of the hub: `{"fault": "hub"}`."""
    told, failed = replay_waiting(
        hub, actor, agent=asked.agent, fault=asked.fault, limit=asked.limit, clock=asked.clock
    )
    counts = Counter(s.outcome for s in told)
    return ReplayedNow(
        stored=counts["stored"],
        here_already=counts["here_already"],
        refused=counts[None],
        failed=failed,
        told=f"{counts['stored']} stored, {counts['here_already']} here already, "
        f"{counts[None] + len(failed)} refused again",
    )


@router.get("/{id}", summary="One refused message with its bytes", responses=problems(404))
def show_quarantined(id: Id, hub: HubDep) -> RefusedFull:
    """The bytes as they came, Base64."""
    with reading(hub) as conn:
        return views.quarantined(conn, id)


@router.post("/{id}/replay", summary="Take it after all", responses=problems(403, 404, 413))
def replay_one(id: Id, asked: ReplayOne, hub: HubDep, actor: ActorDep) -> SettledNow:
    """Once, however often it is asked for: an entry that is settled says what came of it."""
    with hub.pool.connection() as conn:
        return SettledNow.model_validate(replay(conn, hub, id, actor, asked.clock))


@router.post("/{id}/give-up", summary="It will never be taken", responses=problems(403, 404, 413))
def give_one_up(id: Id, asked: GiveUp, hub: HubDep, actor: ActorDep) -> SettledNow:
    """The entry stays, with who gave it up and why."""
    with hub.pool.connection() as conn:
        return SettledNow.model_validate(give_up(conn, hub, id, actor, asked.reason))
