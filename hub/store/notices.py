"""Notices to people: the inbox, how each wants to be told, and the mail that waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from hub.domain.actor import Actor


@dataclass(frozen=True, slots=True)
class NewNotice:
    """A notice about to be written; one of person, role and unit."""

    event: int | None
    kind: str
    person: str | None
    role: str | None
    cell: str | None
    unit: str | None
    severity: str | None
    title_en: str
    title_zh: str
    body: str
    at: datetime
    key: str


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice in somebody's inbox."""

    id: int
    number: str | None  # of the grid event
    kind: str
    person: str | None
    role: str | None
    unit: str | None
    severity: str | None
    title_en: str
    title_zh: str
    body: str
    at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class PreferenceRow:
    """How a person wants to be told."""

    person: str
    mail: bool
    quiet_from: time
    quiet_to: time
    kinds_off: list[str]


def insert(conn: Connection[Any], notice: NewNotice) -> int | None:
    """The id of the notice, None where there is one with its key already."""
    row = conn.execute(
        """
        INSERT INTO notice (event, kind, person, role, cell, unit, severity, title_en, title_zh,
            body, at, key)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (key) DO NOTHING RETURNING id
        """,
        (
            notice.event,
            notice.kind,
            notice.person,
            notice.role,
            notice.cell,
            notice.unit,
            notice.severity,
            notice.title_en,
            notice.title_zh,
            notice.body,
            notice.at,
            notice.key,
        ),
    ).fetchone()
    return None if row is None else int(row[0])


_MINE = """
    (n.person = %(person)s
     OR (n.role = %(role)s AND (n.cell IS NULL OR %(everywhere)s
         OR EXISTS (SELECT FROM unnest(%(cells)s::text[]) AS c (code)
                    WHERE starts_with(n.cell, c.code))))
     OR n.unit = %(unit)s)
"""


def inbox(
    conn: Connection[Any], actor: Actor, before: int | None, limit: int, *, unread: bool = False
) -> list[NoticeRow]:
    """What that actor is told, by name, role or unit; the newest first."""
    with conn.cursor(row_factory=class_row(NoticeRow)) as cur:
        return cur.execute(
            f"""
            SELECT n.id, e.number, n.kind, n.person, n.role, n.unit, n.severity, n.title_en,
                   n.title_zh, n.body, n.at, n.read_at
            FROM notice n LEFT JOIN grid_event e ON e.id = n.event
            WHERE {_MINE} AND n.id < %(before)s AND (n.read_at IS NULL OR NOT %(unread)s)
            ORDER BY n.id DESC LIMIT %(limit)s
            """,
            _who(actor)
            | {"before": before if before is not None else 2**62, "limit": limit, "unread": unread},
        ).fetchall()


def unread(conn: Connection[Any], actor: Actor, most: int) -> int:
    """How many notices that actor has not read, counted up to `most`."""
    row = conn.execute(
        f"SELECT count(*) FROM (SELECT FROM notice n WHERE {_MINE} AND n.read_at IS NULL "
        "LIMIT %(most)s) AS counted",
        _who(actor) | {"most": most},
    ).fetchone()
    assert row is not None
    return int(row[0])


def read(conn: Connection[Any], actor: Actor, ids: Sequence[int] | None, at: datetime) -> int:
    """That actor has read these, or all of theirs for None; how many were unread."""
    return conn.execute(
        f"""
        UPDATE notice n SET read_at = %(at)s, read_by = %(person)s
        WHERE {_MINE} AND n.read_at IS NULL AND (%(ids)s::bigint[] IS NULL OR n.id = ANY (%(ids)s))
        """,
        _who(actor) | {"at": at, "ids": None if ids is None else list(ids)},
    ).rowcount


def drop_before(conn: Connection[Any], before: datetime, limit: int) -> int:
    """Forget notices of before then, and the mail that told them; up to `limit` each, how many.

    A notice of an event that goes on stays: its key says that it was told.
    """
    conn.execute(
        """
        WITH old AS (
            SELECT id FROM mail WHERE ended_at < %(before)s AND folded_into IS NULL
            ORDER BY ended_at LIMIT %(limit)s
        ), folded AS (DELETE FROM mail m USING old WHERE m.folded_into = old.id)
        DELETE FROM mail m USING old WHERE m.id = old.id
        """,
        {"before": before, "limit": limit},
    )
    return conn.execute(
        """
        DELETE FROM notice WHERE id IN (
            SELECT n.id FROM notice n LEFT JOIN grid_event e ON e.id = n.event
            WHERE n.at < %(before)s AND (n.event IS NULL OR e.ended_at < %(before)s)
              AND NOT EXISTS (SELECT FROM mail m WHERE m.notice = n.id)
            ORDER BY n.at LIMIT %(limit)s)
        """,
        {"before": before, "limit": limit},
    ).rowcount


def _who(actor: Actor) -> dict[str, object]:
    return {
        "person": actor.name,
        "role": str(actor.role),
        "everywhere": not actor.cells,
        "cells": list(actor.cells),
        "unit": actor.unit,
    }


def preference(conn: Connection[Any], person: str) -> PreferenceRow | None:
    """How that person wants to be told, None where they have not said."""
    with conn.cursor(row_factory=class_row(PreferenceRow)) as cur:
        return cur.execute(
            "SELECT * FROM notice_preference WHERE person = %s", (person,)
        ).fetchone()


def prefer(conn: Connection[Any], wanted: PreferenceRow) -> None:
    """Keep how a person wants to be told."""
    conn.execute(
        """
        INSERT INTO notice_preference (person, mail, quiet_from, quiet_to, kinds_off)
        VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (person) DO UPDATE SET mail = excluded.mail, quiet_from = excluded.quiet_from,
            quiet_to = excluded.quiet_to, kinds_off = excluded.kinds_off
        """,
        (wanted.person, wanted.mail, wanted.quiet_from, wanted.quiet_to, wanted.kinds_off),
    )
