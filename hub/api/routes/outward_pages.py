"""The console's pages about telling others: the inbox, and the systems that are told."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from hub.api.access import OFFICE, PEOPLE, allow
from hub.api.deps import ActorDep, Cursor, HubDep, cursor_id, one_page, reading
from hub.api.render import pages_of
from hub.domain.notice import PHRASES
from hub.services.outward.keep_webhooks import webhooks_of
from hub.services.outward.tell import wishes_of
from hub.store import notices, webhooks

router = APIRouter(include_in_schema=False, dependencies=[allow(*PEOPLE)])

_PAGE = 50
_DELIVERIES = 20  # of one webhook


@router.get("/notices")
def show_notices(
    request: Request,
    hub: HubDep,
    actor: ActorDep,
    unread: Annotated[bool, Query()] = False,
    cursor: Cursor = None,
) -> HTMLResponse:
    """What whoever asks is told, and how they want to be told."""
    with reading(hub) as conn:
        found = notices.inbox(conn, actor, cursor_id(cursor), _PAGE + 1, unread=unread)
        wishes = wishes_of(hub, notices.preference(conn, actor.name), actor.name)
    shown, last = one_page(found, _PAGE)
    values = {
        "page": "notices",
        "notices": shown,
        "next": str(last.id) if last else None,
        "unread": unread,
        "wishes": wishes,
        "phrases": PHRASES,
        "mail_is_sent": bool(hub.config.mail.host),
    }
    return pages_of(request).page(request, "notices.html", values)


@router.get("/webhooks", dependencies=[allow(*OFFICE)])
def show_webhooks(
    request: Request,
    hub: HubDep,
    actor: ActorDep,
    id: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> HTMLResponse:
    """Every webhook, and the newest messages to one of them."""
    with reading(hub) as conn:
        known = webhooks_of(conn, actor)
        chosen = next((w for w in known if w.id == id), known[0] if known else None)
        deliveries = webhooks.deliveries(conn, chosen.id, None, None, _DELIVERIES) if chosen else []
    values = {
        "page": "webhooks",
        "webhooks": known,
        "chosen": chosen,
        "deliveries": deliveries,
        "steps": sorted({*hub.lifecycle.transitions, *hub.lifecycle.acts}),
    }
    return pages_of(request).page(request, "webhooks.html", values)
