"""The base registry: entries by whom their place is reached, and links to grid events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from psycopg import Connection

from contract.geometry import Point
from hub.domain.actor import Actor
from hub.domain.errors import InvalidError, NotFoundError
from hub.domain.reach import check_cell
from hub.services.context import Hub
from hub.services.reach import event_in_reach
from hub.store import changes, registry
from hub.store.registry import EntryFacts, EntryRow, LinkRow


def entry_in_reach(conn: Connection[Any], id: int, actor: Actor) -> EntryRow:
    """The entry. Raises NotFoundError, and ForbiddenError beyond the actor's cells."""
    found = registry.entry(conn, id)
    check_cell(actor, found.cell, f"registry entry {id}")
    return found


def enter(conn: Connection[Any], hub: Hub, said: EntryFacts, actor: Actor) -> EntryRow:
    """A new entry. Raises InvalidError, and ForbiddenError beyond the actor's cells."""
    placed = _placed(hub, said)
    check_cell(actor, placed.cell, f"the {said.kind} {said.name!r}")
    return registry.add(conn, placed, actor.name, hub.now())


def edit(
    conn: Connection[Any], hub: Hub, id: int, said: EntryFacts, actor: Actor, seen: int | None
) -> EntryRow:
    """The entry as it is said. Raises NotFoundError, ConflictError, and as `enter`."""
    placed = _placed(hub, said)
    entry_in_reach(conn, id, actor)
    check_cell(actor, placed.cell, "its new place")
    return registry.change(conn, id, placed, actor.name, hub.now(), seen)


def retire(
    conn: Connection[Any], hub: Hub, id: int, actor: Actor, seen: int | None, *, back: bool = False
) -> EntryRow:
    """The entry is no longer offered, or is again. Raises as `edit`."""
    entry_in_reach(conn, id, actor)
    act = registry.restore if back else registry.retire
    return act(conn, id, actor.name, hub.now(), seen)


def link(
    conn: Connection[Any], hub: Hub, number: str, entry: int, relation: str, actor: Actor
) -> list[LinkRow]:
    """What the event has to do with, the new link among it; the same twice is one link.

    Raises NotFoundError, InvalidError for an entry that is not offered, ForbiddenError.
    """
    event = event_in_reach(conn, number, actor)
    try:
        found = entry_in_reach(conn, entry, actor)
    except NotFoundError as e:
        raise InvalidError(str(e), field="entry") from None
    if found.retired_at is not None:
        raise InvalidError(
            f"registry entry {entry} was retired on {found.retired_at:%Y-%m-%d}: restore it first",
            field="entry",
        )
    if registry.link(conn, event.id, entry, relation, actor.name, hub.now()):
        changes.tell(conn, "event", number)
    return registry.links_of_event(conn, event.id)


def unlink(conn: Connection[Any], hub: Hub, number: str, link: int, actor: Actor) -> list[LinkRow]:
    """What the event still has to do with. Raises NotFoundError, ForbiddenError."""
    event = event_in_reach(conn, number, actor)
    if not registry.unlink(conn, event.id, link, actor.name, hub.now()):
        raise NotFoundError(f"link of event {number}", str(link))
    changes.tell(conn, "event", number)
    return registry.links_of_event(conn, event.id)


def _placed(hub: Hub, said: EntryFacts) -> EntryFacts:
    """With the cell of its place, where it has one and names none."""
    if said.cell is not None:
        if said.cell not in hub.grid.cells:
            raise InvalidError(f"there is no cell {said.cell} in the grid now", field="cell")
        return said
    if said.lon is None or said.lat is None:
        return said
    cell = hub.grid.locate(Point(said.lon, said.lat))
    return replace(said, cell=cell.code if cell else None)
