"""The demo district gets its staff: once, and shifts and missing accounts at every start."""

from __future__ import annotations

from datetime import datetime

from gridwarden.district_staff import build_shifts, build_staff
from hub.domain.sign_in import login_key
from hub.services.context import Hub
from hub.store import accounts, duty, equipment, people, registry, units
from hub.store.people import PeopleFilter

BY = "demo"


def populate(hub: Hub) -> bool:
    """Units, people, matrix, terminals, budget and a little of the base registry, unless somebody
    works there already; whether it was done."""
    now = hub.now()
    local = now.astimezone(hub.zone)
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
            for code, position in staff.positions:
                duty.report_position(conn, code, position, None, now)
        known = {p.code for p in people.people(conn, PeopleFilter(), "", 10_000, now)}
        shifts = [s for s in build_shifts(staff, _midnight(local)) if s.person in known]
        duty.save_shifts(conn, shifts)
    return new


def give_accounts(hub: Hub) -> int:
    """An account by staff number for everybody of the staff who never had one; how many.

    Its password is set when somebody needs it.
    """
    now = hub.now()
    with hub.pool.connection() as conn:
        had = {a.person for a in accounts.every_account(conn)}
        known = {p.code for p in people.people(conn, PeopleFilter(), "", 10_000, now)}
        given = [
            accounts.add_account(
                conn,
                login=post.person,
                login_key=login_key(post.person),
                role=post.role,
                cells=(),
                unit=post.unit,
                person=post.person,
                password_hash=None,
                by=BY,
                at=now,
            )
            for post in build_staff(now, now.year).posts
            if post.person in known - had
        ]
    return sum(account is not None for account in given)


def _midnight(local: datetime) -> datetime:
    return local.replace(hour=0, minute=0, second=0, microsecond=0)
