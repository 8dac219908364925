"""Which roles may use a route: every route says so, and one that does not stops the start.

    @router.get("/events", dependencies=[allow(*PEOPLE)], ...)

A router may say it for all its routes; where route and router both do, both hold. What somebody may
do beyond that depends on the event: the lifecycle knows the roles of each transition, and
`Actor.reaches` the place.

Who is let in to change something stands in the audit log before it is changed, and who is kept out
as well; `Recorder` adds what came of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from contract.errors import GridwardenError
from hub.api.caller import CallerDep, is_this_machine, the_caller
from hub.api.recorder import began, refused
from hub.domain.actor import DESK as DESK
from hub.domain.actor import OFFICE as OFFICE
from hub.domain.actor import PEOPLE as PEOPLE
from hub.domain.actor import Role
from hub.domain.errors import ForbiddenError
from hub.services.signing_in import Caller

# whoever can be signed in at all
ANYBODY = (*PEOPLE, Role.CITIZEN, Role.MONITOR)


class AccessError(GridwardenError, RuntimeError):
    """A route does not say who may use it."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Who may use a route. roles None: everyone, signed in or not."""

    roles: frozenset[Role] | None
    this_machine: bool = False  # and any program on this machine

    def __and__(self, other: Allowed) -> Allowed:
        if self.roles is None or other.roles is None:
            roles = other.roles if self.roles is None else self.roles
        else:
            roles = self.roles & other.roles
        return Allowed(roles, self.this_machine and other.this_machine)

    def __str__(self) -> str:
        roles = "everyone" if self.roles is None else ", ".join(sorted(self.roles))
        return f"{roles}, this machine" if self.this_machine else roles


EVERYONE = Allowed(None, this_machine=True)
_declared: dict[Callable[..., Any], Allowed] = {}


def allow(*roles: Role) -> Any:
    """A dependency that lets these roles in; anybody else gets a problem that says what it takes.

    Raises AccessError where no role is named.
    """
    allowed = _some(roles)

    def check(request: Request, caller: CallerDep) -> None:
        _let_in(request, caller, allowed)

    _declared[check] = Allowed(allowed)
    return Depends(check)


def allow_this_machine(*roles: Role) -> Any:
    """As `allow`, and lets in whoever asks from this machine, signed in or not."""
    allowed = _some(roles)

    def check(request: Request) -> None:
        if not is_this_machine(request):
            _let_in(request, the_caller(request), allowed)

    _declared[check] = Allowed(allowed, this_machine=True)
    return Depends(check)


def _everyone() -> None:
    """Lets anybody in, signed in or not."""


_declared[_everyone] = EVERYONE
TO_EVERYONE: Any = Depends(_everyone)


def table(app: FastAPI) -> dict[str, Allowed]:
    """Who may use each route, by method and path. Raises AccessError where a route does not say."""
    found: dict[str, Allowed] = {}
    for route in iter_route_contexts(app.routes):
        name = f"{' '.join(sorted(route.methods or ('ANY',)))} {route.path}"
        if not isinstance(route.original_route, APIRoute):
            raise AccessError(f"{name} is no route of the API: it cannot say who may use it")
        found[name] = _allowed(route, name)
    return found


def _let_in(request: Request, caller: Caller, allowed: frozenset[Role]) -> None:
    role = caller.actor.role
    if role not in allowed:
        error = ForbiddenError(
            f"this is for {', '.join(sorted(allowed))}; you are signed in as {caller.login}, "
            f"{role}",
            role=role,
            needs_role=allowed,
        )
        refused(request, caller, str(error))
        raise error
    began(request, caller)


def _some(roles: tuple[Role, ...]) -> frozenset[Role]:
    if not roles:
        raise AccessError("allow() without a role lets nobody in: name roles, or use TO_EVERYONE")
    return frozenset(roles)


def _allowed(route: RouteContext, name: str) -> Allowed:
    said = [_declared[call] for call in _calls(route.dependant) if call in _declared]
    if not said:
        raise AccessError(
            f"{name} does not say who may use it: add dependencies=[allow(*PEOPLE)] of "
            "hub/api/access.py to the route or its router, or [TO_EVERYONE]"
        )
    both = EVERYONE
    for one in said:
        both = both & one
    return both


def _calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    for part in dependant.dependencies:
        if part.call is not None:
            yield part.call
        yield from _calls(part)
