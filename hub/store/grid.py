"""The cells of the grid, with the outlines they have and had."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb
from shapely.geometry import shape

from hub.domain.errors import InvalidError
from hub.domain.grid import DISTRICT, Cell
from hub.store.locks import lock


def save_cells(
    conn: Connection[Any], cells: Iterable[Cell], at: datetime, *, whole: bool = False
) -> None:
    """From `at` on the cells have these names and outlines; those they had are kept beside.

    The first cells of a district are valid since ever. whole: a cell of the same district that is
    not among them ends. Raises InvalidError where `at` lies before what a cell has now.
    """
    rows = sorted(cells, key=lambda c: c.code)  # a parent's code sorts first
    lock(conn, ["grid"])
    districts = sorted({c.code[:DISTRICT] for c in rows})
    begun = _begun(conn, districts)
    changed = _changed(conn, rows)
    ending = _missing(conn, districts, [c.code for c in rows]) if whole else []
    codes = [c.code for c in changed]
    _check_time(conn, [*codes, *ending], at)
    _keep_outlines(conn, codes, at)
    with conn.cursor() as cur:
        cur.executemany(
            """
            INSERT INTO grid_cell (code, level, parent, name_en, name_zh, polygon, valid_from)
            VALUES (%s, %s, %s, %s, %s, %s, coalesce(%s, '-infinity'::timestamptz))
            ON CONFLICT (code) DO UPDATE SET
                name_en = excluded.name_en, name_zh = excluded.name_zh, polygon = excluded.polygon,
                valid_from = excluded.valid_from, valid_to = 'infinity'
            """,
            [
                (
                    c.code,
                    c.level,
                    c.parent,
                    c.name_en,
                    c.name_zh,
                    Jsonb(c.geojson),
                    at if c.code[:DISTRICT] in begun else None,
                )
                for c in changed
            ],
        )
    conn.execute("UPDATE grid_cell SET valid_to = %s WHERE code = ANY (%s)", (at, ending))


def load_cells(conn: Connection[Any], at: datetime) -> list[Cell]:
    """Every cell and earlier outline known at that time, by code; those in force have no end."""
    return [
        Cell(code, name_en, name_zh, shape(polygon), valid_from, valid_to)
        for code, name_en, name_zh, polygon, valid_from, valid_to in conn.execute(
            """
            SELECT code, name_en, name_zh, polygon, nullif(valid_from, '-infinity'),
                   CASE WHEN valid_to <= %(at)s THEN valid_to END
            FROM grid_cell WHERE valid_from <= %(at)s
            UNION ALL
            SELECT cell, name_en, name_zh, polygon, nullif(valid_from, '-infinity'),
                   CASE WHEN valid_to <= %(at)s THEN valid_to END
            FROM grid_outline WHERE valid_from <= %(at)s
            ORDER BY 1, 6 DESC
            """,
            {"at": at},
        )
    ]


def stamp(conn: Connection[Any], at: datetime) -> tuple[object, ...]:
    """Another one than before when other outlines are in force than were."""
    row = conn.execute(
        """
        SELECT count(*), count(*) FILTER (WHERE valid_to <= %(at)s),
               max(nullif(valid_from, '-infinity'))
        FROM grid_cell WHERE valid_from <= %(at)s
        """,
        {"at": at},
    ).fetchone()
    assert row is not None
    return tuple(row)


def _begun(conn: Connection[Any], districts: Collection[str]) -> set[str]:
    """Those districts of which there are cells already."""
    return {
        str(district)
        for (district,) in conn.execute(
            "SELECT DISTINCT left(code, 6) FROM grid_cell WHERE left(code, 6) = ANY (%s)",
            (sorted(districts),),
        )
    }


def _changed(conn: Connection[Any], cells: Collection[Cell]) -> list[Cell]:
    """Those that are new, were ended, or have other names or another outline now."""
    same = {
        str(code)
        for (code,) in conn.execute(
            """
            SELECT c.code FROM grid_cell c
            JOIN unnest(%s::text[], %s::text[], %s::text[], %s::jsonb[])
                AS n (code, name_en, name_zh, polygon) USING (code)
            WHERE c.valid_to = 'infinity'
              AND (c.name_en, c.name_zh, c.polygon) = (n.name_en, n.name_zh, n.polygon)
            """,
            (
                [c.code for c in cells],
                [c.name_en for c in cells],
                [c.name_zh for c in cells],
                [Jsonb(c.geojson) for c in cells],
            ),
        )
    }
    return [c for c in cells if c.code not in same]


def _missing(
    conn: Connection[Any], districts: Collection[str], codes: Collection[str]
) -> list[str]:
    """Cells in force of these districts that are not among the codes."""
    return [
        str(code)
        for (code,) in conn.execute(
            """
            SELECT code FROM grid_cell WHERE left(code, 6) = ANY (%s) AND code <> ALL (%s)
              AND valid_to = 'infinity'
            """,
            (sorted(districts), list(codes)),
        )
    ]


def _check_time(conn: Connection[Any], codes: Collection[str], at: datetime) -> None:
    late = conn.execute(
        """
        SELECT code, CASE WHEN valid_to < 'infinity' THEN valid_to ELSE valid_from END AS since
        FROM grid_cell WHERE code = ANY (%(codes)s)
          AND CASE WHEN valid_to < 'infinity' THEN valid_to ELSE valid_from END > %(at)s
        ORDER BY code LIMIT 1
        """,
        {"codes": list(codes), "at": at},
    ).fetchone()
    if late is not None:
        raise InvalidError(
            f"cell {late[0]} has the outline of {late[1].isoformat()}: outlines that begin at "
            f"{at.isoformat()} would lie before that; name a later time",
            field="valid_from",
        )


def _keep_outlines(conn: Connection[Any], codes: Collection[str], at: datetime) -> None:
    """What the cells had until `at` stays known; what they would have had for no time does not."""
    conn.execute(
        """
        INSERT INTO grid_outline (cell, name_en, name_zh, polygon, valid_from, valid_to)
        SELECT code, name_en, name_zh, polygon, valid_from, least(valid_to, %(at)s)
        FROM grid_cell WHERE code = ANY (%(codes)s) AND valid_from < %(at)s
        """,
        {"codes": list(codes), "at": at},
    )
