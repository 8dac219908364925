"""Signing in and out, and one's own account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from hub.api.access import ANYBODY, DESK, PEOPLE, TO_EVERYONE, allow
from hub.api.caller import COOKIE, CallerDep, address_of, look_up
from hub.api.deps import FormDep, HubDep, reading
from hub.api.errors import problems
from hub.api.models.accounts import Myself
from hub.api.recorder import detail
from hub.api.render import pages_of
from hub.domain.actor import Role
from hub.domain.errors import InvalidError, SignedOutError, TooManyTriesError
from hub.domain.sign_in import START, way_back
from hub.services import signing_in
from hub.services.signing_in import SignedIn
from hub.store import sessions

router = APIRouter(include_in_schema=False)
api_router = APIRouter(tags=["Accounts"])

_NO_DESK = "/work"  # where those begin who do no triage


@router.get("/sign-in", dependencies=[TO_EVERYONE])
def show_sign_in(
    request: Request,
    next: Annotated[str, Query(max_length=2000)] = START,
    out: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """The form; who is signed in already goes on."""
    back = way_back(next)
    try:
        caller = look_up(request)
    except SignedOutError:
        caller = None
    if caller is not None:
        return RedirectResponse(_begin_at(back, caller.actor.role), 303)
    told = {"out": "out", "everywhere": "everywhere", "password": "password"}.get(out, "")
    return _page(request, back, told=told or ("ended" if back != START else ""))


@router.post("/sign-in", dependencies=[TO_EVERYONE])
def sign_in(request: Request, hub: HubDep, form: FormDep) -> Response:
    """A session and the way back; the same answer whatever was wrong."""
    login, back = form.get("login", ""), way_back(form.get("next", START))
    try:
        begun = signing_in.sign_in(
            hub,
            login,
            form.get("password", ""),
            address_of(request),
            request.headers.get("user-agent", ""),
        )
    except TooManyTriesError as e:
        page = _page(request, back, login=login, told="many", wait_s=e.wait_s, status=429)
        page.headers["Retry-After"] = str(e.wait_s)
        return page
    except SignedOutError:
        return _page(request, back, login=login, told="wrong", status=401)
    return _go(request, begun, back)


@router.get("/sign-in/once/{secret}", dependencies=[TO_EVERYONE])
def sign_in_once(
    request: Request, hub: HubDep, secret: Annotated[str, Path(max_length=100)]
) -> Response:
    """By a link, which is of no use afterwards."""
    try:
        begun = signing_in.sign_in_by_link(
            hub, secret, address_of(request), request.headers.get("user-agent", "")
        )
    except SignedOutError:
        return _page(request, START, told="link", status=401)
    return _go(request, begun, START)


@router.post("/sign-out", dependencies=[allow(*ANYBODY)])
def sign_out(hub: HubDep, caller: CallerDep) -> Response:
    """This session ends."""
    signing_in.sign_out(hub, caller, everywhere=False)
    return _gone("out")


@router.post("/sign-out/everywhere", dependencies=[allow(*ANYBODY)])
def sign_out_everywhere(hub: HubDep, caller: CallerDep) -> Response:
    """Every session of the account ends, this one too."""
    signing_in.sign_out(hub, caller, everywhere=True)
    return _gone("everywhere")


@router.get("/account", dependencies=[allow(*PEOPLE)])
def show_account(
    request: Request, hub: HubDep, caller: CallerDep, done: Annotated[str, Query(max_length=8)] = ""
) -> Response:
    """Who one is here, and where one is signed in."""
    return _account(request, hub, caller, done=done == "password")


@router.post("/account/post", dependencies=[allow(*PEOPLE)])
def act_in_post(request: Request, hub: HubDep, caller: CallerDep, form: FormDep) -> Response:
    """Act in another of one's posts, in this browser."""
    role, _, unit = form.get("post", "").partition(":")
    chosen = signing_in.switch(hub, caller, role, unit or None)
    detail(request, str(chosen))
    return RedirectResponse(_begin_at(START, chosen.role), 303)


@router.post("/account/password", dependencies=[allow(*PEOPLE)])
def change_password(request: Request, hub: HubDep, caller: CallerDep, form: FormDep) -> Response:
    """Another password; every other session ends."""
    new = form.get("new", "")
    try:
        if new != form.get("again", ""):
            raise InvalidError("the two new passwords differ", field="again")
        signing_in.change_password(hub, caller, form.get("old", ""), new)
    except InvalidError as e:
        return _account(request, hub, caller, refused=str(e), status=422)
    return RedirectResponse("/account?done=password", 303)


@api_router.get(
    "/me",
    summary="Who is asking",
    dependencies=[allow(*ANYBODY)],
    responses=problems(),
)
def show_me(caller: CallerDep) -> Myself:
    """The account behind the session or token, its role and where it may act."""
    return Myself(
        login=caller.login,
        name=caller.actor.name,
        role=caller.actor.role,
        cells=list(caller.actor.cells),
        unit=caller.actor.unit,
        via=caller.via,
        expires_at=caller.expires_at,
    )


def _begin_at(back: str, role: Role) -> str:
    return _NO_DESK if back == START and role not in DESK else back


def _go(request: Request, begun: SignedIn, back: str) -> Response:
    response = RedirectResponse(_begin_at(back, begun.role), 303)
    response.set_cookie(
        COOKIE,
        begun.secret,
        expires=begun.until,
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


def _gone(how: str) -> Response:
    response = RedirectResponse(f"/sign-in?out={how}", 303)
    response.delete_cookie(COOKIE, path="/")
    return response


def _page(
    request: Request,
    back: str,
    *,
    login: str = "",
    told: str = "",
    wait_s: int = 0,
    status: int = 200,
) -> Response:
    values = {"login": login[:64], "next": back, "told": told, "wait_min": -(-wait_s // 60)}
    return pages_of(request).bare(request, "sign_in.html", values, status)


def _account(
    request: Request,
    hub: HubDep,
    caller: CallerDep,
    *,
    done: bool = False,
    refused: str = "",
    status: int = 200,
) -> Response:
    with reading(hub) as conn:
        found = sessions.open_sessions(conn, caller.account, hub.now())
    values = {
        "page": "account",
        "caller": caller,
        "sessions": found,
        "done": done,
        "refused": refused,
        "least": hub.config.accounts.least_password,
    }
    return pages_of(request).page(request, "account.html", values, status)
