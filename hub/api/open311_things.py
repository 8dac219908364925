"""What the public face tells, as things of the Open311 standard."""

from __future__ import annotations

from hub.api import words
from hub.api.open311_asked import WHEN
from hub.api.open311_words import Value, stamp
from hub.domain.categories import SubCategory
from hub.services.context import Hub
from hub.services.outward import public_face
from hub.services.outward.public_face import Taken
from hub.store.open311 import RequestRow


def discovery_thing(hub: Hub, base: str) -> dict[str, Value]:
    """Where the face is, and which formats it speaks. base: the hub's own address."""
    settings = hub.config.open311
    endpoint: dict[str, Value] = {
        "specification": "http://wiki.open311.org/GeoReport_v2",
        "url": f"{base}/open311/v2",
        "changeset": "2026-11-24T00:00:00Z",
        "type": "production",
        "formats": ["text/xml", "application/json"],
    }
    return {
        "changeset": "2026-11-24T00:00:00Z",
        "contact": settings.contact,
        "key_service": "" if not settings.api_keys else settings.contact,
        "endpoints": [endpoint],
    }


def service_thing(hub: Hub, what: SubCategory) -> dict[str, Value]:
    """What may be reported."""
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


def attribute_thing(hub: Hub) -> dict[str, Value]:
    """The one attribute of every service: when it was seen."""
    return {
        "variable": True,
        "code": WHEN,
        "datatype": "datetime",
        "required": False,
        "datatype_description": _in_language(hub, "ISO 8601 with a time zone", "ISO 8601，含时区"),
        "order": 1,
        "description": _in_language(hub, "When did you see it?", "何时看到？"),
        "values": [],
    }


def request_thing(hub: Hub, base: str, row: RequestRow) -> dict[str, Value]:
    """A grid event as strangers see it. base: the hub's own address."""
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
        photo = f"{base}/open311/v2/media/{row.photo}"
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


def rating_url(base: str, token: str) -> str:
    """Where a reporter rates it. No part of the standard, which lets an answer hold more."""
    return f"{base}/rate/{token}"


def taken_thing(hub: Hub, taken: Taken, base: str) -> dict[str, Value]:
    """What whoever reported is told. base: of the hub's addresses."""
    notice = ""
    if taken.joined:
        notice = _in_language(
            hub, "It was reported already; yours was added.", "已有人上报，您的上报已并入。"
        )
    if hub.config.open311.tokens:
        known: dict[str, Value] = {"token": taken.token}
    else:
        known = {"service_request_id": taken.event.number}
    url = rating_url(base, taken.token)
    return known | {"service_notice": notice, "account_id": "", "rating_url": url}


def _in_language(hub: Hub, en: str, zh: str) -> str:
    return zh if hub.config.open311.language == "zh" else en
