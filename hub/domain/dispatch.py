"""Whom a case is given to: what is proposed, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from hub.domain.actor import Role
from hub.domain.case_history import Entry
from hub.domain.grid import DISTRICT, SECONDARY
from hub.domain.notice import Words

GRACE = timedelta(seconds=30)  # a filing can be undone so long: a rule dispatches after that
LEVELS = {
    1: Words("basic grid", "基础网格"),
    2: Words("secondary grid", "二级网格"),
    3: Words("district", "区级"),
}
# who is asked to handle, and to look, at each level: the first role of which somebody is there
HANDLERS = {1: (Role.ASSISTANT, Role.LEADER), 2: (Role.LEADER, Role.MASTER), 3: (Role.MASTER,)}
CHECKERS = (Role.LEADER, Role.MASTER, Role.SUPERVISOR)  # who may pass a check

N = TypeVar("N")


@dataclass(frozen=True, slots=True)
class Past:
    """Who had the case, as far as it matters for who is to have it next."""

    returned_by: frozenset[str] = frozenset()  # units and persons that gave it back since filed
    handlers: frozenset[str] = frozenset()  # whoever handled it, ever since it was opened


def past_of(entries: Iterable[Entry]) -> Past:
    """What the history says; entries: those that hold, oldest first."""
    returned: set[str] = set()
    handlers: set[str] = set()
    unit = ""
    for entry in entries:
        match entry.name:
            case "dispatch":
                unit = entry.unit
            case "return_unit":
                returned |= {unit, entry.actor} - {""}
                unit = ""
            case "accept" | "feedback" | "self_handle":
                handlers.add(entry.actor)
            case "reopen" | "recur":
                returned.clear()
            case _:
                pass
    return Past(frozenset(returned), frozenset(handlers))


def area_at(cell: str | None, level: int) -> str | None:
    """The part of the grid whose entries of the matrix count once a case was escalated."""
    if cell is None or level <= 1:
        return cell
    return cell[: SECONDARY if level == 2 else DISTRICT]


def first_allowed(found: Sequence[tuple[str, N]], left_out: Collection[str]) -> N | None:
    """The first of these (code, whatever) that is not left out."""
    return next((value for code, value in found if code not in left_out), None)


def distance_words(distance_m: float | None) -> Words:
    """How far somebody is, as people say it."""
    if distance_m is None:
        return Words("where they are is not known", "位置未知")
    if distance_m < 1000:
        return Words(f"{distance_m:.0f} m away", f"距离 {distance_m:.0f} 米")
    return Words(f"{distance_m / 1000:.1f} km away", f"距离 {distance_m / 1000:.1f} 公里")
