"""The base registry, and what grid events have to do with its entries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from hub.domain.errors import ConflictError, NotFoundError
from hub.store.part import WHOLE, Part


@dataclass(frozen=True, slots=True)
class EntryRow:
    """A person, place, thing, matter or organisation; `attributes` are text by name."""

    id: int
    kind: str
    name: str
    cell: str | None
    lon: float | None
    lat: float | None
    attributes: dict[str, Any]
    created_at: datetime
    created_by: str
    changed_at: datetime
    changed_by: str
    retired_at: datetime | None
    version: int


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """What is said of an entry."""

    kind: str
    name: str
    cell: str | None
    lon: float | None
    lat: float | None
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries."""

    kind: str | None = None
    cell: str | None = None  # a grid code or its beginning
    text: str | None = None  # in name or attributes
    retired: bool = False  # those that were retired too
    within: list[str] | None = None  # in these subtrees; None: anywhere


@dataclass(frozen=True, slots=True)
class LinkRow:
    """What a grid event has to do with an entry."""

    id: int
    event: str  # its number
    entry: int
    kind: str
    name: str
    relation: str
    linked_at: datetime
    linked_by: str


_LINKS = """
SELECT l.id, g.number AS event, l.entry, e.kind, e.name, l.relation, l.linked_at, l.linked_by
FROM event_entry l JOIN grid_event g ON g.id = l.event JOIN registry_entry e ON e.id = l.entry
WHERE l.removed_at IS NULL AND """


def entries(conn: Connection[Any], wanted: EntryFilter, after: int, limit: int) -> list[EntryRow]:
    """Entries by id, from the one after `after` on."""
    with conn.cursor(row_factory=class_row(EntryRow)) as cur:
        return cur.execute(
            """
            SELECT * FROM registry_entry
            WHERE id > %(after)s AND (%(retired)s OR retired_at IS NULL)
              AND (%(kind)s::text IS NULL OR kind = %(kind)s)
              AND (%(cell)s::text IS NULL OR starts_with(cell, %(cell)s))
              AND (%(within)s::text[] IS NULL
                   OR EXISTS (SELECT FROM unnest(%(within)s::text[]) c WHERE starts_with(cell, c)))
              AND (%(text)s::text IS NULL OR strpos(lower(name), lower(%(text)s)) > 0 OR EXISTS (
                  SELECT FROM jsonb_each_text(attributes)
                  WHERE strpos(lower(value), lower(%(text)s)) > 0))
            ORDER BY id LIMIT %(limit)s
            """,
            {
                "after": after,
                "limit": limit,
                "kind": wanted.kind,
                "cell": wanted.cell,
                "text": wanted.text,
                "retired": wanted.retired,
                "within": wanted.within,
            },
        ).fetchall()


def entry(conn: Connection[Any], id: int) -> EntryRow:
    """The entry of that number, retired or not; raises NotFoundError."""
    with conn.cursor(row_factory=class_row(EntryRow)) as cur:
        found = cur.execute("SELECT * FROM registry_entry WHERE id = %s", (id,)).fetchone()
    if found is None:
        raise NotFoundError("registry entry", str(id))
    return found


def add(conn: Connection[Any], said: EntryFacts, actor: str, at: datetime) -> EntryRow:
    """Enter it; the entry with its number."""
    with conn.cursor(row_factory=class_row(EntryRow)) as cur:
        made = cur.execute(
            """
            INSERT INTO registry_entry (kind, name, cell, lon, lat, attributes, created_at,
                                        created_by, changed_at, changed_by)
            VALUES (%(kind)s, %(name)s, %(cell)s, %(lon)s, %(lat)s, %(attributes)s, %(at)s,
                    %(actor)s, %(at)s, %(actor)s)
            RETURNING *
            """,
            _values(said) | {"actor": actor, "at": at},
        ).fetchone()
    assert made is not None
    return made


def change(
    conn: Connection[Any],
    id: int,
    said: EntryFacts,
    actor: str,
    at: datetime,
    expected_version: int | None,
) -> EntryRow:
    """The entry as it is said from now on. Raises NotFoundError, and ConflictError where somebody
    changed it since `expected_version`."""
    _lock(conn, id, expected_version)
    return _changed(
        conn,
        """
        kind = %(kind)s, name = %(name)s, cell = %(cell)s, lon = %(lon)s, lat = %(lat)s,
        attributes = %(attributes)s
        """,
        _values(said) | {"id": id, "actor": actor, "at": at},
    )


def retire(
    conn: Connection[Any], id: int, actor: str, at: datetime, expected_version: int | None
) -> EntryRow:
    """The entry is no longer offered; its links stay. Raises as `change` does."""
    _lock(conn, id, expected_version)
    values = {"id": id, "actor": actor, "at": at}
    return _changed(conn, "retired_at = coalesce(retired_at, %(at)s)", values)


def restore(
    conn: Connection[Any], id: int, actor: str, at: datetime, expected_version: int | None
) -> EntryRow:
    """A retired entry is offered again. Raises as `change` does."""
    _lock(conn, id, expected_version)
    return _changed(conn, "retired_at = NULL", {"id": id, "actor": actor, "at": at})


def link(
    conn: Connection[Any], event: int, entry: int, relation: str, actor: str, at: datetime
) -> bool:
    """The event has to do with the entry; False where that was said already."""
    return bool(
        conn.execute(
            """
            INSERT INTO event_entry (event, entry, relation, linked_at, linked_by)
            VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (event, entry, relation) WHERE removed_at IS NULL DO NOTHING
            """,
            (event, entry, relation, at, actor),
        ).rowcount
    )


def unlink(conn: Connection[Any], event: int, link: int, actor: str, at: datetime) -> bool:
    """A link was wrong: who made it stays known. Whether it stood until now."""
    return bool(
        conn.execute(
            """
            UPDATE event_entry SET removed_at = %s, removed_by = %s
            WHERE id = %s AND event = %s AND removed_at IS NULL
            """,
            (at, actor, link, event),
        ).rowcount
    )


def links_of_event(conn: Connection[Any], event: int, part: Part = WHOLE) -> list[LinkRow]:
    """What an event has to do with, the oldest link first."""
    with conn.cursor(row_factory=class_row(LinkRow)) as cur:
        return cur.execute(
            f"{_LINKS} l.event = %s ORDER BY l.id LIMIT %s OFFSET %s".encode(),
            (event, part.limit, part.skip),
        ).fetchall()


def links_of_entry(
    conn: Connection[Any], entry: int, cells: list[str] | None, before: int | None, limit: int
) -> list[LinkRow]:
    """The events that have to do with an entry, the newest link first.

    cells: only events in these subtrees; None: anywhere.
    """
    with conn.cursor(row_factory=class_row(LinkRow)) as cur:
        return cur.execute(
            f"""
            {_LINKS} l.entry = %(entry)s AND (%(before)s::bigint IS NULL OR l.id < %(before)s)
              AND (%(cells)s::text[] IS NULL
                   OR EXISTS (SELECT FROM unnest(%(cells)s::text[]) c WHERE starts_with(g.cell, c)))
            ORDER BY l.id DESC LIMIT %(limit)s
            """.encode(),
            {"entry": entry, "cells": cells, "before": before, "limit": limit},
        ).fetchall()


def _values(said: EntryFacts) -> dict[str, object]:
    return {
        "kind": said.kind,
        "name": said.name,
        "cell": said.cell,
        "lon": said.lon,
        "lat": said.lat,
        "attributes": Jsonb(dict(said.attributes)),
    }


def _lock(conn: Connection[Any], id: int, expected_version: int | None) -> None:
    with conn.cursor(row_factory=class_row(EntryRow)) as cur:
        found = cur.execute(
            "SELECT * FROM registry_entry WHERE id = %s FOR UPDATE", (id,)
        ).fetchone()
    if found is None:
        raise NotFoundError("registry entry", str(id))
    if expected_version is not None and found.version != expected_version:
        raise ConflictError(
            f"registry entry {id} was changed by {found.changed_by} meanwhile: it has version "
            f"{found.version}, you saw {expected_version}; read it again",
            version=found.version,
            actor=found.changed_by,
            action="change",
            at=found.changed_at,
        )


def _changed(conn: Connection[Any], change: str, values: Mapping[str, object]) -> EntryRow:
    with conn.cursor(row_factory=class_row(EntryRow)) as cur:
        found = cur.execute(
            f"""
            UPDATE registry_entry SET {change}, changed_at = %(at)s, changed_by = %(actor)s,
                                      version = version + 1
            WHERE id = %(id)s RETURNING *
            """.encode(),
            values,
        ).fetchone()
    assert found is not None
    return found
