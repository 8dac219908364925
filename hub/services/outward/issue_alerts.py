"""The public is alerted of filed S1 and S2 events: alert, update, cancel (CAP 1.2)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from shapely.geometry.base import BaseGeometry

from contract.geometry import Point
from contract.taxonomy import Category, Severity
from hub.domain import cap
from hub.domain.cap import Hazard, Issuer, MsgType, Sent
from hub.domain.notice import Words
from hub.services.context import Hub
from hub.store import alerts, events, locks
from hub.store.alerts import AlertRow
from hub.store.outbox import OutboxRow
from hub.store.rows import GridEventRow

RENEW_BEFORE = timedelta(hours=1)  # an alert ends
SPEAKING = "share-outbox"  # the lock of who hands out and issues: one hub at a time
_AT_ONCE = 50  # renewed in one round
_OPEN_STATES = {
    "filed": "Filed",
    "dispatched": "Help is on its way",
    "disposing": "Being handled",
    "suspended": "Handling is suspended",
    "disposed": "Handled, to be checked",
    "checking": "Being checked",
}
_OVER = Words("It is over", "已解除")


def issue_for(conn: Connection[Any], hub: Hub, step: OutboxRow) -> MsgType | None:
    """Issue what that step of an event calls for, if anything; what it was."""
    if not hub.config.cap.sender:
        return None
    data = step.data
    hazard = Hazard(
        number=data["number"],
        n=step.n,
        category=Category(data["category"]),
        subcategory=data["subcategory"],
        kind=_kind(hub, data["subcategory"]),
        severity=Severity(data["severity"]),
        state=_state(hub, data["state"]),
        certain=data["confirmation"] == "human" or data["origin"] == "manual",
        position=None if data["lon"] is None else Point(data["lon"], data["lat"]),
        area=_area(hub, data["cell"]),
        outline=_outline(hub, data["cell"]),
        cell=data["cell"],
        onset=datetime.fromisoformat(data["occurred_at"]),
        test=data["test"],
    )
    alerting = (
        hazard.severity in cap.ALERTING
        and data["filed_at"] is not None
        and data["state"] in _OPEN_STATES
        and hazard.category in hub.config.open311.categories
    )
    return _issue(conn, hub, step.event, hazard, alerting, renew=False)


def renew_alerts(conn: Connection[Any], hub: Hub) -> int:
    """Renew alerts that end soon though their event goes on; how many.

    One that its event's last step should have cancelled is cancelled: it must not stand before
    the others for good. One hub at a time.
    """
    if not hub.config.cap.sender or not locks.try_lock_here(conn, SPEAKING):
        return 0
    renewed = 0
    for id in alerts.expiring(conn, hub.now() + RENEW_BEFORE, _AT_ONCE):
        event = events.by_id(conn, id, lock=True)
        if event is not None:
            goes_on, hazard = event.ended_at is None, _hazard_now(hub, event)
            renewed += _issue(conn, hub, id, hazard, goes_on, renew=True) is not None
    return renewed


def _issue(
    conn: Connection[Any], hub: Hub, event: int, hazard: Hazard, alerting: bool, *, renew: bool
) -> MsgType | None:
    before = alerts.standing(conn, event)
    facts = _facts(hazard)
    changed = renew or (bool(before) and before[-1].facts != facts)
    msg_type = cap.next_message(alerting=alerting, active=bool(before), changed=changed)
    if msg_type is None:
        return None
    now = hub.now()
    issuer = _issuer(hub)
    id = cap.identifier(hazard, msg_type)
    if renew:
        id = f"{id}.{int(now.timestamp())}"
    if alerts.by_identifier(conn, id) is not None:
        return None
    if msg_type is MsgType.CANCEL:
        hazard = replace(hazard, state=_OVER)
    references = [Sent(a.sender, a.identifier, a.sent) for a in before]
    alerts.issue(
        conn,
        AlertRow(
            identifier=id,
            event=event,
            number=hazard.number,
            msg_type=msg_type,
            sender=issuer.sender,
            sent=cap.stamp(now, issuer.zone),
            sent_at=now,
            expires_at=now + issuer.expires,
            severity=hazard.severity,
            title=hazard.kind.zh,
            facts=facts,
            ended=False,
            xml=cap.build(hazard, msg_type, id, now, issuer, references),
        ),
    )
    return msg_type


def _hazard_now(hub: Hub, event: GridEventRow) -> Hazard:
    position = None
    if event.lon is not None and event.lat is not None:
        position = Point(event.lon, event.lat)
    return Hazard(
        number=event.number,
        n=event.version,
        category=Category(event.category),
        subcategory=event.subcategory,
        kind=_kind(hub, event.subcategory),
        severity=Severity(event.severity),
        state=_state(hub, event.state),
        certain=event.confirmation == "human" or event.origin == "manual",
        position=position,
        area=_area(hub, event.cell),
        outline=_outline(hub, event.cell),
        cell=event.cell,
        onset=event.occurred_at,
        test=event.test,
    )


def _facts(hazard: Hazard) -> str:
    """A digest of what the public is told: an endorsement by itself is no update."""
    told = (
        hazard.subcategory,
        hazard.severity,
        hazard.state.en,
        hazard.certain,
        hazard.position,
        hazard.cell,
    )
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _issuer(hub: Hub) -> Issuer:
    settings = hub.config.cap
    return Issuer(
        sender=settings.sender,
        name=settings.sender_name,
        contact=settings.contact,
        zone=hub.zone,
        radius_m=settings.radius_m,
        expires=timedelta(hours=settings.expires_hours),
        public_url=hub.config.http.public_url,
    )


def _kind(hub: Hub, subcategory: str) -> Words:
    what = hub.categories.subcategories.get(subcategory)
    return Words(what.en, what.zh) if what else Words(subcategory, subcategory)


def _state(hub: Hub, name: str) -> Words:
    return Words(_OPEN_STATES.get(name, name), hub.lifecycle.states[name].name_zh)


def _area(hub: Hub, code: str | None) -> Words:
    cell = hub.grid.cells.get(code or "") or hub.grid.district_of(hub.config.hub.district)
    if cell is None:
        return Words(hub.config.hub.district, hub.config.hub.district)
    return Words(cell.name_en, cell.name_zh)


def _outline(hub: Hub, code: str | None) -> BaseGeometry | None:
    cell = hub.grid.cells.get(code or "") or hub.grid.district_of(hub.config.hub.district)
    return cell.polygon if cell else None
