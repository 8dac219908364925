"""Where somebody may act and see evidence: a role, a part of the grid, a unit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from hub.domain.actor import Actor, Role
from hub.domain.errors import ForbiddenError


@dataclass(frozen=True, slots=True)
class Place:
    """Where something happened, and whose it is."""

    cell: str | None  # None: outside the grid
    unit: str | None = None  # that is responsible


@dataclass(frozen=True, slots=True)
class Within:
    """What a list is narrowed to. None: no limit."""

    cells: list[str] | None
    unit: str | None


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom something concerns: whoever reaches one of its places, and people by name."""

    places: frozenset[Place]  # none: outside the grid
    people: frozenset[str] = frozenset()

    def __or__(self, other: Audience) -> Audience:
        return Audience(self.places | other.places, self.people | other.people)


EVERYWHERE = Within(None, None)


def within(actor: Actor) -> Within:
    """What lists show somebody: their cells, and to a department what it is responsible for."""
    return Within(list(actor.cells) or None, _own_unit(actor))


def reaches(actor: Actor, place: Place) -> bool:
    """Whether it lies in their cells and, for a department, in its hands."""
    unit = _own_unit(actor)
    return actor.reaches(place.cell) and (unit is None or place.unit == unit)


def concerns(audience: Audience, actor: Actor) -> bool:
    """Whether somebody is among those whom it concerns."""
    places = audience.places or (Place(None),)
    return actor.name in audience.people or any(reaches(actor, place) for place in places)


def check_reach(actor: Actor, places: Collection[Place], what: str) -> None:
    """Raise ForbiddenError where none of the places is theirs; no place at all is outside."""
    places = places or (Place(None),)
    if any(reaches(actor, place) for place in places):
        return
    unit = _own_unit(actor)
    theirs = [p for p in places if actor.reaches(p.cell)]
    if theirs and unit is not None:
        raise ForbiddenError(
            f"{what} is not in the hands of {unit}, for which you act, but of "
            f"{theirs[0].unit or 'nobody yet'}",
            role=actor.role,
        )
    cell = next(iter(places)).cell
    where = f"in cell {cell}" if cell else "outside the grid"
    raise ForbiddenError(
        f"{what} lies {where}; you may act and see in {', '.join(actor.cells)} only",
        role=actor.role,
        cells=actor.cells,
        cell=cell,
    )


def check_cell(actor: Actor, cell: str | None, what: str) -> None:
    """Raise ForbiddenError where what lies in that cell is not within the actor's cells.

    For what has no responsible unit: a department may touch whatever lies in its cells.
    """
    if not actor.reaches(cell):
        where = f"in cell {cell}" if cell else "outside the grid, or names no place"
        raise ForbiddenError(
            f"{what} lies {where}; you may act in {', '.join(actor.cells)} only",
            role=actor.role,
            cells=actor.cells,
            cell=cell,
        )


def _own_unit(actor: Actor) -> str | None:
    return actor.unit if actor.role is Role.DEPT else None
