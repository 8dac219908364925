"""Who asks: read from the token or the session of a request."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from hub.api.host_names import LOOPBACK, name_of
from hub.domain.errors import SignedOutError
from hub.domain.sign_in import is_loopback
from hub.services.context import Hub
from hub.services.signing_in import Caller, by_session, by_token

COOKIE = "gridwarden_session"
_LONGEST = 200  # characters of a token or session; ours are shorter
_BEARER = "bearer "


def address_of(request: Request) -> str:
    """From where it was asked: the peer, or what a trusted proxy says."""
    return request.client.host if request.client is not None else ""


def look_up(request: Request) -> Caller | None:
    """Who asks; None where nobody is signed in and no token was sent.

    A token comes before a session, and one that is no good is refused even where there is a
    session. Raises SignedOutError.
    """
    hub: Hub = request.app.state.hub
    header = request.headers.get("authorization")
    if header is not None:
        secret = header[len(_BEARER) :].strip()
        known = header[: len(_BEARER)].lower() == _BEARER and len(secret) <= _LONGEST
        caller = by_token(hub, secret, address_of(request)) if known else None
        if caller is None:
            raise SignedOutError(
                "this token is none of ours, was revoked, or is too old: send "
                "Authorization: Bearer TOKEN with one of `gridwarden tokens create`"
            )
        return caller
    secret = request.cookies.get(COOKIE, "")
    return by_session(hub, secret, address_of(request)) if 0 < len(secret) <= _LONGEST else None


def the_caller(request: Request) -> Caller:
    """Who asks; raises SignedOutError where nobody is signed in."""
    caller = look_up(request)
    if caller is None:
        ended = COOKIE in request.cookies
        raise SignedOutError(
            "the session has ended: sign in again"
            if ended
            else "nobody is signed in: sign in at /sign-in, or send Authorization: Bearer TOKEN"
        )
    request.state.caller = caller
    return caller


CallerDep = Annotated[Caller, Depends(the_caller)]


def is_this_machine(request: Request) -> bool:
    """Whether a program on this machine asks for itself, and no proxy for somebody else."""
    return (
        is_loopback(address_of(request))
        and name_of(request.headers.get("host", "")) in LOOPBACK
        and not {"forwarded", "x-forwarded-for", "x-real-ip", "via"} & set(request.headers)
    )
