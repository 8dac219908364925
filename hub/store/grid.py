"""The cells of the grid."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb
from shapely.geometry import shape

from hub.domain.grid import Cell


def save_cells(conn: Connection[Any], cells: Iterable[Cell]) -> None:
    """Take cells over; one that is there already gets its new names and outline."""
    with conn.cursor() as cur:
        cur.executemany(
            """
            INSERT INTO grid_cell (code, level, parent, name_en, name_zh, polygon)
            VALUES (%s, %s, %s, %s, %s, %s)
            ON CONFLICT (code) DO UPDATE SET
                name_en = excluded.name_en, name_zh = excluded.name_zh, polygon = excluded.polygon
            WHERE (grid_cell.name_en, grid_cell.name_zh, grid_cell.polygon)
                IS DISTINCT FROM (excluded.name_en, excluded.name_zh, excluded.polygon)
            """,
            [
                (c.code, c.level, c.parent, c.name_en, c.name_zh, Jsonb(c.geojson))
                for c in sorted(cells, key=lambda c: c.code)  # a parent's code sorts first
            ],
        )


def load_cells(conn: Connection[Any]) -> list[Cell]:
    """The cells that are valid now, by code."""
    return [
        Cell(code, name_en, name_zh, shape(polygon))
        for code, name_en, name_zh, polygon in conn.execute(
            """
            SELECT code, name_en, name_zh, polygon FROM grid_cell
            WHERE now() >= valid_from AND now() < valid_to ORDER BY code
            """
        )
    ]
