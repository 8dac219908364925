"""What of the evidence may go, what is held, and what was erased."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from hub.domain.retention import Case
from hub.store.part import Part


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A legal hold; standing while `released_at` is None."""

    id: int
    event: int | None
    digest: str | None
    placed_at: datetime
    placed_by: str
    reason: str
    released_at: datetime | None
    released_by: str | None
    release_reason: str | None


@dataclass(frozen=True, slots=True)
class Kept:
    """Evidence whose time may have come."""

    digest: str
    complete: bool
    last_at: datetime  # when its bytes last came
    held: bool
    events: list[int]


_HELD = """
    EXISTS (SELECT FROM evidence_hold h WHERE h.released_at IS NULL
            AND (h.digest = e.digest OR h.event IN (SELECT events_of_evidence(e.digest))))
"""


def to_look_at(conn: Connection[Any], now: datetime, limit: int) -> list[str]:
    """Digests whose evidence is to be looked at, the longest waiting first."""
    with conn.cursor(row_factory=scalar_row) as cur:
        return cur.execute(
            """
            SELECT digest FROM evidence WHERE erased_at IS NULL AND look_at <= %s
            ORDER BY look_at LIMIT %s
            """,
            (now, limit),
        ).fetchall()


def events_of(conn: Connection[Any], digests: Collection[str]) -> list[int]:
    """Ids of the events that this evidence belongs to, ascending."""
    with conn.cursor(row_factory=scalar_row) as cur:
        return cur.execute(
            "SELECT DISTINCT e FROM unnest(%s::text[]) d, events_of_evidence(d) e ORDER BY e",
            (sorted(digests),),
        ).fetchall()


def lock(conn: Connection[Any], digests: Collection[str]) -> list[Kept]:
    """This evidence as far as it is not erased, locked. Lock its events before."""
    conn.execute(
        "SELECT FROM evidence WHERE digest = ANY (%s) ORDER BY digest FOR UPDATE",
        (sorted(digests),),
    )
    with conn.cursor(row_factory=class_row(Kept)) as cur:
        return cur.execute(
            f"""
            SELECT digest, complete_at IS NOT NULL AS complete, last_at, {_HELD} AS held,
                   ARRAY(SELECT x FROM events_of_evidence(e.digest) x ORDER BY x) AS events
            FROM evidence e WHERE digest = ANY (%s) AND erased_at IS NULL ORDER BY digest
            """,
            (sorted(digests),),
        ).fetchall()


def cases(conn: Connection[Any], events: Collection[int]) -> dict[int, Case]:
    """What retention needs to know of these events."""
    return {
        id: Case(category, state, ended_at)
        for id, category, state, ended_at in conn.execute(
            "SELECT id, category, state, ended_at FROM grid_event WHERE id = ANY (%s)",
            (sorted(events),),
        )
    }


def look_again(conn: Connection[Any], at: Mapping[str, datetime]) -> None:
    """Look at this evidence again at those times."""
    conn.execute(
        """
        UPDATE evidence SET look_at = t.at
        FROM unnest(%s::text[], %s::timestamptz[]) t (digest, at)
        WHERE evidence.digest = t.digest
        """,
        (list(at), list(at.values())),
    )


def mark_erased(
    conn: Connection[Any], digests: Collection[str], at: datetime, by: str, why: str
) -> None:
    """Its bytes are to go; what is held makes the database refuse. Lock it before."""
    conn.execute(
        """
        UPDATE evidence SET erased_at = %s, erased_by = %s, erased_why = %s, received = '{}'
        WHERE digest = ANY (%s) AND erased_at IS NULL
        """,
        (at, by, why, sorted(digests)),
    )


def going(conn: Connection[Any], limit: int) -> list[str]:
    """Digests marked erased whose bytes may still be on the disk."""
    with conn.cursor(row_factory=scalar_row) as cur:
        return cur.execute(
            """
            SELECT digest FROM evidence WHERE erased_at IS NOT NULL AND gone_at IS NULL
            ORDER BY digest LIMIT %s
            """,
            (limit,),
        ).fetchall()


def mark_gone(conn: Connection[Any], digests: Collection[str], at: datetime) -> None:
    """Their bytes are off the disk."""
    conn.execute("UPDATE evidence SET gone_at = %s WHERE digest = ANY (%s)", (at, sorted(digests)))


def hold_on_event(conn: Connection[Any], event: int) -> HoldRow | None:
    """The hold that stands on an event itself."""
    with conn.cursor(row_factory=class_row(HoldRow)) as cur:
        return cur.execute(
            "SELECT * FROM evidence_hold WHERE event = %s AND released_at IS NULL", (event,)
        ).fetchone()


def standing_holds(
    conn: Connection[Any], cells: list[str] | None, part: Part
) -> list[tuple[HoldRow, str | None]]:
    """The holds that stand, each with the number of its event if any, the newest first.

    cells: only of events in these subtrees, and of evidence that shows one; None: all of them.
    """
    with conn.cursor(row_factory=class_row(HoldRow)) as cur:
        found = cur.execute(
            """
            SELECT h.* FROM evidence_hold h
            WHERE h.released_at IS NULL AND (%(cells)s::text[] IS NULL OR EXISTS (
                SELECT FROM (SELECT h.event UNION ALL SELECT events_of_evidence(h.digest)) s (event)
                JOIN grid_event g ON g.id = s.event
                JOIN unnest(%(cells)s::text[]) c ON starts_with(g.cell, c)))
            ORDER BY h.id DESC LIMIT %(limit)s OFFSET %(skip)s
            """,
            {"cells": cells, "limit": part.limit, "skip": part.skip},
        ).fetchall()
    numbers = dict(
        conn.execute(
            "SELECT id, number FROM grid_event WHERE id = ANY (%s)",
            ([h.event for h in found if h.event is not None],),
        ).fetchall()
    )
    return [(h, numbers.get(h.event)) for h in found]


def place_hold(
    conn: Connection[Any],
    *,
    event: int | None = None,
    digest: str | None = None,
    at: datetime,
    by: str,
    reason: str,
) -> bool:
    """Place a hold; False where one stands already. Lock event and evidence before."""
    return bool(
        conn.execute(
            """
            INSERT INTO evidence_hold (event, digest, placed_at, placed_by, reason)
            VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
            """,
            (event, digest, at, by, reason),
        ).rowcount
    )


def release_hold(
    conn: Connection[Any],
    *,
    event: int | None = None,
    digest: str | None = None,
    at: datetime,
    by: str,
    reason: str,
) -> bool:
    """Release the standing hold; False where there is none."""
    return bool(
        conn.execute(
            """
            UPDATE evidence_hold SET released_at = %s, released_by = %s, release_reason = %s
            WHERE released_at IS NULL AND (event = %s OR digest = %s)
            """,
            (at, by, reason, event, digest),
        ).rowcount
    )


def of_event(conn: Connection[Any], event: int) -> list[str]:
    """Digests of everything that belongs to an event and to those merged into it."""
    with conn.cursor(row_factory=scalar_row) as cur:
        return cur.execute(
            """
            WITH RECURSIVE family (id) AS (
                SELECT %s::bigint
                UNION
                SELECT g.id FROM family f JOIN grid_event g ON g.parent = f.id
            )
            SELECT e.digest FROM family f JOIN detection d ON d.event = f.id
            JOIN detection_evidence e USING (episode)
            UNION
            SELECT p.digest FROM family f JOIN event_evidence p ON p.event = f.id
            """,
            (event,),
        ).fetchall()
