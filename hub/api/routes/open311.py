"""Open311 GeoReport v2: the public face, in XML and JSON, with its own way of saying errors."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import psycopg
from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from contract.geometry import Point
from hub.api import words
from hub.api.access import TO_EVERYONE
from hub.api.deps import HubDep, reading
from hub.api.open311_words import Format, Value, answer, fault, stamp
from hub.api.strangers import Strangers
from hub.domain.categories import SubCategory
from hub.domain.errors import DomainError, GoneError, NotFoundError
from hub.services.context import Hub
from hub.services.evidence.photo import looked_at
from hub.services.outward import public_face
from hub.services.outward.public_face import PublicReport, Taken
from hub.store import open311
from hub.store.open311 import RequestFilter, RequestRow

router = APIRouter(
    prefix="/open311", include_in_schema=False, dependencies=[TO_EVERYONE], tags=["Open311"]
)

_WHEN = "occurred_at"  # the one attribute of every service
_MOST_FIELDS = 60  # of a form


class FaceError(Exception):
    """An answer with an error, known only to this module."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers or {}


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
    return _said(kind, hub, request, partial(_discovery, hub, request), check=False)


@router.get("/v2/services.{kind}")
def list_services(kind: str, request: Request, hub: HubDep) -> Response:
    """What may be reported."""

    def say(form: Format) -> Response:
        listed = [_service(hub, s) for s in public_face.services(hub)]
        return answer(listed, form, "services", "service")

    return _said(kind, hub, request, say)


@router.get("/v2/services/{code}.{kind}")
def show_service(code: str, kind: str, request: Request, hub: HubDep) -> Response:
    """What belongs to a report of that service."""

    def say(form: Format) -> Response:
        what = public_face.service(hub, code)
        definition: dict[str, Value] = {"service_code": what.id, "attributes": [_attribute(hub)]}
        return answer(definition, form, "service_definition", "attribute")

    return _said(kind, hub, request, say)


@router.get("/v2/requests.{kind}")
def list_requests(kind: str, request: Request, hub: HubDep) -> Response:
    """Service requests by number, service, status and time of report."""

    def say(form: Format) -> Response:
        wanted = _filter(hub, request)
        with reading(hub) as conn:
            rows = public_face.requests(conn, hub, wanted)
        listed = [_request(hub, request, row) for row in rows]
        return answer(listed, form, "service_requests", "request")

    return _said(kind, hub, request, say)


@router.get("/v2/requests/{number}.{kind}")
def show_request(number: str, kind: str, request: Request, hub: HubDep) -> Response:
    """One service request."""

    def say(form: Format) -> Response:
        with reading(hub) as conn:
            row = public_face.request(conn, hub, number)
        return answer([_request(hub, request, row)], form, "service_requests", "request")

    return _said(kind, hub, request, say)


@router.get("/v2/tokens/{token}.{kind}")
def show_token(token: str, kind: str, request: Request, hub: HubDep) -> Response:
    """The number that answers a report."""

    def say(form: Format) -> Response:
        with reading(hub) as conn:
            number = public_face.number_of_token(conn, token)
        told: dict[str, Value] = {"service_request_id": number, "token": token}
        return answer([told], form, "service_requests", "request")

    return _said(kind, hub, request, say)


@router.post("/v2/requests.{kind}")
def report(kind: str, request: Request, hub: HubDep, posted: Posted) -> Response:
    """Report what somebody saw, with a photo if there is one."""

    def say(form: Format) -> Response:
        if isinstance(posted, str):
            raise FaceError(400, f"the form cannot be read: {posted}")
        _check_jurisdiction(hub, _text(posted, "jurisdiction_id") or _asked(request))
        _check_allowed(hub, request, posted)
        asked = _report(posted)
        with hub.pool.connection() as conn:
            taken = public_face.take_report(conn, hub, asked)
        return answer([_taken(hub, taken)], form, "service_requests", "request")

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
    given = _text(posted, "api_key") or request.query_params.get("api_key") or ""
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


def _report(posted: FormData) -> PublicReport:
    position = None
    lat, lon = _text(posted, "lat"), _text(posted, "long")
    if lat or lon:
        position = Point(_number("long", lon, 180.0), _number("lat", lat, 90.0))
    when = _text(posted, f"attribute[{_WHEN}]")
    media = posted.get("media")
    photo = None
    if isinstance(media, UploadFile) and media.filename:
        photo = looked_at(media.file.read())
    return PublicReport(
        service_code=_text(posted, "service_code") or _missing("service_code"),
        description=_text(posted, "description"),
        position=position,
        address=_text(posted, "address_string"),
        occurred_at=_time(f"attribute[{_WHEN}]", when) if when else None,
        photo=photo,
        first_name=_text(posted, "first_name"),
        last_name=_text(posted, "last_name"),
        email=_text(posted, "email"),
        phone=_text(posted, "phone"),
    )


def _text(posted: FormData, name: str) -> str:
    value = posted.get(name)
    return value if isinstance(value, str) else ""


def _missing(name: str) -> str:
    raise FaceError(400, f"{name} was not provided")


def _number(name: str, text: str, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        raise FaceError(400, f"{name} must be a number, got {text[:50]!r}") from None
    if not -most <= number <= most:  # NaN is not
        raise FaceError(400, f"{name} must lie in -{most:g} to {most:g}, got {text[:50]}")
    return number


def _time(name: str, text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise FaceError(
            400, f"{name} must be a time such as 2026-11-24T08:00:00Z, got {text[:50]!r}"
        ) from None
    if at.tzinfo is None:
        raise FaceError(400, f"{name} needs a time zone, such as Z: got {text[:50]!r}")
    return at


def _filter(hub: Hub, request: Request) -> RequestFilter:
    asked = request.query_params
    numbers = _listed(asked.get("service_request_id"))
    if numbers is not None:  # overrides everything else
        return RequestFilter(numbers=numbers)
    since = _time("start_date", asked["start_date"]) if asked.get("start_date") else None
    until = _time("end_date", asked["end_date"]) if asked.get("end_date") else None
    if until is None:
        until = hub.now() if since is None else min(hub.now(), since + public_face.LONGEST_SPAN)
    if since is None:
        since = until - public_face.LONGEST_SPAN
    if since > until:
        raise FaceError(400, "start_date lies behind end_date")
    if until - since > public_face.LONGEST_SPAN:
        raise FaceError(400, "a search may span 90 days at most")
    statuses = _listed(asked.get("status"))
    for status in statuses or []:
        if status not in public_face.SHOWN:
            raise FaceError(400, f"status {status[:20]!r} is unknown: open and closed are")
    return RequestFilter(None, _listed(asked.get("service_code")), statuses, since, until)


def _listed(text: str | None) -> list[str] | None:
    parts = [p.strip() for p in (text or "").split(",") if p.strip()]
    return parts[:1000] or None


def _discovery(hub: Hub, request: Request, form: Format) -> Response:
    base = _base(hub, request)
    settings = hub.config.open311
    endpoint: dict[str, Value] = {
        "specification": "http://wiki.open311.org/GeoReport_v2",
        "url": f"{base}/open311/v2",
        "changeset": "2026-11-24T00:00:00Z",
        "type": "production",
        "formats": ["text/xml", "application/json"],
    }
    told: dict[str, Value] = {
        "changeset": "2026-11-24T00:00:00Z",
        "contact": settings.contact,
        "key_service": "" if not settings.api_keys else settings.contact,
        "endpoints": [endpoint],
    }
    return answer(told, form, "discovery", "endpoint")


def _base(hub: Hub, request: Request) -> str:
    return hub.config.http.public_url or str(request.base_url).rstrip("/")


def _in_language(hub: Hub, en: str, zh: str) -> str:
    return zh if hub.config.open311.language == "zh" else en


def _service(hub: Hub, what: SubCategory) -> dict[str, Value]:
    group = hub.categories.names[what.category]
    condition = what.conditions[0]
    return {
        "service_code": what.id,
        "service_name": _in_language(hub, what.en, what.zh),
        "description": _in_language(hub, condition.en, condition.zh),
        "metadata": True,
        "type": "realtime",
        "keywords": f"{what.en},{what.zh}",
        "group": _in_language(hub, group.en, group.zh),
    }


def _attribute(hub: Hub) -> dict[str, Value]:
    return {
        "variable": True,
        "code": _WHEN,
        "datatype": "datetime",
        "required": False,
        "datatype_description": _in_language(hub, "ISO 8601 with a time zone", "ISO 8601，含时区"),
        "order": 1,
        "description": _in_language(hub, "When did you see it?", "何时看到？"),
        "values": [],
    }


def _request(hub: Hub, request: Request, row: RequestRow) -> dict[str, Value]:
    what = hub.categories.subcategories.get(row.subcategory)
    name = _in_language(hub, what.en, what.zh) if what else row.subcategory
    state = _in_language(
        hub, words.STATES.get(row.state, row.state), hub.lifecycle.states[row.state].name_zh
    )
    notes = state
    if row.merged:
        notes = _in_language(hub, f"{state} (joined with another)", f"{state}（已并案）")
    photo = None
    if row.photo is not None and hub.config.open311.publish_photos:
        photo = f"{_base(hub, request)}/open311/v2/media/{row.photo}"
    return {
        "service_request_id": row.number,
        "status": public_face.status_of(hub, row),
        "status_notes": notes,
        "service_name": name,
        "service_code": row.subcategory,
        "description": row.description or name,
        "agency_responsible": _in_language(hub, row.unit_en or "", row.unit_zh or ""),
        "service_notice": "",
        "requested_datetime": stamp(row.opened_at),
        "updated_datetime": stamp(row.updated_at),
        "expected_datetime": stamp(row.close_by) or "",
        "address": row.address or "",
        "address_id": "",
        "zipcode": "",
        "lat": row.lat,
        "long": row.lon,
        "media_url": photo or "",
    }


def _taken(hub: Hub, taken: Taken) -> dict[str, Value]:
    notice = ""
    if taken.joined:
        notice = _in_language(
            hub, "It was reported already; yours was added.", "已有人上报，您的上报已并入。"
        )
    if hub.config.open311.tokens:
        return {"token": taken.token, "service_notice": notice, "account_id": ""}
    return {
        "service_request_id": taken.event.number,
        "service_notice": notice,
        "account_id": "",
    }


def _media_type(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(12)
    if head.startswith(b"\xff\xd8"):
        return "image/jpeg"
    return "image/png" if head.startswith(b"\x89PNG") else "image/webp"
