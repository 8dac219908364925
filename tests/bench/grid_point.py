"""Which cell a point lies in: the demo district's 331 cells, with outlines they had before."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from shapely import STRtree
from shapely.geometry import Point as ShapelyPoint

from contract.geometry import Point
from gridwarden.district import CELL_LAT, CELL_LON, CENTRE, build_district, to_geojson
from hub.domain.grid import Cell, Grid
from hub.domain.grid_file import cells_from_geojson
from tests.bench.measure import Comparison, compare

EARLIER = 3  # outlines that every cell had before
CHANGED = [datetime(2023 + n, 1, 1, tzinfo=UTC) for n in range(EARLIER + 1)]


def measure(runs: int, quick: bool) -> list[Comparison]:
    """Points anywhere in the district, against a bare query of the same tree."""
    points = _points(500 if quick else 5_000)
    cells = cells_from_geojson(to_geojson(build_district()))
    grid = Grid([*cells, *(old for cell in cells for old in _earlier(cell))])
    tree = STRtree([c.polygon for c in cells if c.level == 1])

    def bare() -> None:
        for p in points:
            tree.query(ShapelyPoint(p.lon, p.lat), predicate="intersects")

    def now() -> None:
        for p in points:
            grid.locate(p)

    def then() -> None:
        for p in points:
            grid.locate(p, CHANGED[1])

    floor = "a bare query of a tree of the 300 present outlines"
    return [
        compare(
            what,
            _timed(work, len(points)),
            floor,
            _timed(bare, len(points)),
            unit="CPU µs/point",
            runs=runs,
        )
        for what, work in (
            (f"cell of a point, 300 basic grids with {EARLIER} earlier outlines each", now),
            ("cell of a point as of a time", then),
        )
    ]


def _points(n: int) -> list[Point]:
    chance = random.Random(1)
    return [
        Point(
            CENTRE.lon + chance.uniform(-10, 10) * CELL_LON,
            CENTRE.lat + chance.uniform(-7.5, 7.5) * CELL_LAT,
        )
        for _ in range(n)
    ]


def _earlier(cell: Cell) -> list[Cell]:
    return [replace(cell, valid_from=CHANGED[n], valid_to=CHANGED[n + 1]) for n in range(EARLIER)]


def _timed(work: Callable[[], None], n: int) -> Callable[[], float]:
    def run() -> float:
        begun = time.process_time()
        work()
        return (time.process_time() - begun) / n * 1e6

    return run
