"""Alerts of a monitoring system (Prometheus Alertmanager) become grid events, as reports do.

An alert is known by its fingerprint and its start: told again, it is the same. Once all that an
event answers are resolved its scene is clear; whether it is closed is for people to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg import Connection

from contract.geometry import Point
from contract.taxonomy import Category, Severity
from hub.domain.actor import Actor, Role
from hub.domain.errors import InvalidError
from hub.services.context import Hub
from hub.services.report_manually import MAX_DESCRIPTION, ManualReport, report_manually
from hub.store import changes, events, locks, outside_alerts
from hub.store.rows import GridEventRow

REPORTER = Actor("alertmanager", Role.RULE)
Outcome = Literal["opened", "joined", "repeated", "cleared", "resolved", "unknown"]
_SEVERITIES = {
    "critical": Severity.S2,
    "error": Severity.S3,
    "warning": Severity.S3,
    "info": Severity.S4,
    "none": Severity.S4,
}


@dataclass(frozen=True, slots=True)
class OutsideAlert:
    """One alert of version 4 of Alertmanager's webhook."""

    fingerprint: str
    firing: bool
    starts_at: datetime
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answered:
    """What an alert became."""

    fingerprint: str
    outcome: Outcome
    number: str | None  # of the grid event


def take_alert(conn: Connection[Any], hub: Hub, alert: OutsideAlert) -> Answered:
    """What the alert became; in the caller's transaction.

    Raises InvalidError where it has no place or a sub-category that is none.
    """
    locks.lock(conn, [f"alert/{alert.fingerprint}"])
    known = outside_alerts.event_of(conn, alert.fingerprint, alert.starts_at)
    if not alert.firing:
        return _resolved(conn, hub, alert, known)
    if known is not None:
        return Answered(alert.fingerprint, "repeated", events.root_of(conn, known).number)
    event = report_manually(conn, hub, _report(hub, alert))
    outside_alerts.keep(conn, alert.fingerprint, alert.starts_at, event.id)
    if event.scene_cleared_at is not None:
        events.note(conn, event.id, {"scene_cleared_at": None})
    return Answered(alert.fingerprint, "opened" if event.version == 1 else "joined", event.number)


def _resolved(conn: Connection[Any], hub: Hub, alert: OutsideAlert, known: int | None) -> Answered:
    if known is None:
        return Answered(alert.fingerprint, "unknown", None)
    event: GridEventRow = events.root_of(conn, known)
    first = outside_alerts.resolve(conn, alert.fingerprint, alert.starts_at, hub.now())
    if not first or event.ended_at is not None or not outside_alerts.is_clear(conn, known):
        return Answered(alert.fingerprint, "resolved", event.number)
    if event.id == known and event.scene_cleared_at is None:
        events.note(conn, event.id, {"scene_cleared_at": hub.now()})
        changes.tell(conn, "event", event.number)
    return Answered(alert.fingerprint, "cleared", event.number)


def _report(hub: Hub, alert: OutsideAlert) -> ManualReport:
    category = Category(hub.config.alertmanager.category)
    named = alert.labels.get("gridwarden_subcategory") or alert.labels.get("subcategory")
    what = hub.categories.general(category)
    if named:
        found = hub.categories.subcategories.get(named)
        if found is None:
            raise InvalidError(
                f"alert {alert.fingerprint}: {named!r} is no sub-category: see /api/v1/categories",
                field="labels.gridwarden_subcategory",
            )
        what = found
    now = hub.now()
    return ManualReport(
        reporter=REPORTER,
        description=_description(alert),
        position=_position(hub, alert),
        category=what.category,
        subcategory=what.id,
        severity=_severity(alert.labels.get("severity", "")),
        occurred_at=alert.starts_at if alert.starts_at <= now else None,  # its clock is ahead
    )


def _severity(label: str) -> Severity | None:
    """As told; None: that of the sub-category."""
    if label.upper() in list(Severity):
        return Severity(label.upper())
    return _SEVERITIES.get(label.lower())


def _description(alert: OutsideAlert) -> str:
    told = [alert.annotations.get(name, "").strip() for name in ("summary", "description")]
    text = "\n".join(t for t in told if t) or alert.labels.get("alertname", "").strip()
    text = (text or f"alert {alert.fingerprint}").replace("\x00", "")
    return text if len(text) <= MAX_DESCRIPTION else text[: MAX_DESCRIPTION - 1] + "…"


def _position(hub: Hub, alert: OutsideAlert) -> Point:
    lon = alert.labels.get("lon") or alert.labels.get("longitude")
    lat = alert.labels.get("lat") or alert.labels.get("latitude")
    if lon and lat:
        try:
            place = Point(float(lon), float(lat))
        except ValueError:
            place = None
        if place is None or not (-180 <= place.lon <= 180 and -90 <= place.lat <= 90):
            raise InvalidError(
                f"alert {alert.fingerprint}: lon {lon[:30]!r}, lat {lat[:30]!r} is no place",
                field="labels.lon",
            )
        return place
    settings = hub.config.alertmanager
    if (settings.lon, settings.lat) != (0.0, 0.0):
        return Point(settings.lon, settings.lat)
    middle = hub.grid.place(None, hub.config.hub.district)
    if middle is None:
        raise InvalidError(
            f"alert {alert.fingerprint} names no place: give it the labels lon and lat, or set "
            "lon and lat of [alertmanager]",
            field="labels.lon",
        )
    return middle
