"""Cases as whoever has to deal with them sees them in a list."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case with its newest picture that can be shown."""

    id: int
    number: str
    state: str
    severity: str
    category: str
    subcategory: str
    title: str
    cell: str | None
    lon: float | None
    lat: float | None
    due_at: datetime | None
    version: int
    level: int
    rework_count: int
    responsible_unit: str | None
    assignee: str | None
    test: bool
    picture: str | None
    words: str | None  # of the first report


_SELECT = """
SELECT e.id, e.number, e.state, e.severity, e.category, e.subcategory, e.title, e.cell, e.lon,
       e.lat, e.due_at, e.version, e.level, e.rework_count, e.responsible_unit, e.assignee, e.test,
       p.digest AS picture,
       (SELECT r.description FROM report r WHERE r.event = e.id ORDER BY r.id LIMIT 1) AS words
FROM grid_event e LEFT JOIN LATERAL (
    SELECT v.digest FROM (
        SELECT de.digest, de.captured_at, de.role FROM detection d
        JOIN detection_evidence de USING (episode) WHERE d.event = e.id
        UNION ALL
        SELECT ee.digest, w.captured_at, 'photo' FROM event_evidence ee
        JOIN evidence w USING (digest) WHERE ee.event = e.id
    ) AS s (digest, captured_at, role) JOIN evidence v USING (digest)
    WHERE v.complete_at IS NOT NULL AND v.erased_at IS NULL
      AND starts_with(v.media_type, 'image/')
    ORDER BY (s.role IN ('box', 'photo')) DESC, s.captured_at DESC, v.digest LIMIT 1
) p ON true
"""
_ORDER = " ORDER BY e.due_at NULLS LAST, e.severity, e.id LIMIT "


def by_ids(conn: Connection[Any], ids: Collection[int]) -> list[CaseView]:
    """The cases of these ids."""
    with conn.cursor(row_factory=class_row(CaseView)) as cur:
        return cur.execute(
            (_SELECT + "WHERE e.id = ANY (%s) ORDER BY e.id").encode(), (sorted(ids),)
        ).fetchall()


def given_to(
    conn: Connection[Any],
    person: str,
    unit: str | None,
    cells: Collection[str],
    states: Collection[str],
    limit: int,
) -> list[CaseView]:
    """Cases in these states that were given to a person or a unit, what is due first first.

    cells: and those there that nobody was named for.
    """
    with conn.cursor(row_factory=class_row(CaseView)) as cur:
        return cur.execute(
            (
                _SELECT
                + """
                WHERE e.ended_at IS NULL AND e.state = ANY (%(states)s)
                  AND (e.assignee = %(person)s OR e.responsible_unit = %(person)s
                       OR e.responsible_unit = %(unit)s::text
                       OR (e.assignee IS NULL AND EXISTS (
                           SELECT FROM unnest(%(cells)s::text[]) c WHERE starts_with(e.cell, c))))
                """
                + _ORDER
                + "%(limit)s"
            ).encode(),
            {
                "person": person,
                "unit": unit,
                "cells": sorted(cells),
                "states": sorted(states),
                "limit": limit,
            },
        ).fetchall()


def helped_by(conn: Connection[Any], unit: str, limit: int) -> list[CaseView]:
    """Cases in which a unit has a part that is not done."""
    with conn.cursor(row_factory=class_row(CaseView)) as cur:
        return cur.execute(
            (
                _SELECT
                + """
                WHERE e.ended_at IS NULL AND EXISTS (
                    SELECT FROM cohandler h
                    WHERE h.event = e.id AND h.unit = %s AND h.done_at IS NULL)
                """
                + _ORDER
                + "%s"
            ).encode(),
            (unit, limit),
        ).fetchall()
