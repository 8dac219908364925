"""The demo district is a grid tree that no case can fall through."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shapely import Point, Polygon, STRtree, union_all

from gridwarden.district import DISTRICT, Cell, build_district, write_district


def polygon(cell: Cell) -> Polygon:
    return Polygon([(p.lon, p.lat) for p in cell.ring])


@pytest.fixture(scope="module")
def cells() -> list[Cell]:
    return build_district()


def of_level(cells: list[Cell], level: int) -> list[Cell]:
    return [cell for cell in cells if cell.level == level]


def test_the_district_has_30_secondary_and_300_basic_cells(cells: list[Cell]) -> None:
    assert [len(of_level(cells, level)) for level in (3, 2, 1)] == [1, 30, 300]


def test_a_code_begins_with_the_code_of_its_parent_and_is_unique(cells: list[Cell]) -> None:
    codes = {cell.code for cell in cells}
    assert len(codes) == len(cells)
    for cell in cells:
        assert len(cell.code) == {3: 6, 2: 12, 1: 15}[cell.level]
        if cell.level == 3:
            assert (cell.code, cell.parent) == (DISTRICT, None)
        else:
            assert cell.parent in codes
            assert cell.code.startswith(cell.parent or "-")


@pytest.mark.parametrize("level", [1, 2])
def test_cells_of_a_level_leave_no_gap_and_do_not_overlap(cells: list[Cell], level: int) -> None:
    shapes = [polygon(cell) for cell in of_level(cells, level)]
    assert all(shape.is_valid for shape in shapes)
    whole = union_all(shapes)
    assert whole.equals(polygon(cells[0]))
    assert sum(shape.area for shape in shapes) == pytest.approx(whole.area, rel=1e-12)
    tree = STRtree(shapes)
    for a, b in zip(*tree.query(shapes, predicate="overlaps"), strict=True):
        pytest.fail(f"{shapes[a]} and {shapes[b]} overlap")


def test_a_secondary_cell_is_exactly_its_ten_basic_cells(cells: list[Cell]) -> None:
    for parent in of_level(cells, 2):
        children = [polygon(cell) for cell in cells if cell.parent == parent.code]
        assert len(children) == 10
        assert union_all(children).equals(polygon(parent))


def test_the_centre_of_a_basic_cell_lies_in_it(cells: list[Cell]) -> None:
    for cell in of_level(cells, 1):
        assert polygon(cell).contains(Point(cell.centre.lon, cell.centre.lat))


def test_every_cell_has_a_name_of_its_own_in_both_languages(cells: list[Cell]) -> None:
    assert len({cell.name_en for cell in cells}) == len(cells)
    assert len({cell.name_zh for cell in cells}) == len(cells)


def test_the_district_is_written_the_same_every_time(tmp_path: Path) -> None:
    for name in ("a.geojson", "b.geojson"):
        write_district(tmp_path / name)
    assert (tmp_path / "a.geojson").read_bytes() == (tmp_path / "b.geojson").read_bytes()
    features = json.loads((tmp_path / "a.geojson").read_text(encoding="utf-8"))["features"]
    ring = features[0]["geometry"]["coordinates"][0]
    assert ring[0] == ring[-1]
    assert set(features[-1]["properties"]) == {"code", "level", "parent", "name_en", "name_zh"}
