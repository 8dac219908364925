"""People, and what a post makes them: which areas it covers, when, and who stands nearest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeVar

from contract.geometry import Point
from hub.domain.actor import Role
from hub.domain.errors import InvalidError
from hub.domain.grid import BASIC, DISTRICT, SECONDARY

Language = Literal["zh", "en"]
POST_ROLES = (
    Role.ASSISTANT,
    Role.LEADER,
    Role.MASTER,
    Role.DISPATCHER,
    Role.DEPT,
    Role.SUPERVISOR,
)
LONGEST_SHIFT = timedelta(hours=48)
POSITION_GOOD_FOR = timedelta(minutes=30)  # a person is elsewhere by then: 2 km on foot

_DIGITS = {Role.ASSISTANT: (BASIC, "basic"), Role.LEADER: (SECONDARY, "secondary")}


@dataclass(frozen=True, slots=True)
class Post:
    """What a person is, where, from when to when."""

    person: str
    role: Role
    cell: str | None  # None: the whole district
    unit: str | None  # of a department: which one
    from_at: datetime
    to_at: datetime | None  # not included; None: for the time being


@dataclass(frozen=True, slots=True)
class Position:
    """The last word on where somebody is."""

    point: Point
    at: datetime


def check_post(role: Role, cell: str | None, unit: str | None) -> None:
    """Refuse a post that cannot be; raises InvalidError naming the field."""
    if role not in POST_ROLES:
        raise InvalidError(
            f"{role} is no post of a person; there are {', '.join(POST_ROLES)}", field="role"
        )
    digits, level = _DIGITS.get(role, (0, ""))
    if digits and (cell is None or len(cell) != digits):
        raise InvalidError(
            f"the post of {role} needs the code of a {level} grid ({digits} digits), got "
            f"{cell or 'none'}",
            field="cell",
        )
    if role is Role.DEPT and unit is None:
        raise InvalidError("a post in a department names its unit", field="unit")


def covers(area: str | None, cell: str | None) -> bool:
    """Whether who looks after `area` (None: the district) looks after `cell`.

    cell None is a place outside every cell: only the district as a whole covers it.
    """
    if area is None:
        return True
    return len(area) == DISTRICT if cell is None else cell.startswith(area)


P = TypeVar("P")


def nearest_first(
    people: Sequence[tuple[str, P]],
    positions: Mapping[str, Position],
    near: Point,
    at: datetime,
) -> list[P]:
    """People by how far they stand from a place; those of whom nobody knows come last, as given.

    people: (code, person). A position older than `POSITION_GOOD_FOR` is not known.
    """

    def distance_m(code: str) -> float:
        known = positions.get(code)
        if known is None or at - known.at > POSITION_GOOD_FOR:
            return float("inf")
        return known.point.distance_m(near)

    return [person for _, person in sorted(people, key=lambda p: distance_m(p[0]))]
