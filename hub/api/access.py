"""Which roles may use a route: every route says so, and one that does not stops the start.

    @router.get("/events", dependencies=[allow(*PEOPLE)], ...)

A router may say it for all its routes; where route and router both do, both hold. What somebody may
do beyond that depends on the event: the lifecycle knows the roles of each transition, and
`Actor.reaches` the place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from contract.errors import GridwardenError
from hub.api.deps import ActorDep
from hub.domain.actor import Role
from hub.domain.errors import ForbiddenError

# whoever works in the district
PEOPLE = (
    Role.ASSISTANT,
    Role.LEADER,
    Role.MASTER,
    Role.DISPATCHER,
    Role.DEPT,
    Role.SUPERVISOR,
)
# whoever runs the loop and looks after the devices
DESK = (Role.LEADER, Role.MASTER, Role.DISPATCHER, Role.SUPERVISOR)
# whoever looks after grid, people and units
OFFICE = (Role.MASTER, Role.DISPATCHER, Role.SUPERVISOR)

_declared: dict[Callable[..., Any], frozenset[Role] | None] = {}  # None: everyone


class AccessError(GridwardenError, RuntimeError):
    """A route does not say who may use it."""


def allow(*roles: Role) -> Any:
    """A dependency that lets these roles in; anybody else gets a problem that says what it takes.

    Raises AccessError where no role is named.
    """
    if not roles:
        raise AccessError("allow() without a role lets nobody in: name roles, or use TO_EVERYONE")
    allowed = frozenset(roles)

    def check(actor: ActorDep) -> None:
        if actor.role not in allowed:
            raise ForbiddenError(
                f"this is for {_names(allowed)}; you are signed in as {actor.name}, {actor.role}",
                role=actor.role,
                needs_role=allowed,
            )

    _declared[check] = allowed
    return Depends(check)


def _everyone() -> None:
    """Lets anybody in, signed in or not."""


_declared[_everyone] = None
TO_EVERYONE: Any = Depends(_everyone)


def table(app: FastAPI) -> dict[str, frozenset[Role] | None]:
    """Who may use each route, by method and path; None: everyone, signed in or not.

    Raises AccessError where a route does not say.
    """
    found: dict[str, frozenset[Role] | None] = {}
    for route in iter_route_contexts(app.routes):
        name = f"{' '.join(sorted(route.methods or ('ANY',)))} {route.path}"
        if not isinstance(route.original_route, APIRoute):
            raise AccessError(f"{name} is no route of the API: it cannot say who may use it")
        found[name] = _roles_of(route, name)
    return found


def _roles_of(route: RouteContext, name: str) -> frozenset[Role] | None:
    said = [_declared[call] for call in _calls(route.dependant) if call in _declared]
    if not said:
        raise AccessError(
            f"{name} does not say who may use it: add dependencies=[allow(*PEOPLE)] of "
            "hub/api/access.py to the route or its router, or [TO_EVERYONE]"
        )
    limits = [roles for roles in said if roles is not None]
    return frozenset.intersection(*limits) if limits else None


def _calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    for part in dependant.dependencies:
        if part.call is not None:
            yield part.call
        yield from _calls(part)


def _names(roles: frozenset[Role]) -> str:
    return ", ".join(sorted(roles))
