"""People, their posts, shifts and positions, and who is on duty."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime

from contract.geometry import Point
from hub.api.access import OFFICE, PEOPLE, allow
from hub.api.deps import (
    ActorDep,
    Cursor,
    HubDep,
    Id,
    Limit,
    Listed,
    cursor_id,
    cursor_parts,
    one_page,
    reading,
)
from hub.api.errors import problems
from hub.api.models.people import (
    CellCode,
    Code,
    PeoplePage,
    PersonFull,
    PersonNow,
    PersonSaid,
    PointGeometry,
    PositionCollection,
    PositionFeature,
    PositionNow,
    PositionSaid,
    PostNow,
    PostRole,
    ShiftNow,
    ShiftPage,
    ShiftSaid,
)
from hub.domain.actor import Role
from hub.domain.errors import InvalidError
from hub.domain.people import Post
from hub.services.registry import staff
from hub.store import duty, people
from hub.store.duty import NewShift
from hub.store.people import PeopleFilter, PersonRow, PostRow

router = APIRouter(tags=["People and units"], dependencies=[allow(*PEOPLE)])
_OFFICE = [allow(*OFFICE)]
_CODE = r"([A-Za-z0-9][A-Za-z0-9_.-]{0,63})"
At = Annotated[AwareDatetime | None, Query(description="null: now")]


@router.get("/people", summary="People, by staff number", responses=problems())
def list_people(
    hub: HubDep,
    unit: Annotated[Code | None, Query()] = None,
    role: Annotated[PostRole | None, Query()] = None,
    cell: Annotated[
        str | None, Query(pattern=r"^[0-9]{1,15}$", description="A grid code or its beginning")
    ] = None,
    text: Annotated[str | None, Query(max_length=200, description="In number or name")] = None,
    left: Annotated[bool, Query(description="Those that left too")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PeoplePage:
    """Filters are joined by and."""
    after = (cursor_parts(cursor, _CODE) or ("",))[0]
    wanted = PeopleFilter(unit, role, cell, text, left)
    with reading(hub) as conn:
        found = people.people(conn, wanted, after, limit + 1, hub.now())
    shown, last = one_page(found, limit)
    return PeoplePage(
        people=[PersonNow.model_validate(p) for p in shown], next=last.code if last else None
    )


@router.get("/people/{code}", summary="One person", responses=problems(404))
def show_person(code: Code, hub: HubDep) -> PersonFull:
    """With their posts, those that ended too."""
    with reading(hub) as conn:
        return _full(people.by_code(conn, code), people.posts_of(conn, [code], ended=True))


@router.put(
    "/people/{code}",
    summary="Make or change a person",
    responses=problems(403, 404, 413),
    dependencies=_OFFICE,
)
def put_person(code: Code, body: PersonSaid, hub: HubDep, actor: ActorDep) -> PersonFull:
    """The person holds these posts from now on, and no others; one who left works here again.
    Nobody gives or takes posts beyond their cells; that of a supervisor is for supervisors."""
    now = hub.now()
    posts = [Post(code, Role(p.role), p.cell, p.unit, now, None) for p in body.posts]
    row = PersonRow(code=code, left_at=None, **body.model_dump(exclude={"posts"}))
    with hub.pool.connection() as conn:
        person = staff.save_person(conn, hub, row, posts, actor)
        return _full(person, people.posts_of(conn, [code], ended=True))


@router.post(
    "/people/{code}/leave",
    summary="Somebody left",
    responses=problems(403, 404, 413),
    dependencies=_OFFICE,
)
def leave(code: Code, hub: HubDep, actor: ActorDep) -> PersonFull:
    """Their posts end now. Who they were stays known: histories name them."""
    with hub.pool.connection() as conn:
        return _full(*staff.leave(conn, hub, code, actor))


@router.put(
    "/people/{code}/position",
    status_code=204,
    summary="Say where somebody is",
    responses=problems(403, 404, 409, 413),
)
def put_position(code: Code, body: PositionSaid, hub: HubDep, actor: ActorDep) -> Response:
    """By themselves, or by the desk. One older than the last is taken, and changes nothing."""
    with hub.pool.connection() as conn:
        staff.report_position(
            conn, hub, actor, code, Point(body.lon, body.lat), body.accuracy_m, body.at
        )
    return Response(status_code=204)


@router.get("/duty", summary="Who is on duty", responses=problems())
def list_duty(
    hub: HubDep,
    listed: Listed,
    role: PostRole,
    cell: Annotated[CellCode | None, Query(description="null: outside every cell")] = None,
    at: At = None,
    lon: Annotated[float | None, Query(ge=-180, le=180)] = None,
    lat: Annotated[float | None, Query(ge=-90, le=90)] = None,
    within: Annotated[bool, Query(description="Who looks after a part of the cell too")] = False,
) -> list[PersonNow]:
    """Who holds that post for the cell or one above it and is on shift; with lon and lat the
    nearest first, else who has the smallest area."""
    if (lon is None) != (lat is None):
        raise InvalidError("send both lon and lat, or neither", field="lon")
    near = Point(lon, lat) if lon is not None and lat is not None else None
    with reading(hub) as conn:
        found = people.on_duty(conn, Role(role), cell, at or hub.now(), near=near, within=within)
    return [PersonNow.model_validate(p) for p in listed.shown_of(found)]


@router.get("/duty/positions", summary="Where who is on duty is", responses=problems())
def list_positions(
    hub: HubDep,
    actor: ActorDep,
    listed: Listed,
    role: PostRole = "assistant",
    cell: Annotated[CellCode | None, Query(description="null: the district")] = None,
) -> PositionCollection:
    """The last word on each as GeoJSON; who never said is left out, and for whoever acts in cells,
    who is elsewhere."""
    area = cell or hub.config.hub.district
    with reading(hub) as conn:
        on_duty = people.on_duty(conn, Role(role), area, hub.now(), within=True)
        names = {p.code: p.name for p in on_duty}
        known = duty.positions(conn, list(names))
    features = []
    for p in known:
        inside = hub.grid.locate(Point(p.lon, p.lat))
        if not actor.reaches(inside.code if inside else None):
            continue
        features.append(
            PositionFeature(
                id=p.person,
                geometry=PointGeometry(coordinates=(p.lon, p.lat)),
                properties=PositionNow(
                    person=p.person,
                    name=names[p.person],
                    accuracy_m=p.accuracy_m,
                    at=p.at,
                    cell=inside.code if inside else None,
                ),
            )
        )
    return PositionCollection(features=listed.shown_of(features))


@router.get("/shifts", summary="Shifts", responses=problems())
def list_shifts(
    hub: HubDep,
    since: Annotated[AwareDatetime | None, Query(alias="from", description="null: now")] = None,
    until: Annotated[
        AwareDatetime | None, Query(alias="to", description="null: a day after `from`")
    ] = None,
    person: Annotated[Code | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ShiftPage:
    """Those that reach into a time."""
    begin = since or hub.now()
    try:
        end = until or begin + timedelta(days=1)
    except OverflowError:
        raise InvalidError(f"{begin} is outside the times there are", field="from") from None
    with reading(hub) as conn:
        found = duty.shifts(
            conn, begin, end, person=person, after=cursor_id(cursor) or 0, limit=limit + 1
        )
    shown, last = one_page(found, limit)
    return ShiftPage(
        shifts=[ShiftNow.model_validate(s) for s in shown], next=str(last.id) if last else None
    )


@router.post(
    "/shifts",
    status_code=204,
    summary="Plan a shift",
    responses=problems(403, 413),
    dependencies=_OFFICE,
)
def plan_shift(body: ShiftSaid, hub: HubDep, actor: ActorDep) -> Response:
    """One of the same person, beginning and cell gets the new end."""
    with hub.pool.connection() as conn:
        shift = NewShift(body.person, body.cell, body.begins_at, body.ends_at)
        staff.plan_shift(conn, hub, shift, actor)
    return Response(status_code=204)


@router.delete(
    "/shifts/{id}",
    status_code=204,
    summary="A shift is not worked",
    responses=problems(403, 404),
    dependencies=_OFFICE,
)
def remove_shift(id: Id, hub: HubDep, actor: ActorDep) -> Response:
    """It is as if it had never been planned."""
    with hub.pool.connection() as conn:
        staff.remove_shift(conn, hub, id, actor)
    return Response(status_code=204)


def _full(person: PersonRow, posts: list[PostRow]) -> PersonFull:
    return PersonFull(
        **PersonNow.model_validate(person).model_dump(),
        posts=[PostNow.model_validate(p) for p in posts],
    )
