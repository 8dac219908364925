"""Deadlines computed anew from the histories, after the calendar or the limits were changed."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from hub.services.context import Hub
from hub.services.event_clock import clocks_of
from hub.store import clock_rules, events
from hub.store.rows import GridEventRow

AT_ONCE = 200  # events in one transaction
AGAIN = timedelta(days=1)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Moved:
    """An event whose clocks come to something else than its columns said."""

    number: str
    state: str
    due_before: datetime | None
    due_at: datetime | None
    close_before: datetime | None
    close_by: datetime | None


def recompute_deadlines(conn: Connection[Any], hub: Hub, *, dry_run: bool) -> Iterator[Moved]:
    """Bring the deadlines of every live event to what calendar and limits give now.

    Yields each event that moves. Commits piece by piece; a dry run changes nothing. What was
    climbed of a ladder stays climbed.
    """
    id = 0
    while piece := events.live_after(conn, id, AT_ONCE, lock=not dry_run):
        for event in piece:
            columns = clocks_of(hub, event, events.history(conn, event.id)).columns()
            if all(getattr(event, name) == value for name, value in columns.items()):
                continue
            if not dry_run:
                events.note(conn, event.id, columns)
            yield _moved(event, columns)
        id = piece[-1].id
        conn.commit()
    if not dry_run:
        clock_rules.set_fingerprint(conn, rules_fingerprint(hub), hub.now())
        conn.commit()


class RulesWatch:
    """Tells when calendar or limits are others than those the deadlines were computed with.

    A database whose deadlines were never computed gets them at once. For one thread.
    """

    def __init__(self) -> None:
        self._told_at: datetime | None = None

    def __call__(self, conn: Connection[Any], hub: Hub) -> None:
        """Look; told once a day."""
        known = clock_rules.fingerprint(conn)
        if known is None:
            moved = sum(1 for _ in recompute_deadlines(conn, hub, dry_run=False))
            if moved:
                _log.info("computed the deadlines of %d events", moved)
            return
        now = hub.now()
        told = self._told_at is not None and now < self._told_at + AGAIN
        if known == rules_fingerprint(hub) or told:
            return
        self._told_at = now
        _log.warning(
            "calendar or limits have changed since the deadlines were computed: gridwarden hub "
            "recompute-deadlines"
        )


def rules_fingerprint(hub: Hub) -> str:
    """The same as long as calendar and limits say the same."""
    rules = hub.calendar.rules
    said = (
        (rules.zone.key, rules.hours, rules.work_day, sorted(rules.weekend)),
        (sorted(rules.holidays), sorted(rules.make_up), sorted(rules.published)),
        (rules.first_year, rules.last_year),
        sorted((str(s), limits) for s, limits in hub.categories.limits.items()),
        sorted(
            (s.id, c.id, c.limit, c.kind)
            for s in hub.categories.subcategories.values()
            for c in s.conditions
        ),
    )
    return hashlib.sha256(repr(said).encode()).hexdigest()


def _moved(event: GridEventRow, columns: dict[str, Any]) -> Moved:
    return Moved(
        number=event.number,
        state=event.state,
        due_before=event.due_at,
        due_at=columns["due_at"],
        close_before=event.close_by,
        close_by=columns["close_by"],
    )
