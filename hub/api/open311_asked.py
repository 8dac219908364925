"""What is asked of the public face, read from a form or an address."""

from __future__ import annotations

from datetime import datetime

from starlette.datastructures import FormData, QueryParams, UploadFile

from contract.geometry import Point
from hub.services.evidence.photo import looked_at
from hub.services.outward import public_face
from hub.services.outward.public_face import PublicReport
from hub.store.open311 import RequestFilter

WHEN = "occurred_at"  # the one attribute of every service


class FaceError(Exception):
    """An answer with an error, as only the public face says it."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers or {}


def report_of(posted: FormData) -> PublicReport:
    """What somebody reports. Raises FaceError and InvalidError."""
    position = None
    lat, lon = text_of(posted, "lat"), text_of(posted, "long")
    if lat or lon:
        position = Point(_number("long", lon, 180.0), _number("lat", lat, 90.0))
    when = text_of(posted, f"attribute[{WHEN}]")
    media = posted.get("media")
    photo = None
    if isinstance(media, UploadFile) and media.filename:
        photo = looked_at(media.file.read())
    return PublicReport(
        service_code=text_of(posted, "service_code") or _missing("service_code"),
        description=text_of(posted, "description"),
        position=position,
        address=text_of(posted, "address_string"),
        occurred_at=_time(f"attribute[{WHEN}]", when) if when else None,
        photo=photo,
        first_name=text_of(posted, "first_name"),
        last_name=text_of(posted, "last_name"),
        email=text_of(posted, "email"),
        phone=text_of(posted, "phone"),
    )


def text_of(posted: FormData, name: str) -> str:
    """A field of a form; empty where there is none, or a file."""
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


def filter_of(asked: QueryParams, now: datetime) -> RequestFilter:
    """Which service requests are asked for. Raises FaceError."""
    numbers = _listed(asked.get("service_request_id"))
    if numbers is not None:  # overrides everything else
        return RequestFilter(numbers=numbers)
    since = _time("start_date", asked["start_date"]) if asked.get("start_date") else None
    until = _time("end_date", asked["end_date"]) if asked.get("end_date") else None
    if until is None:
        until = now if since is None else min(now, since + public_face.LONGEST_SPAN)
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
