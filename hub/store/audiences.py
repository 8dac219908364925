"""Whom grid events and evidence concern."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from psycopg import Connection

from hub.domain.reach import Audience, Place
from hub.store import evidence_index


def of_events(conn: Connection[Any], numbers: Collection[str]) -> dict[str, tuple[int, Audience]]:
    """By number, its version and whom it concerns: whoever reaches the event, whoever it was given
    to, and who had a task of it."""
    found = conn.execute(
        """
        SELECT g.number, g.version, g.cell, g.responsible_unit, g.assignee,
            ARRAY(SELECT c.unit FROM cohandler c WHERE c.event = g.id),
            ARRAY(SELECT t.person FROM task t WHERE t.event = g.id AND t.person IS NOT NULL)
        FROM grid_event g WHERE g.number = ANY (%s)
        """,
        (list(numbers),),
    ).fetchall()
    return {
        number: (
            version,
            Audience(
                frozenset(Place(cell, unit) for unit in (responsible, *helping)),
                frozenset(people if assignee is None else (*people, assignee)),
            ),
        )
        for number, version, cell, responsible, assignee, helping, people in found
    }


def of_evidence(conn: Connection[Any], digest: str) -> Audience:
    """Whoever reaches an event that it shows; without one, the place of its detection."""
    return Audience(frozenset(evidence_index.places(conn, digest)))
