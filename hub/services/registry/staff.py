"""Changes of units, people, posts, shifts and the matrix, one at a time, each checked."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from contract.geometry import Point
from hub.domain.actor import DESK, Actor, Role
from hub.domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    WrongRoleError,
)
from hub.domain.people import LONGEST_SHIFT, Post, check_post
from hub.domain.reach import check_cell
from hub.domain.responsibility import Assignment
from hub.domain.units import parents_first
from hub.services.context import Hub
from hub.store import duty, people, units
from hub.store.duty import NewShift
from hub.store.people import PersonRow, PostRow
from hub.store.units import UnitRow

CLOCKS_DIFFER = timedelta(minutes=5)  # a telephone's clock may be ahead


def save_unit(conn: Connection[Any], hub: Hub, unit: UnitRow, actor: Actor) -> UnitRow:
    """Take a unit over; one that was closed is open again.

    Raises InvalidError, and ForbiddenError for whoever acts in a part: units are the district's.
    """
    check_cell(actor, hub.config.hub.district, f"unit {unit.code}")
    known = {u.code: u for u in units.units(conn, closed=True)}
    if unit.parent is not None and unit.parent not in known:
        raise InvalidError(f"there is no unit {unit.parent!r} to belong to", field="parent")
    parents_first({code: u.parent for code, u in known.items()} | {unit.code: unit.parent})
    units.save_units(conn, [unit])
    return units.unit(conn, unit.code)


def close_unit(conn: Connection[Any], hub: Hub, code: str, actor: Actor) -> UnitRow:
    """The unit is no more.

    Raises NotFoundError, ConflictError while it answers for anything, and ForbiddenError as
    `save_unit` does.
    """
    units.unit(conn, code)
    check_cell(actor, hub.config.hub.district, f"unit {code}")
    answers = units.matrix(conn, hub.now(), unit=code)
    if answers:
        raise ConflictError(
            f"unit {code} answers for {len(answers)} entries of the responsibility matrix, such as "
            f"{answers[0].category} in {answers[0].cell}: give them to another one first",
            action="close",
        )
    units.close_unit(conn, code, hub.now())
    return units.unit(conn, code)


def assign(conn: Connection[Any], hub: Hub, wanted: Assignment, actor: Actor) -> None:
    """The unit answers from now on. Raises InvalidError, ForbiddenError."""
    if wanted.subcategory is not None:
        sub = hub.categories.subcategories.get(wanted.subcategory)
        if sub is None or sub.category is not wanted.category:
            raise InvalidError(
                f"{wanted.subcategory!r} is no sub-category of {wanted.category}",
                field="subcategory",
            )
    _check_cell(hub, wanted.cell)
    check_cell(actor, wanted.cell, "what the unit is to answer for")
    _check_unit(conn, wanted.unit)
    units.assign(conn, [wanted], hub.now())


def withdraw(conn: Connection[Any], hub: Hub, id: int, actor: Actor) -> None:
    """An entry of the matrix holds no more. Raises NotFoundError, ForbiddenError."""
    cell = units.withdraw(conn, id, hub.now())
    if cell is None:
        raise NotFoundError("entry of the matrix in force", str(id))
    check_cell(actor, cell, "what the unit answers for")


def save_person(
    conn: Connection[Any], hub: Hub, person: PersonRow, posts: Collection[Post], actor: Actor
) -> PersonRow:
    """Take a person and their posts over; one who left works here again.

    Raises InvalidError, and ForbiddenError where a post that is given or taken is not the actor's
    to give: posts are rights; and where what is known of somebody changes who holds a post beyond
    the actor's cells.
    """
    if person.unit is not None:
        _check_unit(conn, person.unit)
    for post in posts:
        check_post(post.role, post.cell, post.unit)
        if post.cell is not None:
            _check_cell(hub, post.cell)
        if post.unit is not None:
            _check_unit(conn, post.unit)
    held = {(p.role, p.cell, p.unit) for p in people.posts_of(conn, [person.code])}
    _check_gives(hub, actor, held ^ {(str(p.role), p.cell, p.unit) for p in posts})
    if held and people.by_code(conn, person.code) != person:
        _check_posts(hub, actor, person.code, [cell for _, cell, _ in held])
    people.save_people(conn, [person])
    people.set_posts(conn, [person.code], posts, hub.now())
    return people.by_code(conn, person.code)


def leave(
    conn: Connection[Any], hub: Hub, code: str, actor: Actor
) -> tuple[PersonRow, list[PostRow]]:
    """The person works here no more, and their posts end. Raises NotFoundError, ForbiddenError."""
    people.by_code(conn, code)
    _check_gives(hub, actor, {(p.role, p.cell, p.unit) for p in people.posts_of(conn, [code])})
    people.leave(conn, code, hub.now())
    return people.by_code(conn, code), people.posts_of(conn, [code], ended=True)


def plan_shift(conn: Connection[Any], hub: Hub, shift: NewShift, actor: Actor) -> None:
    """Keep a shift. Raises InvalidError, and ForbiddenError where it lies beyond their cells."""
    if not timedelta(0) < shift.ends_at - shift.begins_at <= LONGEST_SHIFT:
        raise InvalidError(
            f"a shift ends after it begins and within {LONGEST_SHIFT.total_seconds() / 3600:g} h, "
            f"got {shift.begins_at.isoformat()} to {shift.ends_at.isoformat()}",
            field="ends_at",
        )
    if shift.cell is not None:
        _check_cell(hub, shift.cell)
    try:
        people.by_code(conn, shift.person)
    except NotFoundError as e:
        raise InvalidError(str(e), field="person") from None
    _check_shift(conn, hub, actor, shift.person, shift.cell)
    duty.save_shifts(conn, [shift])


def remove_shift(conn: Connection[Any], hub: Hub, id: int, actor: Actor) -> None:
    """The shift is not worked. Raises NotFoundError, and ForbiddenError as `plan_shift`."""
    shift = duty.remove_shift(conn, id)
    if shift is None:
        raise NotFoundError("shift", str(id))
    _check_shift(conn, hub, actor, shift.person, shift.cell)


def report_position(
    conn: Connection[Any],
    hub: Hub,
    actor: Actor,
    code: str,
    position: Point,
    accuracy_m: float | None,
    at: datetime | None,
) -> bool:
    """Somebody is there; False where a later word is known. Only they themselves and the desk, of
    those within its cells, may say so. Raises NotFoundError, WrongRoleError, ForbiddenError and
    InvalidError."""
    person = people.by_code(conn, code)
    if actor.name != code and actor.role not in DESK:
        raise WrongRoleError(
            f"{actor.name} does not say where {code} is: they do, or the desk",
            action="report_position",
            role=actor.role,
        )
    if actor.name != code:
        _check_posts(hub, actor, code, [p.cell for p in people.posts_of(conn, [code])])
    now = hub.now()
    if person.left_at is not None and person.left_at <= now:
        raise InvalidError(f"{code} left on {person.left_at:%Y-%m-%d}", field="code")
    said = at or now
    if said > now + CLOCKS_DIFFER:
        raise InvalidError(
            f"{said.isoformat()} lies in the future: set the clock of the telephone", field="at"
        )
    return duty.report_position(conn, code, position, accuracy_m, min(said, now))


def _check_gives(
    hub: Hub, actor: Actor, posts: Collection[tuple[str, str | None, str | None]]
) -> None:
    """Raise ForbiddenError where a post (role, cell, unit) is not theirs to give or take.

    Supervisors watch over the office: nobody else makes one, least of all of themselves.
    """
    for role, cell, _ in sorted(posts, key=str):
        if role == Role.SUPERVISOR and actor.role is not Role.SUPERVISOR:
            raise ForbiddenError(
                f"the post of supervisor is given and taken by supervisors, not by {actor.role}",
                role=actor.role,
                needs_role=[Role.SUPERVISOR],
            )
        check_cell(actor, cell or hub.config.hub.district, f"the post of {role}")


def _check_shift(
    conn: Connection[Any], hub: Hub, actor: Actor, person: str, cell: str | None
) -> None:
    """Raise ForbiddenError where the cell of a shift, else a post it is for, is not theirs."""
    if cell is not None:
        check_cell(actor, cell, f"the shift of {person}")
    else:
        _check_posts(hub, actor, person, [p.cell for p in people.posts_of(conn, [person])])


def _check_posts(hub: Hub, actor: Actor, person: str, cells: Collection[str | None]) -> None:
    """Raise ForbiddenError where somebody's post is not within the actor's cells."""
    for cell in sorted({cell or hub.config.hub.district for cell in cells}):
        check_cell(actor, cell, f"a post of {person}")


def _check_cell(hub: Hub, code: str) -> None:
    if code not in hub.grid.cells:
        raise InvalidError(f"there is no cell {code} in the grid now", field="cell")


def _check_unit(conn: Connection[Any], code: str) -> None:
    try:
        unit = units.unit(conn, code)
    except NotFoundError as e:
        raise InvalidError(str(e), field="unit") from None
    if unit.closed_at is not None:
        raise InvalidError(f"unit {code} was closed on {unit.closed_at:%Y-%m-%d}", field="unit")
