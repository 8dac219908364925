"""The public face: what strangers may report and see of grid events, after Open311 GeoReport v2.

https://wiki.open311.org/GeoReport_v2/ . Only what was reported or filed is shown, of categories
that the settings name; of texts and photos only what came in by this face, never what the staff
wrote or a camera saw. Who reported is never shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from contract.geometry import Point
from hub.domain.actor import Actor, Role
from hub.domain.categories import SubCategory
from hub.domain.errors import InvalidError, NotFoundError
from hub.services.context import Hub
from hub.services.evidence.keep_photo import keep_photo
from hub.services.evidence.photo import Photo
from hub.services.handed_in import check_text
from hub.services.outward.own_report import give_token
from hub.services.passwords import digest_of
from hub.services.report_manually import MAX_DESCRIPTION, ManualReport, enter_report
from hub.store import open311, views
from hub.store.open311 import NewRequest, RequestFilter, RequestRow
from hub.store.rows import GridEventRow

LONGEST_SPAN = timedelta(days=90)  # of one search, as the standard says
MOST = 1000  # requests in an answer, as the standard says
SHOWN = ("open", "closed")
_SHORT = 200  # characters of names and addresses


@dataclass(frozen=True, slots=True)
class PublicReport:
    """What a stranger reports."""

    service_code: str
    description: str
    position: Point | None
    address: str = ""
    occurred_at: datetime | None = None
    photo: Photo | None = None
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """A report that was taken."""

    event: GridEventRow
    token: str
    joined: bool  # an event that was there already


def services(hub: Hub) -> list[SubCategory]:
    """What may be reported."""
    shown = hub.config.open311.categories
    return [s for s in hub.categories.subcategories.values() if s.category in shown]


def service(hub: Hub, code: str) -> SubCategory:
    """The service of that code; raises NotFoundError."""
    found = next((s for s in services(hub) if s.id == code), None)
    if found is None:
        raise NotFoundError("service", code)
    return found


def take_report(conn: Connection[Any], hub: Hub, report: PublicReport) -> Taken:
    """Take a report by the same way as any other; raises InvalidError, NotFoundError, GoneError."""
    what = service(hub, report.service_code)
    check_text("description", report.description, MAX_DESCRIPTION)
    for field in ("address", "first_name", "last_name", "email", "phone"):
        check_text(field, getattr(report, field), _SHORT)
    if report.position is None:
        raise InvalidError("lat and long are needed: there is no look-up of addresses", field="lat")
    description = report.description.strip() or what.zh
    who = Actor("open311", Role.CITIZEN)
    digest = None
    if report.photo is not None:
        digest = keep_photo(conn, hub, report.photo.data, report.photo.media_type, who).digest
    entered = enter_report(
        conn,
        hub,
        ManualReport(
            reporter=who,
            description=description,
            position=report.position,
            category=what.category,
            subcategory=what.id,
            occurred_at=report.occurred_at,
            evidence=() if digest is None else (digest,),
        ),
    )
    event, token = entered.event, give_token(conn, hub, entered.report)
    open311.insert(
        conn,
        NewRequest(
            digest=digest_of(token),
            report=entered.report,
            event=event.id,
            at=hub.now(),
            description=description,
            address=report.address,
            photo=digest,
            first_name=report.first_name,
            last_name=report.last_name,
            email=report.email,
            phone=report.phone,
        ),
    )
    return Taken(event, token, joined=event.version > 1)


def number_of_token(conn: Connection[Any], token: str) -> str:
    """The number of the grid event that answers the report; raises NotFoundError."""
    id = open311.event_of_token(conn, digest_of(token))
    if id is None:
        raise NotFoundError("token", token)
    return views.root_of(conn, id).number


def request(conn: Connection[Any], hub: Hub, number: str) -> RequestRow:
    """The service request of that number; raises NotFoundError where there is none to be shown."""
    found = requests(conn, hub, RequestFilter(numbers=[number]))
    if not found:
        raise NotFoundError("service request", number)
    return found[0]


def requests(conn: Connection[Any], hub: Hub, wanted: RequestFilter) -> list[RequestRow]:
    """What the public may see of that, the newest first, up to MOST."""
    shown = list(hub.config.open311.categories)
    closed = [name for name, s in hub.lifecycle.states.items() if s.open311 == "closed"]
    return open311.requests(conn, wanted, shown, closed, MOST)


def status_of(hub: Hub, row: RequestRow) -> str:
    """`open` or `closed`: the standard knows no other."""
    return hub.lifecycle.states[row.state].open311 or "open"
