"""A small staff for tests: units, people with posts and shifts, in three cells of a small grid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection
from shapely import box

from hub.domain.actor import Role
from hub.domain.grid import Cell
from hub.domain.people import Post
from hub.store import duty, people, units
from hub.store.duty import NewShift
from hub.store.grid import save_cells
from hub.store.people import PersonRow
from hub.store.units import UnitRow

DISTRICT, SECONDARY = "410105", "410105001001"
WEST, EAST = "410105001001001", "410105001001002"  # basic grids, side by side
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)  # of posts, where nothing else is said


def small_grid(conn: Connection[Any]) -> None:
    """A district of one secondary grid of two basic grids."""
    whole = box(113.60, 34.70, 113.62, 34.71)
    save_cells(
        conn,
        [
            Cell(DISTRICT, "District", "区", whole),
            Cell(SECONDARY, "Community", "社区", whole),
            Cell(WEST, "West", "西", box(113.60, 34.70, 113.61, 34.71)),
            Cell(EAST, "East", "东", box(113.61, 34.70, 113.62, 34.71)),
        ],
        BEGUN,
    )


def hire(
    conn: Connection[Any],
    code: str,
    role: Role,
    cell: str | None,
    *,
    since: datetime = BEGUN,
    unit: str | None = None,
    in_training: bool = False,
    shift: tuple[datetime, datetime] | None = None,
    shift_cell: str | None = None,
) -> None:
    """Somebody with one post, on the shift that is named."""
    people.save_people(conn, [PersonRow(code, code.title(), unit, "", "", "zh", in_training, None)])
    held = [
        Post(p.person, Role(p.role), p.cell, p.unit, p.from_at, None)
        for p in people.posts_of(conn, [code])
    ]
    people.set_posts(conn, [code], [*held, Post(code, role, cell, unit, since, None)], since)
    if shift:
        duty.save_shifts(conn, [NewShift(code, shift_cell, *shift)])


def day(at: datetime) -> tuple[datetime, datetime]:
    """A shift of eight hours around a time."""
    return at - timedelta(hours=4), at + timedelta(hours=4)


def found(conn: Connection[Any], *codes: str) -> None:
    """Departments of these codes."""
    units.save_units(
        conn,
        [UnitRow(c, "department", c.title(), c, None, "", f"{c}@example.org", None) for c in codes],
    )


def codes(rows: Sequence[people.PersonRow]) -> list[str]:
    return [r.code for r in rows]
