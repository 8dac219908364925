"""The audit log: for the API, and as a page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from hub.api.access import allow
from hub.api.deps import Cursor, HubDep, Limit, cursor_id, one_page, reading
from hub.api.errors import problems
from hub.api.models.accounts import AuditEntry, AuditPage
from hub.api.render import pages_of
from hub.domain.actor import Role
from hub.services.context import Hub
from hub.store import audit
from hub.store.audit import AuditRow

router = APIRouter(tags=["Accounts"], dependencies=[allow(Role.SUPERVISOR)])
pages_router = APIRouter(include_in_schema=False, dependencies=[allow(Role.SUPERVISOR)])

_PAGE = 50
_Word = Annotated[str | None, Query(max_length=200)]


@router.get("/audit", summary="Who did or saw what, the newest first", responses=problems())
def list_audit(
    hub: HubDep,
    actor: Annotated[str | None, Query(max_length=64, description="Person's code or login")] = None,
    subject: Annotated[
        str | None, Query(max_length=200, description="Event's number, digest, agent, login")
    ] = None,
    action: Annotated[str | None, Query(max_length=200)] = None,
    outcome: Annotated[Literal["done", "refused", "failed"] | None, Query()] = None,
    since: Annotated[datetime | None, Query(description="Without a zone: the district's")] = None,
    until: Annotated[datetime | None, Query(description="Not this moment itself")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AuditPage:
    """Every change, every look at evidence, every sign-in, and who was kept out."""
    zone = hub.zone
    found, last = _look(
        hub,
        cursor,
        limit,
        actor=_stored(actor),
        subject=_stored(subject),
        action=_stored(action),
        outcome=outcome,
        since=_in_zone(since, zone),
        until=_in_zone(until, zone),
    )
    return AuditPage(
        entries=[AuditEntry.model_validate(e) for e in found],
        next=str(last.id) if last else None,
    )


@pages_router.get("/audit")
def show_audit(
    request: Request,
    hub: HubDep,
    who: Annotated[str, Query(max_length=64)] = "",
    what: Annotated[str, Query(max_length=200)] = "",
    outcome: Annotated[str, Query(max_length=20)] = "",
    day: Annotated[str, Query(max_length=10)] = "",
    cursor: Cursor = None,
) -> HTMLResponse:
    """The log, by who, what it was about, what came of it, and the day."""
    begin = _day(day, hub.zone)
    found, last = _look(
        hub,
        cursor,
        _PAGE,
        actor=_stored(who.strip()),
        subject=_stored(what.strip()),
        outcome=outcome if outcome in audit.OUTCOMES else None,
        since=begin,
        until=begin + timedelta(days=1) if begin else None,
    )
    values = {
        "page": "audit",
        "entries": found,
        "next": str(last.id) if last else None,
        "filter": {"who": who, "what": what, "outcome": outcome, "day": day if begin else ""},
    }
    return pages_of(request).page(request, "audit.html", values)


def _look(
    hub: Hub, cursor: str | None, limit: int, **wanted: Any
) -> tuple[list[AuditRow], AuditRow | None]:
    with reading(hub) as conn:
        found = audit.entries(conn, before=cursor_id(cursor), limit=limit + 1, **wanted)
    return one_page(found, limit)


def _stored(text: str | None) -> str | None:
    """The text as far as it can be in the database; None where there is nothing to look for."""
    return (text or "").replace("\0", "") or None


def _in_zone(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    return at.replace(tzinfo=zone) if at is not None and at.tzinfo is None else at


def _day(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone)
    except ValueError:
        return None
