"""Units, and the responsibility matrix: which of them answers for what, where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from contract.taxonomy import Category
from hub.domain.errors import NotFoundError
from hub.domain.responsibility import Assignment
from hub.store.part import WHOLE, Part


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A department, a station or a grid team; `kind` is department | station | grid."""

    code: str
    kind: str
    name_en: str
    name_zh: str
    parent: str | None
    phone: str
    email: str
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ResponsibilityRow:
    """One entry of the matrix."""

    id: int
    category: str
    subcategory: str | None
    cell: str
    unit: str
    from_at: datetime
    to_at: datetime | None

    @property
    def assignment(self) -> Assignment:
        """The same as the domain knows it."""
        return Assignment(
            Category(self.category),
            self.subcategory,
            self.cell,
            self.unit,
            self.from_at,
            self.to_at,
        )


def responsible_unit(
    conn: Connection[Any],
    category: str,
    subcategory: str | None,
    cell: str | None,
    at: datetime,
) -> UnitRow | None:
    """The unit that answers there and then: the most specific cell, then sub-category, wins.

    cell None is a place outside every cell. The rule is `hub.domain.responsibility.most_specific`;
    a unit that was closed by then answers for nothing.
    """
    return next(iter(responsible_units(conn, category, subcategory, cell, at)), None)


def responsible_units(
    conn: Connection[Any],
    category: str,
    subcategory: str | None,
    cell: str | None,
    at: datetime,
) -> list[UnitRow]:
    """Every unit that an entry of the matrix names there and then, the responsible one first."""
    with conn.cursor(row_factory=class_row(UnitRow)) as cur:
        return cur.execute(
            """
            SELECT u.* FROM responsibility r JOIN unit u ON u.code = r.unit
            WHERE r.category = %(category)s
              AND (r.subcategory IS NULL OR r.subcategory = %(subcategory)s::text)
              AND CASE WHEN %(cell)s::text IS NULL THEN length(r.cell) = 6
                       ELSE starts_with(%(cell)s, r.cell) END
              AND r.from_at <= %(at)s AND (r.to_at IS NULL OR %(at)s < r.to_at)
              AND (u.closed_at IS NULL OR %(at)s < u.closed_at)
            ORDER BY length(r.cell) DESC, r.subcategory IS NULL, r.from_at DESC
            """,
            {"category": category, "subcategory": subcategory, "cell": cell, "at": at},
        ).fetchall()


def names(conn: Connection[Any]) -> dict[str, tuple[str, str]]:
    """Every unit that there is or was, as people call it, in English and Chinese."""
    return {
        str(code): (str(en), str(zh))
        for code, en, zh in conn.execute("SELECT code, name_en, name_zh FROM unit")
    }


def units(conn: Connection[Any], *, closed: bool = False, part: Part = WHOLE) -> list[UnitRow]:
    """The units by code, those that were closed too if asked."""
    with conn.cursor(row_factory=class_row(UnitRow)) as cur:
        return cur.execute(
            "SELECT * FROM unit WHERE %s OR closed_at IS NULL ORDER BY code LIMIT %s OFFSET %s",
            (closed, part.limit, part.skip),
        ).fetchall()


def unit(conn: Connection[Any], code: str) -> UnitRow:
    """The unit of that code; raises NotFoundError."""
    with conn.cursor(row_factory=class_row(UnitRow)) as cur:
        found = cur.execute("SELECT * FROM unit WHERE code = %s", (code,)).fetchone()
    if found is None:
        raise NotFoundError("unit", code)
    return found


def save_units(conn: Connection[Any], rows: Iterable[UnitRow]) -> None:
    """Take units over, parents before their parts; one that is there is changed."""
    with conn.cursor() as cur:
        cur.executemany(
            """
            INSERT INTO unit (code, kind, name_en, name_zh, parent, phone, email, closed_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (code) DO UPDATE SET
                kind = excluded.kind, name_en = excluded.name_en, name_zh = excluded.name_zh,
                parent = excluded.parent, phone = excluded.phone, email = excluded.email,
                closed_at = excluded.closed_at
            """,
            [
                (u.code, u.kind, u.name_en, u.name_zh, u.parent, u.phone, u.email, u.closed_at)
                for u in rows
            ],
        )


def close_unit(conn: Connection[Any], code: str, at: datetime) -> bool:
    """The unit is no more from then on; whether it was until now."""
    return bool(
        conn.execute(
            "UPDATE unit SET closed_at = %s WHERE code = %s AND closed_at IS NULL", (at, code)
        ).rowcount
    )


def matrix(
    conn: Connection[Any],
    at: datetime,
    *,
    unit: str | None = None,
    cell: str | None = None,
    part: Part = WHOLE,
) -> list[ResponsibilityRow]:
    """The entries in force at a time, by category and cell.

    unit: only of that one. cell: a grid code or its beginning.
    """
    with conn.cursor(row_factory=class_row(ResponsibilityRow)) as cur:
        return cur.execute(
            """
            SELECT r.* FROM responsibility r JOIN unit u ON u.code = r.unit
            WHERE r.from_at <= %(at)s AND (r.to_at IS NULL OR %(at)s < r.to_at)
              AND (u.closed_at IS NULL OR %(at)s < u.closed_at)
              AND (%(unit)s::text IS NULL OR r.unit = %(unit)s)
              AND (%(cell)s::text IS NULL OR starts_with(r.cell, %(cell)s))
            ORDER BY r.category, r.cell, r.subcategory NULLS FIRST, r.id
            LIMIT %(limit)s OFFSET %(skip)s
            """,
            {"at": at, "unit": unit, "cell": cell, "limit": part.limit, "skip": part.skip},
        ).fetchall()


def assign(conn: Connection[Any], assignments: Iterable[Assignment], at: datetime) -> int:
    """These units answer from `at` on, in place of whom the same entries named; how many changed.

    `from_at` and `to_at` of the assignments are not looked at.
    """
    rows = [(str(a.category), a.subcategory, a.cell, a.unit) for a in assignments]
    columns = [list(c) for c in zip(*rows, strict=True)] or [[], [], [], []]
    conn.execute(
        """
        UPDATE responsibility r SET to_at = greatest(%s, r.from_at + interval '1 microsecond')
        FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])
            AS n (category, subcategory, cell, unit)
        WHERE r.to_at IS NULL AND r.category = n.category AND r.cell = n.cell
          AND r.subcategory IS NOT DISTINCT FROM n.subcategory AND r.unit <> n.unit
        """,
        (at, *columns),
    )
    return conn.execute(
        """
        INSERT INTO responsibility (category, subcategory, cell, unit, from_at)
        SELECT n.*, %s FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[]) AS n
        ON CONFLICT (category, coalesce(subcategory, ''), cell) WHERE to_at IS NULL DO NOTHING
        """,
        (at, *columns),
    ).rowcount


def withdraw(conn: Connection[Any], id: int, at: datetime) -> str | None:
    """An entry of the matrix holds no more from `at` on; its cell, if it held until now."""
    row = conn.execute(
        """
        UPDATE responsibility SET to_at = greatest(%s, from_at + interval '1 microsecond')
        WHERE id = %s AND to_at IS NULL RETURNING cell
        """,
        (at, id),
    ).fetchone()
    return row and str(row[0])
