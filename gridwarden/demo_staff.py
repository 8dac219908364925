"""The demo district gets its staff: once, and shifts at every start."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import Connection

from gridwarden.district_staff import Staff, build_shifts, build_staff
from hub.domain.sign_in import login_key
from hub.services.context import Hub
from hub.store import accounts, equipment, people, registry, units
from hub.store.people import PeopleFilter

BY = "demo"


def populate(hub: Hub) -> bool:
    """Units, people, matrix, terminals, accounts, budget and a little of the base registry, unless
    somebody works there already; whether it was done."""
    now = hub.now()
    local = now.astimezone(ZoneInfo(hub.config.hub.time_zone))
    staff = build_staff(now, local.year)
    with hub.pool.connection() as conn:
        if people.people(conn, PeopleFilter(left=True), "", 1, now):
            new = False
        else:
            new = True
            units.save_units(conn, staff.units)
            units.assign(conn, staff.matrix, now)
            people.save_people(conn, staff.people)
            people.set_posts(conn, [p.code for p in staff.people], staff.posts, now)
            equipment.save_terminals(conn, staff.terminals)
            equipment.save_budget(conn, staff.budget)
            for entry in staff.entries:
                registry.add(conn, entry, BY, now)
            _add_accounts(conn, staff, now)
            for code, position in staff.positions:
                people.report_position(conn, code, position, None, now)
        known = {p.code for p in people.people(conn, PeopleFilter(), "", 10_000, now)}
        shifts = [s for s in build_shifts(staff, _midnight(local)) if s.person in known]
        people.save_shifts(conn, shifts)
    return new


def _add_accounts(conn: Connection[Any], staff: Staff, at: datetime) -> None:
    """An account for everybody, by staff number; its password is set when somebody needs it."""
    for post in staff.posts:
        accounts.add_account(
            conn,
            login=post.person,
            login_key=login_key(post.person),
            role=post.role,
            cells=(post.cell,) if post.cell else (),
            unit=post.unit,
            person=post.person,
            password_hash=None,
            by=BY,
            at=at,
        )


def _midnight(local: datetime) -> datetime:
    return local.replace(hour=0, minute=0, second=0, microsecond=0)
