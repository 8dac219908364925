"""Whom an act names: real units and real people, where the district has registered any."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import Connection

from hub.domain.errors import InvalidError, NotFoundError
from hub.services.act import Act
from hub.store import people, units
from hub.store.people import PeopleFilter

_ASSIGNS = ("dispatch", "send_verify", "start_check")


def check_named(conn: Connection[Any], act: Act, at: datetime) -> None:
    """Raise InvalidError where the act names a unit or a person that is not there, or no longer.

    A district that has registered no units, or nobody, may name them as it likes.
    """
    if act.name == "dispatch" and act.responsible_unit is not None:
        _check_unit(conn, act.responsible_unit, "responsible_unit", at)
    if act.name == "add_cohandler" and act.unit is not None:
        _check_unit(conn, act.unit, "unit", at)
    if act.name in _ASSIGNS and act.assignee is not None:
        _check_person(conn, act.assignee, at)


def _check_unit(conn: Connection[Any], code: str, field: str, at: datetime) -> None:
    known = {u.code for u in units.units(conn)}
    if known and code not in known:
        raise InvalidError(
            f"there is no unit {code!r}, or it was closed; `gridwarden units list` shows them",
            field=field,
        )


def _check_person(conn: Connection[Any], code: str, at: datetime) -> None:
    try:
        person = people.by_code(conn, code)
    except NotFoundError:
        if people.people(conn, PeopleFilter(left=True), "", 1, at):
            raise InvalidError(
                f"there is nobody with the staff number {code!r}; `gridwarden people list` shows "
                "them",
                field="assignee",
            ) from None
        return
    if person.left_at is not None and person.left_at <= at:
        raise InvalidError(f"{code} {person.name} has left: choose another", field="assignee")
    if person.in_training:
        raise InvalidError(
            f"{code} {person.name} is in training and is given recorded cases only: choose another",
            field="assignee",
        )
