"""Open311 GeoReport v2: the public face, in XML and JSON, with its own way of saying errors."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated

import psycopg
from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from hub.api.access import TO_EVERYONE
from hub.api.deps import HubDep, reading
from hub.api.open311_asked import FaceError, filter_of, report_of, text_of
from hub.api.open311_things import (
    attribute_thing,
    discovery_thing,
    rating_url,
    request_thing,
    service_thing,
    taken_thing,
)
from hub.api.open311_words import Format, Value, answer, fault
from hub.api.strangers import Strangers
from hub.domain.errors import DomainError, GoneError, NotFoundError
from hub.services.context import Hub
from hub.services.outward import public_face
from hub.store import open311

router = APIRouter(
    prefix="/open311", include_in_schema=False, dependencies=[TO_EVERYONE], tags=["Open311"]
)

_MOST_FIELDS = 60  # of a form


async def _form(request: Request) -> AsyncIterator[FormData | str]:
    """What was posted; what is wrong with it as text, to be said in the format asked for."""
    try:
        form = await request.form(max_files=1, max_fields=_MOST_FIELDS)
    except HTTPException as e:
        yield str(e.detail)
        return
    try:
        yield form
    finally:
        await form.close()


Posted = Annotated[FormData | str, Depends(_form)]


@router.get("/discovery.{kind}")
def discovery(kind: str, request: Request, hub: HubDep) -> Response:
    """Where the face is, and which formats it speaks."""

    def say(form: Format) -> Response:
        told = discovery_thing(hub, _base(hub, request))
        return answer(told, form, "discovery", "endpoint")

    return _said(kind, hub, request, say, check=False)


@router.get("/v2/services.{kind}")
def list_services(kind: str, request: Request, hub: HubDep) -> Response:
    """What may be reported."""

    def say(form: Format) -> Response:
        listed = [service_thing(hub, s) for s in public_face.services(hub)]
        return answer(listed, form, "services", "service")

    return _said(kind, hub, request, say)


@router.get("/v2/services/{code}.{kind}")
def show_service(code: str, kind: str, request: Request, hub: HubDep) -> Response:
    """What belongs to a report of that service."""

    def say(form: Format) -> Response:
        what = public_face.service(hub, code)
        definition: dict[str, Value] = {
            "service_code": what.id,
            "attributes": [attribute_thing(hub)],
        }
        return answer(definition, form, "service_definition", "attribute")

    return _said(kind, hub, request, say)


@router.get("/v2/requests.{kind}")
def list_requests(kind: str, request: Request, hub: HubDep) -> Response:
    """Service requests by number, service, status and time of report."""

    def say(form: Format) -> Response:
        wanted = filter_of(request.query_params, hub.now())
        with reading(hub) as conn:
            rows = public_face.requests(conn, hub, wanted)
        listed = [request_thing(hub, _base(hub, request), row) for row in rows]
        return answer(listed, form, "service_requests", "request")

    return _said(kind, hub, request, say)


@router.get("/v2/requests/{number}.{kind}")
def show_request(number: str, kind: str, request: Request, hub: HubDep) -> Response:
    """One service request."""

    def say(form: Format) -> Response:
        with reading(hub) as conn:
            row = public_face.request(conn, hub, number)
        return answer(
            [request_thing(hub, _base(hub, request), row)], form, "service_requests", "request"
        )

    return _said(kind, hub, request, say)


@router.get("/v2/tokens/{token}.{kind}")
def show_token(token: str, kind: str, request: Request, hub: HubDep) -> Response:
    """The number that answers a report."""

    def say(form: Format) -> Response:
        with reading(hub) as conn:
            number = public_face.number_of_token(conn, token)
        told: dict[str, Value] = {
            "service_request_id": number,
            "token": token,
            "rating_url": rating_url(_base(hub, request), token),
        }
        return answer([told], form, "service_requests", "request")

    return _said(kind, hub, request, say)


@router.post("/v2/requests.{kind}")
def report(kind: str, request: Request, hub: HubDep, posted: Posted) -> Response:
    """Report what somebody saw, with a photo if there is one."""

    def say(form: Format) -> Response:
        if isinstance(posted, str):
            raise FaceError(400, f"the form cannot be read: {posted}")
        _check_jurisdiction(hub, text_of(posted, "jurisdiction_id") or _asked(request))
        _check_allowed(hub, request, posted)
        asked = report_of(posted)
        with hub.pool.connection() as conn:
            taken = public_face.take_report(conn, hub, asked)
        told = taken_thing(hub, taken, _base(hub, request))
        return answer([told], form, "service_requests", "request")

    return _said(kind, hub, request, say, check=False)


@router.get("/v2/media/{digest}")
def show_photo(digest: str, hub: HubDep) -> Response:
    """A photo that came with a report, where the settings let it be shown."""
    settings = hub.config.open311
    with reading(hub) as conn:
        known = settings.enabled and settings.publish_photos and open311.has_photo(conn, digest)
    path = hub.evidence.path(digest) if known else None
    if path is None or not path.is_file():
        return fault(404, f"there is no photo {digest[:80]!r} to be shown", "json")
    return FileResponse(
        path,
        media_type=_media_type(path),
        headers={
            "Cache-Control": "public, max-age=3600",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cross-Origin-Resource-Policy": "cross-origin",
        },
    )


def _said(
    kind: str,
    hub: Hub,
    request: Request,
    say: Callable[[Format], Response],
    *,
    check: bool = True,
) -> Response:
    """What `say` answers, or what went wrong, as the standard writes it."""
    form: Format = "xml" if kind == "xml" else "json"
    try:
        if kind not in ("xml", "json"):
            raise FaceError(404, f"there is no format {kind[:20]!r}: ask for .xml or .json")
        if not hub.config.open311.enabled:
            raise FaceError(404, "this hub has no public face: [open311] enabled is false")
        if check:
            _check_jurisdiction(hub, _asked(request))
        return say(form)
    except FaceError as e:
        response = fault(e.status, str(e), form)
        response.headers.update(e.headers)
        return response
    except NotFoundError as e:
        return fault(404, str(e), form)
    except GoneError as e:
        return fault(410, str(e), form)
    except (DomainError, psycopg.DataError) as e:
        return fault(400, str(e).splitlines()[0], form)


def _asked(request: Request) -> str | None:
    return request.query_params.get("jurisdiction_id")


def _check_jurisdiction(hub: Hub, asked: str | None) -> None:
    ours = hub.config.open311.jurisdiction
    if not ours:
        return
    if asked is None:
        raise FaceError(400, "jurisdiction_id was not provided")
    if asked != ours:
        raise FaceError(404, f"jurisdiction_id {asked[:100]!r} was not found: this is {ours!r}")


def _check_allowed(hub: Hub, request: Request, posted: FormData) -> None:
    settings = hub.config.open311
    given = text_of(posted, "api_key") or request.query_params.get("api_key") or ""
    if settings.api_keys:
        known = [hmac.compare_digest(given.encode(), k.encode()) for k in settings.api_keys]
        if not any(known):
            raise FaceError(403, "api_key is missing or wrong: ask whoever runs this for one")
        return
    strangers: Strangers = request.app.state.strangers
    address = request.client.host if request.client else "unknown"
    wait = strangers.wait_of(address, hub.now())
    if wait is not None:
        seconds = int(wait.total_seconds()) + 1
        raise FaceError(
            429,
            f"more than {settings.reports_per_hour} reports within an hour came from this "
            f"address: try again in {seconds} s",
            {"Retry-After": str(seconds)},
        )


def _base(hub: Hub, request: Request) -> str:
    return hub.config.http.public_url or str(request.base_url).rstrip("/")


def _media_type(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(12)
    if head.startswith(b"\xff\xd8"):
        return "image/jpeg"
    return "image/png" if head.startswith(b"\x89PNG") else "image/webp"
