"""The demo district: a grid tree of 1 district, 30 secondary and 300 basic cells, always the same.

The cells are an irregular tessellation without gaps or overlaps: neighbours share their vertices
to the last digit. The district is invented; only its place and code prefix are real.

Codes: 6 digits district, + 3 street + 3 community = a secondary grid, + 3 sequence = a basic grid.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.geometry import Point

DISTRICT = "410105"
CENTRE = Point(113.65, 34.78)
COLUMNS, ROWS = 20, 15  # basic cells
CELL_LON, CELL_LAT = 0.0045, 0.0040  # degrees: about 410 m by 440 m
BLOCK_COLUMNS, BLOCK_ROWS = 2, 5  # basic cells of a secondary cell
BLOCKS_OF_STREET = 5  # secondary cells, from west to east
CORNER_JITTER, EDGE_JITTER = 0.22, 0.10  # share of a cell; below 0.25 no cell folds over
SEED = 410105

STREETS = (
    ("Dongfeng", "东风"),
    ("Wenhua", "文化"),
    ("Huayuan", "花园"),
    ("Fengchan", "丰产"),
    ("Weilai", "未来"),
    ("Beilin", "北林"),
)
_ORDINALS = "一二三四五"

Ring = tuple[Point, ...]  # open: the first vertex is not repeated


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the grid tree."""

    code: str
    level: int  # 1 basic, 2 secondary, 3 district
    parent: str | None
    name_en: str
    name_zh: str
    ring: Ring  # counter-clockwise

    @property
    def centre(self) -> Point:
        """The mean of its vertices: inside, as the cells are near to convex."""
        n = len(self.ring)
        return Point(
            round(sum(p.lon for p in self.ring) / n, 7), round(sum(p.lat for p in self.ring) / n, 7)
        )


def build_district() -> list[Cell]:
    """All cells: the district, then its secondary cells, then the basic ones, by code."""
    lattice = _Lattice(random.Random(SEED))
    cells = [
        Cell(
            DISTRICT,
            3,
            None,
            "Demonstration District",
            "示范区",
            lattice.outline(0, 0, COLUMNS, ROWS),
        )
    ]
    for column, row in _steps(BLOCK_COLUMNS, BLOCK_ROWS):
        across, band = column // BLOCK_COLUMNS, row // BLOCK_ROWS
        street = across // BLOCKS_OF_STREET + band * 2
        community = across % BLOCKS_OF_STREET
        code = f"{DISTRICT}{street + 1:03}{community + 1:03}"
        street_en, street_zh = STREETS[street]
        name_en = f"{street_en} Street, Community {community + 1}"
        name_zh = f"{street_zh}街道第{_ORDINALS[community]}社区"
        ring = lattice.outline(column, row, BLOCK_COLUMNS, BLOCK_ROWS)
        cells.append(Cell(code, 2, DISTRICT, name_en, name_zh, ring))
        for n in range(BLOCK_COLUMNS * BLOCK_ROWS):
            x, y = column + n % BLOCK_COLUMNS, row + n // BLOCK_COLUMNS
            cells.append(
                Cell(
                    f"{code}{n + 1:03}",
                    1,
                    code,
                    f"{name_en}, Grid {n + 1:02}",
                    f"{name_zh}{n + 1:02}网格",
                    lattice.outline(x, y, 1, 1),
                )
            )
    return sorted(cells, key=lambda cell: (-cell.level, cell.code))


def _steps(width: int, height: int) -> Iterator[tuple[int, int]]:
    for row in range(0, ROWS, height):
        for column in range(0, COLUMNS, width):
            yield column, row


class _Lattice:
    """The shared vertices: corners of cells, and one in the middle of each edge."""

    def __init__(self, chance: random.Random) -> None:
        self._points: dict[tuple[int, int], Point] = {}
        # in half cells: (even, even) is a corner, one odd number the middle of an edge
        for y in range(2 * ROWS + 1):
            for x in range(2 * COLUMNS + 1):
                jitter = CORNER_JITTER if x % 2 == y % 2 == 0 else EDGE_JITTER
                dx, dy = chance.uniform(-jitter, jitter), chance.uniform(-jitter, jitter)
                self._points[x, y] = Point(
                    round(CENTRE.lon + (x / 2 + dx - COLUMNS / 2) * CELL_LON, 7),
                    round(CENTRE.lat + (y / 2 + dy - ROWS / 2) * CELL_LAT, 7),
                )

    def outline(self, column: int, row: int, width: int, height: int) -> Ring:
        """The ring around a block of cells, counter-clockwise from the south-west."""
        left, bottom = 2 * column, 2 * row
        right, top = left + 2 * width, bottom + 2 * height
        around = (
            [(x, bottom) for x in range(left, right)]
            + [(right, y) for y in range(bottom, top)]
            + [(x, top) for x in range(right, left, -1)]
            + [(left, y) for y in range(top, bottom, -1)]
        )
        return tuple(self._points[at] for at in around)


def to_geojson(cells: list[Cell]) -> dict[str, Any]:
    """A GeoJSON FeatureCollection (RFC 7946); `code`, `level`, `parent` and names as properties."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": cell.code,
                "properties": {
                    "code": cell.code,
                    "level": cell.level,
                    "parent": cell.parent,
                    "name_en": cell.name_en,
                    "name_zh": cell.name_zh,
                },
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [[[p.lon, p.lat] for p in (*cell.ring, cell.ring[0])]],
                },
            }
            for cell in cells
        ],
    }


def write_district(path: Path) -> None:
    """Write the demo district as GeoJSON. Raises OSError."""
    text = json.dumps(to_geojson(build_district()), ensure_ascii=False, separators=(",", ":"))
    path.write_text(text + "\n", encoding="utf-8")
