"""The base registry, and what grid events have to do with its entries."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from hub.api.access import PEOPLE, allow
from hub.api.deps import (
    ActorDep,
    Cursor,
    HubDep,
    Id,
    IfMatch,
    Limit,
    Listed,
    cursor_id,
    one_page,
    reading,
    seen_version,
)
from hub.api.errors import problems
from hub.api.models.registry import (
    EntryChange,
    EntryKind,
    EntryNow,
    EntryPage,
    EntrySaid,
    LinkNow,
    LinkPage,
    LinkSaid,
    Seen,
)
from hub.domain.reach import within
from hub.services.reach import event_in_reach
from hub.services.registry import base_registry
from hub.store import registry
from hub.store.registry import EntryFacts, EntryFilter, EntryRow, LinkRow

router = APIRouter(tags=["Base registry"], dependencies=[allow(*PEOPLE)])


@router.get("/registry", summary="Entries of the base registry", responses=problems())
def list_entries(
    hub: HubDep,
    actor: ActorDep,
    kind: Annotated[EntryKind | None, Query()] = None,
    cell: Annotated[
        str | None, Query(pattern=r"^[0-9]{1,15}$", description="A grid code or its beginning")
    ] = None,
    text: Annotated[str | None, Query(max_length=200, description="In name or attributes")] = None,
    retired: Annotated[bool, Query(description="Those that were retired too")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> EntryPage:
    """Persons, places, things, matters and organisations; filters are joined by and. Whoever acts
    in cells sees what lies there."""
    wanted = EntryFilter(kind, cell, text, retired, within(actor).cells)
    with reading(hub) as conn:
        found = registry.entries(conn, wanted, cursor_id(cursor) or 0, limit + 1)
    shown, last = one_page(found, limit)
    return EntryPage(
        entries=[EntryNow.model_validate(e) for e in shown], next=str(last.id) if last else None
    )


@router.post(
    "/registry",
    status_code=201,
    summary="Enter a person, place, thing, matter or organisation",
    responses=problems(403, 409, 413),
)
def enter(body: EntrySaid, hub: HubDep, actor: ActorDep, response: Response) -> EntryNow:
    """The cell is that of the place, where none is named."""
    with hub.pool.connection() as conn:
        made = base_registry.enter(conn, hub, EntryFacts(**body.model_dump()), actor)
    response.headers["Location"] = f"/api/v1/registry/{made.id}"
    return _now(made, response)


@router.get("/registry/{id}", summary="One entry", responses=problems(404))
def show_entry(id: Id, hub: HubDep, actor: ActorDep, response: Response) -> EntryNow:
    """The ETag is its version, for If-Match."""
    with reading(hub) as conn:
        return _now(base_registry.entry_in_reach(conn, id, actor), response)


@router.put("/registry/{id}", summary="Change an entry", responses=problems(403, 404, 409, 413))
def change(
    id: Id,
    body: EntryChange,
    hub: HubDep,
    actor: ActorDep,
    response: Response,
    if_match: IfMatch = None,
) -> EntryNow:
    """It is as it is said from now on. 409 tells who changed it since it was seen."""
    seen = seen_version(body.expected_version, if_match)
    said = EntryFacts(**body.model_dump(exclude={"expected_version"}))
    with hub.pool.connection() as conn:
        return _now(base_registry.edit(conn, hub, id, said, actor, seen), response)


@router.post(
    "/registry/{id}/retire", summary="Retire an entry", responses=problems(403, 404, 409, 413)
)
def retire(
    id: Id, body: Seen, hub: HubDep, actor: ActorDep, response: Response, if_match: IfMatch = None
) -> EntryNow:
    """It is kept with its links, and no longer offered."""
    seen = seen_version(body.expected_version, if_match)
    with hub.pool.connection() as conn:
        return _now(base_registry.retire(conn, hub, id, actor, seen), response)


@router.post(
    "/registry/{id}/restore",
    summary="Offer a retired entry again",
    responses=problems(403, 404, 409, 413),
)
def restore(
    id: Id, body: Seen, hub: HubDep, actor: ActorDep, response: Response, if_match: IfMatch = None
) -> EntryNow:
    """As it was."""
    seen = seen_version(body.expected_version, if_match)
    with hub.pool.connection() as conn:
        return _now(base_registry.retire(conn, hub, id, actor, seen, back=True), response)


@router.get(
    "/registry/{id}/events", summary="Events that concern an entry", responses=problems(404)
)
def list_links_of_entry(
    id: Id, hub: HubDep, actor: ActorDep, limit: Limit = 50, cursor: Cursor = None
) -> LinkPage:
    """The newest link first; whoever acts in cells sees events there."""
    with reading(hub) as conn:
        base_registry.entry_in_reach(conn, id, actor)
        found = registry.links_of_entry(conn, id, within(actor).cells, cursor_id(cursor), limit + 1)
    shown, last = one_page(found, limit)
    return LinkPage(links=_links(shown), next=str(last.id) if last else None)


@router.get("/events/{number}/entries", summary="What an event concerns", responses=problems(404))
def list_links(number: str, hub: HubDep, actor: ActorDep, listed: Listed) -> list[LinkNow]:
    """Its links to the base registry, the oldest first."""
    with reading(hub) as conn:
        event = event_in_reach(conn, number, actor)
        return _links(listed.shown(registry.links_of_event(conn, event.id, listed.part)))


@router.post(
    "/events/{number}/entries",
    summary="Link an event to an entry",
    responses=problems(403, 404, 409, 413),
)
def link(number: str, body: LinkSaid, hub: HubDep, actor: ActorDep) -> list[LinkNow]:
    """Every link of the event; the same said twice is one link."""
    with hub.pool.connection() as conn:
        return _links(base_registry.link(conn, hub, number, body.entry, body.relation, actor))


@router.delete(
    "/events/{number}/entries/{id}",
    summary="Take a link back",
    responses=problems(403, 404, 409),
)
def unlink(number: str, id: Id, hub: HubDep, actor: ActorDep) -> list[LinkNow]:
    """The links that are left; who made this one stays known."""
    with hub.pool.connection() as conn:
        return _links(base_registry.unlink(conn, hub, number, id, actor))


def _now(entry: EntryRow, response: Response) -> EntryNow:
    response.headers["ETag"] = f'"{entry.version}"'
    return EntryNow.model_validate(entry)


def _links(rows: list[LinkRow]) -> list[LinkNow]:
    return [LinkNow.model_validate(r) for r in rows]
