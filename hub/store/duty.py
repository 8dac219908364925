"""Who works when, and where they last were: shifts and positions."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from contract.geometry import Point


@dataclass(frozen=True, slots=True)
class ShiftRow:
    """A shift as it is kept; `cell` is looked after on it instead of the post's."""

    id: int
    person: str
    cell: str | None
    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class NewShift:
    """A shift to be kept."""

    person: str
    cell: str | None
    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class PositionRow:
    """Where somebody last was."""

    person: str
    lon: float
    lat: float
    accuracy_m: float | None
    at: datetime


def on_shift(conn: Connection[Any], persons: Collection[str], at: datetime) -> set[str]:
    """Which of these people are on shift."""
    found = conn.execute(
        "SELECT person FROM shift WHERE person = ANY (%s) AND begins_at <= %s AND %s < ends_at",
        (sorted(persons), at, at),
    ).fetchall()
    return {str(person) for (person,) in found}


def save_shifts(conn: Connection[Any], shifts: Iterable[NewShift]) -> int:
    """Keep shifts; one of the same person, beginning and cell is replaced. How many there were."""
    rows = [(s.person, s.cell, s.begins_at, s.ends_at) for s in shifts]
    if not rows:
        return 0
    return conn.execute(
        """
        INSERT INTO shift (person, cell, begins_at, ends_at)
        SELECT * FROM unnest(%s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[])
        ON CONFLICT (person, begins_at, coalesce(cell, '')) DO UPDATE SET
            ends_at = excluded.ends_at
        """,
        [list(c) for c in zip(*rows, strict=True)],
    ).rowcount


def remove_shift(conn: Connection[Any], id: int) -> ShiftRow | None:
    """The shift is not worked: which it was, if it was there."""
    with conn.cursor(row_factory=class_row(ShiftRow)) as cur:
        return cur.execute("DELETE FROM shift WHERE id = %s RETURNING *", (id,)).fetchone()


def shifts(
    conn: Connection[Any],
    since: datetime,
    until: datetime,
    *,
    person: str | None = None,
    after: int = 0,
    limit: int = 1000,
) -> list[ShiftRow]:
    """Shifts that reach into a time, by id from the one after `after` on."""
    with conn.cursor(row_factory=class_row(ShiftRow)) as cur:
        return cur.execute(
            """
            SELECT * FROM shift
            WHERE ends_at > %s AND begins_at < %s AND (%s::text IS NULL OR person = %s) AND id > %s
            ORDER BY id LIMIT %s
            """,
            (since, until, person, person, after, limit),
        ).fetchall()


def report_position(
    conn: Connection[Any],
    person: str,
    position: Point,
    accuracy_m: float | None,
    at: datetime,
) -> bool:
    """Somebody is there; False where a later word is known already."""
    return bool(
        conn.execute(
            """
            INSERT INTO person_position AS k (person, lon, lat, accuracy_m, at)
            VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (person) DO UPDATE SET
                lon = excluded.lon, lat = excluded.lat, accuracy_m = excluded.accuracy_m,
                at = excluded.at
            WHERE k.at <= excluded.at
            """,
            (person, position.lon, position.lat, accuracy_m, at),
        ).rowcount
    )


def positions(conn: Connection[Any], persons: Collection[str]) -> list[PositionRow]:
    """The last word on where these people are, by code."""
    with conn.cursor(row_factory=class_row(PositionRow)) as cur:
        return cur.execute(
            "SELECT * FROM person_position WHERE person = ANY (%s) ORDER BY person",
            (sorted(persons),),
        ).fetchall()
