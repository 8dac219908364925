"""An account of a person acts as their posts say; any other as the account says itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor, Role
from hub.domain.capacity import Capacity, choose, joined
from hub.store import people
from hub.store.accounts import Account


def capacities_of(conn: Connection[Any], account: Account, at: datetime) -> tuple[Capacity, ...]:
    """In what the account may be used; () where its person left, or holds no post."""
    if account.person is None:
        return (Capacity(account.role, account.cells, account.unit),)
    return of_person(conn, account.person, at)


def of_person(conn: Connection[Any], person: str, at: datetime) -> tuple[Capacity, ...]:
    """What somebody's posts make them; () where they left, or hold none."""
    held = people.posts_in_force(conn, person, at)
    return joined(Capacity(Role(p.role), (p.cell,) if p.cell else (), p.unit) for p in held)


def usual(account: Account, capacities: tuple[Capacity, ...]) -> Capacity | None:
    """The capacity in which the account is used unless another is chosen."""
    return choose(capacities, (account.role, account.unit))


def actor_of(account: Account, capacity: Capacity) -> Actor:
    """Who acts when the account is used: the person where one is known, else the login."""
    return Actor(account.name, capacity.role, capacity.cells, capacity.unit)
