"""Units, and the responsibility matrix."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from contract.taxonomy import Category
from hub.api.access import OFFICE, PEOPLE, allow
from hub.api.deps import ActorDep, HubDep, Id, Listed, reading
from hub.api.errors import problems
from hub.api.models.people import Assigned, CellCode, Code, ResponsibilityNow, UnitNow, UnitSaid
from hub.domain.errors import InvalidError, NotFoundError
from hub.domain.responsibility import Assignment
from hub.services.context import Hub
from hub.services.registry import staff
from hub.store import units
from hub.store.units import UnitRow

router = APIRouter(tags=["People and units"], dependencies=[allow(*PEOPLE)])
_OFFICE = [allow(*OFFICE)]


@router.get("/units", summary="Every unit", responses=problems())
def list_units(
    hub: HubDep,
    listed: Listed,
    closed: Annotated[bool, Query(description="Those that were closed too")] = False,
) -> list[UnitNow]:
    """Departments, stations and grid teams, by code."""
    with reading(hub) as conn:
        found = listed.shown(units.units(conn, closed=closed, part=listed.part))
    return [UnitNow.model_validate(u) for u in found]


@router.get("/units/{code}", summary="One unit", responses=problems(404))
def show_unit(code: Code, hub: HubDep) -> UnitNow:
    """Its names, what it belongs to and how it is reached."""
    with reading(hub) as conn:
        return UnitNow.model_validate(units.unit(conn, code))


@router.put(
    "/units/{code}",
    summary="Make or change a unit",
    responses=problems(403, 404, 413),
    dependencies=_OFFICE,
)
def put_unit(code: Code, body: UnitSaid, hub: HubDep, actor: ActorDep) -> UnitNow:
    """The unit is as it is said from now on; one that was closed is open again. Units are the
    district's: not for whoever acts in a part of it."""
    with hub.pool.connection() as conn:
        said = UnitRow(code=code, closed_at=None, **body.model_dump())
        return UnitNow.model_validate(staff.save_unit(conn, hub, said, actor))


@router.post(
    "/units/{code}/close",
    summary="Close a unit",
    responses=problems(403, 404, 409, 413),
    dependencies=_OFFICE,
)
def close_unit(code: Code, hub: HubDep, actor: ActorDep) -> UnitNow:
    """It stays known, and answers for nothing any more; 409 while the matrix names it."""
    with hub.pool.connection() as conn:
        return UnitNow.model_validate(staff.close_unit(conn, hub, code, actor))


@router.get("/responsibility", summary="The responsibility matrix", responses=problems())
def list_matrix(
    hub: HubDep,
    listed: Listed,
    unit: Annotated[Code | None, Query()] = None,
    cell: Annotated[
        str | None, Query(pattern=r"^[0-9]{1,15}$", description="A grid code or its beginning")
    ] = None,
    at: Annotated[datetime | None, Query(description="null: now")] = None,
) -> list[ResponsibilityNow]:
    """Its entries in force at a time, by category and cell."""
    when = _when(hub, at)
    with reading(hub) as conn:
        found = listed.shown(units.matrix(conn, when, unit=unit, cell=cell, part=listed.part))
    return [ResponsibilityNow.model_validate(r) for r in found]


@router.get("/responsibility/unit", summary="Which unit answers", responses=problems(404))
def answering(
    hub: HubDep,
    category: Category,
    cell: Annotated[CellCode | None, Query(description="null: outside every cell")] = None,
    subcategory: Annotated[str | None, Query(max_length=64)] = None,
    at: Annotated[datetime | None, Query(description="null: now")] = None,
) -> UnitNow:
    """The most specific cell wins, then the sub-category. 404 where nobody answers."""
    when = _when(hub, at)
    with reading(hub) as conn:
        found = units.responsible_unit(conn, category, subcategory, cell, when)
    if found is None:
        raise NotFoundError("unit that answers for", f"{category} in {cell or 'no cell'}")
    return UnitNow.model_validate(found)


@router.post(
    "/responsibility",
    status_code=204,
    summary="Say who answers",
    responses=problems(403, 413),
    dependencies=_OFFICE,
)
def assign(body: Assigned, hub: HubDep, actor: ActorDep) -> Response:
    """From now on, in place of the unit that the same category, sub-category and cell had."""
    wanted = Assignment(
        body.category, body.subcategory, body.cell, body.unit, from_at=hub.now(), to_at=None
    )
    with hub.pool.connection() as conn:
        staff.assign(conn, hub, wanted, actor)
    return Response(status_code=204)


@router.post(
    "/responsibility/{id}/withdraw",
    status_code=204,
    summary="Nobody answers by this entry any more",
    responses=problems(403, 404, 413),
    dependencies=_OFFICE,
)
def withdraw(id: Id, hub: HubDep, actor: ActorDep) -> Response:
    """What is less specific answers from now on."""
    with hub.pool.connection() as conn:
        staff.withdraw(conn, hub, id, actor)
    return Response(status_code=204)


def _when(hub: Hub, at: datetime | None) -> datetime:
    if at is not None and at.tzinfo is None:
        raise InvalidError(f"{at} needs a time zone, such as +08:00", field="at")
    return at or hub.now()
