"""Public alerts: OASIS Common Alerting Protocol 1.2 about grid events of severity S1 and S2.

http://docs.oasis-open.org/emergency/cap/v1.2/CAP-v1.2-os.html (element order and values: section 3)
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from shapely.geometry.base import BaseGeometry

from contract.geometry import Point
from contract.taxonomy import Category, Severity
from hub.domain.notice import Words

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
ALERTING = (Severity.S1, Severity.S2)
_CATEGORIES = {
    Category.PUBLIC_SECURITY: "Security",
    Category.FIRE_SAFETY: "Fire",
    Category.TRAFFIC_SAFETY: "Transport",
    Category.ENVIRONMENTAL_SAFETY: "Env",
    Category.URBAN_MANAGEMENT: "Safety",
}
_KM = 1000.0  # m; the unit of a circle's radius


class MsgType(StrEnum):
    """What a message is to those before it."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a later message refers to."""

    sender: str
    identifier: str
    sent: str  # as it stood in the message


@dataclass(frozen=True, slots=True)
class Hazard:
    """A grid event as far as the public is warned of it."""

    number: str
    n: int  # of the history entry that is told
    category: Category
    subcategory: str  # its id
    kind: Words  # its names
    severity: Severity
    state: Words  # in what state it is, in words
    certain: bool  # a person confirmed it
    position: Point | None
    area: Words  # name of the place
    outline: BaseGeometry | None  # of the cell, where there is no position; WGS 84
    cell: str | None
    onset: datetime
    test: bool


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who alerts, and how."""

    sender: str
    name: str
    contact: str
    zone: ZoneInfo
    radius_m: float
    expires: timedelta
    public_url: str


def next_message(*, alerting: bool, active: bool, changed: bool) -> MsgType | None:
    """What is due: alerting is whether the event calls for an alert, active whether one stands."""
    if not active:
        return MsgType.ALERT if alerting else None
    if not alerting:
        return MsgType.CANCEL
    return MsgType.UPDATE if changed else None


def identifier(hazard: Hazard, msg_type: MsgType) -> str:
    """The identifier of a message; unique, as an event has one message for a step at most."""
    return f"{hazard.number}.{hazard.n}.{msg_type}"


def stamp(at: datetime, zone: ZoneInfo) -> str:
    """A time as CAP writes it: with an offset in digits, -00:00 for UTC, never Z."""
    text = at.astimezone(zone).isoformat(timespec="seconds")
    return f"{text[:-6]}-00:00" if text.endswith("+00:00") else text


def build(
    hazard: Hazard,
    msg_type: MsgType,
    id: str,
    sent: datetime,
    issuer: Issuer,
    references: Sequence[Sent],
) -> str:
    """The message as XML, Chinese and English."""
    ET.register_namespace("", NAMESPACE)
    alert = ET.Element(_name("alert"))
    _add(alert, "identifier", id)
    _add(alert, "sender", issuer.sender)
    _add(alert, "sent", stamp(sent, issuer.zone))
    _add(alert, "status", "Test" if hazard.test else "Actual")
    _add(alert, "msgType", msg_type)
    _add(alert, "scope", "Public")
    if msg_type is not MsgType.ALERT:
        _add(
            alert, "references", " ".join(f"{r.sender},{r.identifier},{r.sent}" for r in references)
        )
    _add(alert, "incidents", hazard.number)
    for language in ("zh-CN", "en-US"):
        _add_info(alert, hazard, msg_type, sent, issuer, language)
    return ET.tostring(alert, encoding="unicode", xml_declaration=False)


def _add_info(
    alert: ET.Element,
    hazard: Hazard,
    msg_type: MsgType,
    sent: datetime,
    issuer: Issuer,
    language: str,
) -> None:
    zh = language.startswith("zh")
    over = msg_type is MsgType.CANCEL
    grave = hazard.severity is Severity.S1
    kind, area, state = (_in(w, zh) for w in (hazard.kind, hazard.area, hazard.state))
    info = ET.SubElement(alert, _name("info"))
    _add(info, "language", language)
    _add(info, "category", _CATEGORIES.get(hazard.category, "Other"))
    _add(info, "event", kind)
    _add(info, "responseType", "AllClear" if over else "Avoid" if grave else "Monitor")
    _add(info, "urgency", "Past" if over else "Immediate" if grave else "Expected")
    _add(info, "severity", "Minor" if over else "Severe" if grave else "Moderate")
    _add(info, "certainty", "Observed" if hazard.certain else "Likely")
    code = ET.SubElement(info, _name("eventCode"))
    _add(code, "valueName", "gridwarden.subcategory")
    _add(code, "value", hazard.subcategory)
    _add(info, "onset", stamp(hazard.onset, issuer.zone))
    _add(info, "expires", stamp(sent + issuer.expires, issuer.zone))
    if issuer.name:
        _add(info, "senderName", issuer.name)
    _add(info, "headline", _headline(kind, area, over, zh))
    _add(info, "description", f"{kind}，{area}。{state}。" if zh else f"{kind}, {area}. {state}.")
    _add(info, "instruction", _instruction(over, grave, zh))
    if issuer.public_url:
        _add(info, "web", f"{issuer.public_url}/cap/alerts.atom")
    if issuer.contact:
        _add(info, "contact", issuer.contact)
    _add_area(info, hazard, area, issuer.radius_m)


def _add_area(info: ET.Element, hazard: Hazard, name: str, radius_m: float) -> None:
    area = ET.SubElement(info, _name("area"))
    _add(area, "areaDesc", name)
    if hazard.position is None and hazard.outline is not None:
        shapes = getattr(hazard.outline, "geoms", [hazard.outline])
        for polygon in shapes:
            corners = " ".join(f"{y:.6f},{x:.6f}" for x, y, *_ in polygon.exterior.coords)
            _add(area, "polygon", corners)
    if hazard.position is not None:
        place = f"{hazard.position.lat:.6f},{hazard.position.lon:.6f}"
        _add(area, "circle", f"{place} {radius_m / _KM:g}")
    if hazard.cell is not None:
        code = ET.SubElement(area, _name("geocode"))
        _add(code, "valueName", "gridwarden.cell")
        _add(code, "value", hazard.cell)


def _headline(kind: str, area: str, over: bool, zh: bool) -> str:
    if zh:
        return f"{kind}解除：{area}" if over else f"{kind}：{area}"
    return f"Over: {kind}, {area}" if over else f"{kind}, {area}"


def _instruction(over: bool, grave: bool, zh: bool) -> str:
    if over:
        return "预警已解除。" if zh else "This alert is over."
    if grave:
        return (
            "请远离现场，服从现场人员指挥。" if zh else "Stay away and follow those on the scene."
        )
    return "请注意绕行并关注后续信息。" if zh else "Go round the place and watch for updates."


def _in(words: Words, zh: bool) -> str:
    return words.zh if zh else words.en


def _name(tag: str) -> str:
    return f"{{{NAMESPACE}}}{tag}"


def _add(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, _name(tag)).text = text
