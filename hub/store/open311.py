"""What came in by the public face, and what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A report by a stranger, about to be kept."""

    digest: str  # of the token that its reporter holds
    report: int
    event: int
    at: datetime
    description: str
    address: str
    photo: str | None
    first_name: str
    last_name: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Which service requests; None: any."""

    numbers: list[str] | None = None
    services: list[str] | None = None
    statuses: list[str] | None = None  # open, closed
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A grid event as the public sees it. A merged one has the state of what it was merged into."""

    number: str
    state: str
    merged: bool
    subcategory: str
    description: str | None  # of the first report that came by the public face
    address: str | None
    photo: str | None
    lon: float | None
    lat: float | None
    opened_at: datetime
    updated_at: datetime
    close_by: datetime | None  # the end of the whole case's time
    unit: str | None
    unit_en: str | None
    unit_zh: str | None


def insert(conn: Connection[Any], request: NewRequest) -> None:
    """Keep a report that came by the public face."""
    conn.execute(
        """
        INSERT INTO open311_request (digest, report, event, at, description, address, photo,
            first_name, last_name, email, phone)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            request.digest,
            request.report,
            request.event,
            request.at,
            request.description,
            request.address,
            request.photo,
            request.first_name,
            request.last_name,
            request.email,
            request.phone,
        ),
    )


def event_of_token(conn: Connection[Any], digest: str) -> int | None:
    """The event that answers the report whose token has that digest."""
    row = conn.execute("SELECT event FROM open311_request WHERE digest = %s", (digest,)).fetchone()
    return None if row is None else int(row[0])


def has_photo(conn: Connection[Any], digest: str) -> bool:
    """Whether that photo came with a report by the public face and its bytes are here."""
    row = conn.execute(
        """
        SELECT EXISTS (SELECT FROM open311_request r JOIN evidence e ON e.digest = r.photo
                       WHERE r.photo = %s AND e.complete_at IS NOT NULL AND e.erased_at IS NULL)
        """,
        (digest,),
    ).fetchone()
    return bool(row and row[0])


def requests(
    conn: Connection[Any],
    wanted: RequestFilter,
    categories: list[str],
    closed: list[str],
    limit: int,
) -> list[RequestRow]:
    """What the public may see: reported or filed, no tests, of these categories; newest first.

    closed: the states that the public knows as closed.
    """
    with conn.cursor(row_factory=class_row(RequestRow)) as cur:
        return cur.execute(
            """
            WITH RECURSIVE root (of, id, parent) AS (
                SELECT e.id, e.id, e.parent FROM grid_event e
                WHERE NOT e.test AND (e.ever_reported OR e.filed_at IS NOT NULL)
                  AND e.category = ANY (%(categories)s)
                  AND (%(numbers)s::text[] IS NULL OR e.number = ANY (%(numbers)s))
                  AND (%(services)s::text[] IS NULL OR e.subcategory = ANY (%(services)s))
                  AND (%(since)s::timestamptz IS NULL OR e.opened_at >= %(since)s)
                  AND (%(until)s::timestamptz IS NULL OR e.opened_at <= %(until)s)
                UNION ALL
                SELECT r.of, p.id, p.parent FROM root r JOIN grid_event p ON p.id = r.parent
            )
            SELECT e.number, t.state, e.parent IS NOT NULL AS merged, e.subcategory,
                   q.description, q.address, q.photo, e.lon, e.lat, e.opened_at,
                   (SELECT max(h.at) FROM grid_event_history h WHERE h.event = t.id) AS updated_at,
                   t.close_by, t.responsible_unit AS unit, u.name_en AS unit_en,
                   u.name_zh AS unit_zh
            FROM root r
            JOIN grid_event e ON e.id = r.of
            JOIN grid_event t ON t.id = r.id
            LEFT JOIN unit u ON u.code = t.responsible_unit
            LEFT JOIN LATERAL (
                SELECT q.description, q.address, q.photo FROM open311_request q
                WHERE q.event = e.id ORDER BY q.at, q.digest LIMIT 1) q ON true
            WHERE r.parent IS NULL
              AND (%(open)s::boolean IS NULL OR (t.state <> ALL (%(closed)s)) = %(open)s)
            ORDER BY e.opened_at DESC, e.id DESC LIMIT %(limit)s
            """,
            {
                "categories": categories,
                "numbers": wanted.numbers,
                "services": wanted.services,
                "since": wanted.since,
                "until": wanted.until,
                "open": _only_open(wanted.statuses),
                "closed": closed,
                "limit": limit,
            },
        ).fetchall()


def _only_open(statuses: list[str] | None) -> bool | None:
    if statuses is None or {"open", "closed"} <= set(statuses):
        return None
    return "open" in statuses
