"""Public alerts: a feed of CAP messages, and each by its identifier."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from hub.api.access import TO_EVERYONE
from hub.api.deps import HubDep, reading
from hub.api.errors import problems
from hub.domain.errors import NotFoundError
from hub.store import alerts

router = APIRouter(prefix="/cap", tags=["Public alerts"], dependencies=[TO_EVERYONE])

ATOM = "http://www.w3.org/2005/Atom"
SHOWN_FOR = timedelta(days=7)
MOST = 200
_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
_FRESH = {"Cache-Control": "public, max-age=15"}
_CAP_TYPE = "application/cap+xml"


@router.get(
    "/alerts.atom",
    summary="Alerts of the last seven days, as a feed",
    response_class=Response,
    responses=problems() | {200: {"content": {"application/atom+xml": {}}}},
)
def feed(request: Request, hub: HubDep) -> Response:
    """The newest first; each entry links its CAP 1.2 message."""
    base = hub.config.http.public_url or str(request.base_url).rstrip("/")
    since = hub.now() - SHOWN_FOR
    with reading(hub) as conn:
        shown = alerts.newest(conn, since, MOST)
    ET.register_namespace("atom", ATOM)
    top = ET.Element(f"{{{ATOM}}}feed")
    _add(top, "id", f"{base}/cap/alerts.atom")
    _add(top, "title", hub.config.cap.sender_name or "Gridwarden")
    _add(top, "updated", (shown[0].sent_at if shown else hub.now()).isoformat(timespec="seconds"))
    author = ET.SubElement(top, f"{{{ATOM}}}author")
    _add(author, "name", hub.config.cap.sender or "Gridwarden")
    ET.SubElement(top, f"{{{ATOM}}}link", {"rel": "self", "href": f"{base}/cap/alerts.atom"})
    for alert in shown:
        address = f"{base}/cap/alerts/{alert.identifier}.xml"
        entry = ET.SubElement(top, f"{{{ATOM}}}entry")
        _add(entry, "id", address)
        _add(entry, "title", f"{alert.msg_type}: {alert.title} ({alert.severity})")
        _add(entry, "updated", alert.sent_at.isoformat(timespec="seconds"))
        ET.SubElement(
            entry, f"{{{ATOM}}}link", {"rel": "alternate", "href": address, "type": _CAP_TYPE}
        )
    return Response(
        _HEAD + ET.tostring(top, encoding="unicode"),
        media_type="application/atom+xml",
        headers=_FRESH,
    )


@router.get(
    "/alerts/{identifier}.xml",
    summary="One alert, CAP 1.2",
    response_class=Response,
    responses=problems(404) | {200: {"content": {_CAP_TYPE: {}}}},
)
def show(identifier: str, hub: HubDep) -> Response:
    """As it was issued; it never changes."""
    with reading(hub) as conn:
        alert = alerts.by_identifier(conn, identifier)
    if alert is None:
        raise NotFoundError("alert", identifier)
    return Response(_HEAD + alert.xml, media_type=_CAP_TYPE, headers=_FRESH)


def _add(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, f"{{{ATOM}}}{tag}").text = text
