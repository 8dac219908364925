"""Whom a case is proposed to go to: the responsible unit by the matrix, the nearest on duty."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from contract.geometry import Point
from hub.domain.actor import Role
from hub.domain.case_history import standing
from hub.domain.dispatch import (
    CHECKERS,
    HANDLERS,
    LEVELS,
    Past,
    area_at,
    distance_words,
    first_allowed,
    past_of,
)
from hub.domain.notice import Words
from hub.domain.people import POSITION_GOOD_FOR
from hub.services.context import Hub
from hub.services.event_clock import entry_of
from hub.store import duty, events, people, units
from hub.store.people import PersonRow
from hub.store.rows import GridEventRow
from hub.store.units import UnitRow


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to do with a case next, and why. distance_m None: where the person is is not known."""

    act: str  # dispatch | send_verify | start_check
    unit: UnitRow | None
    person: PersonRow | None
    distance_m: float | None
    reason: Words
    left_out: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether it can be accepted as it is."""
        return (self.unit if self.act == "dispatch" else self.person) is not None


def propose(conn: Connection[Any], hub: Hub, event: GridEventRow) -> Proposal | None:
    """What is proposed in the state the event is in; None where there is nothing to give away."""
    match event.state:
        case "filed":
            return propose_dispatch(conn, hub, event)
        case "reported" | "suspected":
            return propose_verifier(conn, hub, event)
        case "disposed":
            return propose_checker(conn, hub, event)
        case _:
            return None


def propose_dispatch(conn: Connection[Any], hub: Hub, event: GridEventRow) -> Proposal:
    """The responsible unit at the event's level, and the nearest on duty who is to handle it.

    Who gave it back is left out.
    """
    past = _past(conn, event)
    now = hub.now()
    area = area_at(event.cell, event.level)
    found = units.responsible_units(conn, event.category, event.subcategory, area, now)
    unit = first_allowed([(u.code, u) for u in found], past.returned_by)
    person, distance_m = _nearest(conn, hub, event, HANDLERS[event.level], past.returned_by)
    level = LEVELS[event.level]
    if unit is None:
        why = Words(
            f"The matrix names no {'other ' if found else ''}unit for it at the level of the "
            f"{level.en}: choose one",
            f"责任清单未在{level.zh}层级指定{'其他' if found else ''}责任单位，请选择",
        )
    else:
        why = Words(
            f"{unit.name_en} answers for this kind here, by the matrix ({level.en})",
            f"按责任清单，由{unit.name_zh}负责（{level.zh}）",
        )
    return Proposal(
        "dispatch",
        unit,
        person,
        distance_m,
        _sentence(why, person, distance_m, past.returned_by, "gave it back", "已退回"),
        tuple(sorted(past.returned_by)),
    )


def propose_verifier(conn: Connection[Any], hub: Hub, event: GridEventRow) -> Proposal:
    """The nearest assistant on duty."""
    person, distance_m = _nearest(conn, hub, event, (Role.ASSISTANT,), ())
    why = Words("To see whether it is so", "到场核实")
    return Proposal(
        "send_verify", None, person, distance_m, _sentence(why, person, distance_m, (), "", "")
    )


def propose_checker(conn: Connection[Any], hub: Hub, event: GridEventRow) -> Proposal:
    """Somebody who may pass the check and had no hand in the case: on duty, else with the post."""
    past = _past(conn, event)
    person, distance_m = _nearest(conn, hub, event, CHECKERS, past.handlers, or_holder=True)
    why = Words("To see whether it is done", "核查处置结果")
    return Proposal(
        "start_check",
        None,
        person,
        distance_m,
        _sentence(why, person, distance_m, past.handlers, "handled it", "参与过处置"),
        tuple(sorted(past.handlers)),
    )


def _past(conn: Connection[Any], event: GridEventRow) -> Past:
    return past_of(standing(entry_of(row) for row in events.history(conn, event.id)))


def _nearest(
    conn: Connection[Any],
    hub: Hub,
    event: GridEventRow,
    roles: Iterable[Role],
    left_out: Collection[str],
    *,
    or_holder: bool = False,
) -> tuple[PersonRow | None, float | None]:
    """The nearest on duty of the first role that has somebody, and how far; else, if wanted, who
    holds the post."""
    now = hub.now()
    near = None
    if event.lon is not None and event.lat is not None:
        near = Point(event.lon, event.lat)

    def on_duty(role: Role) -> list[PersonRow]:
        return people.on_duty(conn, role, event.cell, now, near=near)

    def holders(role: Role) -> list[PersonRow]:
        return people.holders(conn, role, event.cell, now)

    ways: list[Callable[[Role], list[PersonRow]]] = [on_duty, holders] if or_holder else [on_duty]
    for role in roles:
        for way in ways:
            person = first_allowed([(p.code, p) for p in way(role)], left_out)
            if person is not None:
                return person, _distance_m(conn, person, near, now)
    return None, None


def _distance_m(
    conn: Connection[Any], person: PersonRow, near: Point | None, now: datetime
) -> float | None:
    known = next(iter(duty.positions(conn, [person.code])), None)
    if known is None or near is None or now - known.at > POSITION_GOOD_FOR:
        return None
    return Point(known.lon, known.lat).distance_m(near)


def _sentence(
    why: Words,
    person: PersonRow | None,
    distance_m: float | None,
    left_out: Collection[str],
    did_en: str,
    did_zh: str,
) -> Words:
    """Why this, in one sentence of each language."""
    if person is None:
        who = Words("nobody suitable is on duty there", "当前无合适人员在岗")
    else:
        far = distance_words(distance_m)
        who = Words(
            f"{person.code} {person.name} is the nearest there, {far.en}",
            f"{person.code} {person.name} 距离最近（{far.zh}）",
        )
    names = ", ".join(sorted(left_out))
    out = Words(f"; left out: {names}, who {did_en}", f"；已排除：{names}（{did_zh}）")
    tail = out if names else Words("", "")
    return Words(f"{why.en}; {who.en}{tail.en}.", f"{why.zh}；{who.zh}{tail.zh}。")
