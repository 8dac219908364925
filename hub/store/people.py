"""People and their posts: who holds one, and who is on duty."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from contract.geometry import Point
from hub.domain.actor import Role
from hub.domain.errors import NotFoundError
from hub.domain.people import Position, Post, nearest_first
from hub.store import duty


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody who works for the district; `code` is the staff number that histories name."""

    code: str
    name: str
    unit: str | None
    phone: str
    email: str
    language: str  # zh | en
    in_training: bool
    left_at: datetime | None


@dataclass(frozen=True, slots=True)
class PostRow:
    """A post as it is kept."""

    id: int
    person: str
    role: str
    cell: str | None
    unit: str | None
    from_at: datetime
    to_at: datetime | None


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """Which people."""

    unit: str | None = None
    role: str | None = None
    cell: str | None = None  # a grid code or its beginning
    text: str | None = None  # in code or name
    left: bool = False  # those that left too
    on_shift: bool = False  # only who is on shift


# of a person: works here, and is given more than recorded detections
_SERVES = "(p.left_at IS NULL OR %(at)s < p.left_at) AND NOT p.in_training"
# of a post: in force, of the role, and of the unit where one is asked for
_HOLDS = """
    o.role = %(role)s AND o.from_at <= %(at)s AND (o.to_at IS NULL OR %(at)s < o.to_at)
    AND (%(unit)s::text IS NULL OR o.unit = %(unit)s)"""


def _covers(area: str) -> str:
    """SQL of `hub.domain.people.covers` for a column, with what lies within the cell if asked."""
    return f"""
    ({area} IS NULL OR CASE WHEN %(cell)s::text IS NULL THEN length({area}) = 6
                            ELSE starts_with(%(cell)s, {area})
                                 OR (%(within)s AND starts_with({area}, %(cell)s)) END)"""


def holders(
    conn: Connection[Any],
    role: Role,
    cell: str | None,
    at: datetime,
    *,
    unit: str | None = None,
) -> list[PersonRow]:
    """Who holds a post of that role for the cell, on shift or not, by code.

    Of the cell itself, else of the nearest level above that has somebody. cell None is a place
    outside every cell. unit: only posts in that one. Who is in training holds none yet.
    """
    with conn.cursor(row_factory=class_row(PersonRow)) as cur:
        return cur.execute(
            f"""
            WITH held AS (
                SELECT o.person, rank() OVER (ORDER BY coalesce(length(o.cell), 0) DESC) AS level
                FROM post o JOIN person p ON p.code = o.person
                WHERE {_HOLDS} AND {_SERVES} AND {_covers("o.cell")}
            )
            SELECT p.* FROM person p
            WHERE p.code IN (SELECT person FROM held WHERE level = 1) ORDER BY p.code
            """.encode(),
            {"role": role, "cell": cell, "at": at, "unit": unit, "within": False},
        ).fetchall()


def on_duty(
    conn: Connection[Any],
    role: Role,
    cell: str | None,
    at: datetime,
    *,
    near: Point | None = None,
    unit: str | None = None,
    within: bool = False,
) -> list[PersonRow]:
    """Who holds a post of that role for the cell or one above it and is on shift.

    near: the nearest first, by positions not older than `POSITION_GOOD_FOR`; otherwise who has the
    smallest area first. unit: only posts in that one. within: also who looks after a part of the
    cell. A shift that names a cell covers that one instead of the post's.
    """
    with conn.cursor(row_factory=class_row(PersonRow)) as cur:
        found = cur.execute(
            f"""
            SELECT p.* FROM person p JOIN (
                SELECT o.person, max(coalesce(length(coalesce(s.cell, o.cell)), 0)) AS digits
                FROM post o JOIN shift s ON s.person = o.person
                WHERE {_HOLDS} AND s.begins_at <= %(at)s AND %(at)s < s.ends_at
                  AND {_covers("coalesce(s.cell, o.cell)")}
                GROUP BY o.person
            ) d ON d.person = p.code
            WHERE {_SERVES} ORDER BY d.digits DESC, p.code
            """.encode(),
            {"role": role, "cell": cell, "at": at, "unit": unit, "within": within},
        ).fetchall()
    if near is None:
        return found
    known = {
        p.person: Position(Point(p.lon, p.lat), p.at)
        for p in duty.positions(conn, [p.code for p in found])
    }
    return nearest_first([(p.code, p) for p in found], known, near, at)


def people(
    conn: Connection[Any], wanted: PeopleFilter, after: str, limit: int, at: datetime
) -> list[PersonRow]:
    """People by code, from the one after `after` on; posts count that are in force at `at`."""
    with conn.cursor(row_factory=class_row(PersonRow)) as cur:
        return cur.execute(
            """
            SELECT p.* FROM person p
            WHERE p.code > %(after)s AND (%(left)s OR p.left_at IS NULL OR %(at)s < p.left_at)
              AND (%(unit)s::text IS NULL OR p.unit = %(unit)s)
              AND (%(text)s::text IS NULL OR strpos(lower(p.code || ' ' || p.name),
                                                    lower(%(text)s)) > 0)
              AND (NOT %(on_shift)s OR EXISTS (
                  SELECT FROM shift s WHERE s.person = p.code
                    AND s.begins_at <= %(at)s AND %(at)s < s.ends_at))
              AND (%(role)s::text IS NULL AND %(cell)s::text IS NULL OR EXISTS (
                  SELECT FROM post o WHERE o.person = p.code
                    AND o.from_at <= %(at)s AND (o.to_at IS NULL OR %(at)s < o.to_at)
                    AND (%(role)s::text IS NULL OR o.role = %(role)s)
                    AND (%(cell)s::text IS NULL OR starts_with(o.cell, %(cell)s))))
            ORDER BY p.code LIMIT %(limit)s
            """,
            {
                "after": after,
                "limit": limit,
                "at": at,
                "unit": wanted.unit,
                "role": wanted.role,
                "cell": wanted.cell,
                "text": wanted.text,
                "left": wanted.left,
                "on_shift": wanted.on_shift,
            },
        ).fetchall()


def by_code(conn: Connection[Any], code: str) -> PersonRow:
    """The person of that staff number; raises NotFoundError."""
    with conn.cursor(row_factory=class_row(PersonRow)) as cur:
        found = cur.execute("SELECT * FROM person WHERE code = %s", (code,)).fetchone()
    if found is None:
        raise NotFoundError("person", code)
    return found


def serving(conn: Connection[Any], code: str, at: datetime) -> PersonRow | None:
    """Whoever has that staff number, where they work here then: not left, nor without a post left.

    Where somebody was never given a post, not having left is enough.
    """
    with conn.cursor(row_factory=class_row(PersonRow)) as cur:
        return cur.execute(
            """
            SELECT p.* FROM person p
            WHERE p.code = %(code)s AND (p.left_at IS NULL OR %(at)s < p.left_at)
              AND (NOT EXISTS (SELECT FROM post o WHERE o.person = p.code)
                   OR EXISTS (SELECT FROM post o WHERE o.person = p.code AND o.from_at <= %(at)s
                              AND (o.to_at IS NULL OR %(at)s < o.to_at)))
            """,
            {"code": code, "at": at},
        ).fetchone()


def save_people(conn: Connection[Any], rows: Iterable[PersonRow]) -> None:
    """Take people over; one that is there is changed."""
    with conn.cursor() as cur:
        cur.executemany(
            """
            INSERT INTO person (code, name, unit, phone, email, language, in_training, left_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (code) DO UPDATE SET
                name = excluded.name, unit = excluded.unit, phone = excluded.phone,
                email = excluded.email, language = excluded.language,
                in_training = excluded.in_training, left_at = excluded.left_at
            """,
            [
                (p.code, p.name, p.unit, p.phone, p.email, p.language, p.in_training, p.left_at)
                for p in rows
            ],
        )


def leave(conn: Connection[Any], code: str, at: datetime) -> bool:
    """The person left, and their posts end; whether they worked here until now."""
    left = conn.execute(
        "UPDATE person SET left_at = %s WHERE code = %s AND left_at IS NULL", (at, code)
    ).rowcount
    if left:
        set_posts(conn, [code], [], at)
    return bool(left)


def posts_of(
    conn: Connection[Any], persons: Collection[str], *, ended: bool = False
) -> list[PostRow]:
    """The posts of these people, the oldest first; those that ended too if asked."""
    with conn.cursor(row_factory=class_row(PostRow)) as cur:
        return cur.execute(
            """
            SELECT * FROM post WHERE person = ANY (%s) AND (%s OR to_at IS NULL)
            ORDER BY person, from_at, id
            """,
            (sorted(persons), ended),
        ).fetchall()


def posts_in_force(conn: Connection[Any], person: str, at: datetime) -> list[PostRow]:
    """The posts somebody holds at a time; none of who has left, or is not known."""
    with conn.cursor(row_factory=class_row(PostRow)) as cur:
        return cur.execute(
            """
            SELECT o.* FROM post o JOIN person p ON p.code = o.person
            WHERE o.person = %(person)s AND (p.left_at IS NULL OR %(at)s < p.left_at)
              AND o.from_at <= %(at)s AND (o.to_at IS NULL OR %(at)s < o.to_at)
            ORDER BY o.from_at, o.id
            """,
            {"person": person, "at": at},
        ).fetchall()


def set_posts(
    conn: Connection[Any], persons: Collection[str], posts: Iterable[Post], at: datetime
) -> None:
    """From `at` on these people hold these posts and no others; what they held already goes on.

    `from_at` and `to_at` of the posts are not looked at.
    """
    rows = [(p.person, str(p.role), p.cell, p.unit) for p in posts]
    columns = [list(c) for c in zip(*rows, strict=True)] or [[], [], [], []]
    conn.execute(
        """
        UPDATE post o SET to_at = greatest(%s, o.from_at + interval '1 microsecond')
        WHERE o.to_at IS NULL AND o.person = ANY (%s) AND NOT EXISTS (
            SELECT FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])
                AS n (person, role, cell, unit)
            WHERE n.person = o.person AND n.role = o.role
              AND n.cell IS NOT DISTINCT FROM o.cell AND n.unit IS NOT DISTINCT FROM o.unit)
        """,
        (at, sorted(persons), *columns),
    )
    conn.execute(
        """
        INSERT INTO post (person, role, cell, unit, from_at)
        SELECT n.*, %s FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[]) AS n
        ON CONFLICT (person, role, coalesce(cell, ''), coalesce(unit, ''))
            WHERE to_at IS NULL DO NOTHING
        """,
        (at, *columns),
    )
