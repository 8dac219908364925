"""How a district's grid comes in, changes over time, and is checked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from shapely import box

from contract.geometry import Point
from contract.taxonomy import Category
from hub.domain.actor import Actor, Role
from hub.domain.errors import ForbiddenError, InvalidError
from hub.domain.grid import Cell, GridError
from hub.domain.grid_file import cells_from_geojson
from hub.domain.topology import FaultKind, area_m2, check
from hub.grid_watch import refresh_grid, watch_grid
from hub.services.context import Hub
from hub.services.registry.import_grid import GridChange, import_grid
from hub.services.report_manually import ManualReport, report_manually
from hub.store.grid import load_cells
from tests.hub.builders import Clock, eventually, running
from tests.hub.staff import DISTRICT, EAST, SECONDARY, WEST, hire

HOUR = timedelta(hours=1)
SPOT = Point(113.612, 34.705)  # in the east until the border moves


def square(west: float, east: float, south: float = 34.70, north: float = 34.71) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def feature(code: str, geometry: dict[str, Any] | None, **properties: Any) -> dict[str, Any]:
    named = {"code": code, "name_en": f"Cell {code}", "name_zh": f"网格{code}"}
    return {"type": "Feature", "properties": named | properties, "geometry": geometry}


def document(border: float = 113.61, *more: dict[str, Any]) -> dict[str, Any]:
    """A district of two basic grids that meet at the border."""
    whole = square(113.60, 113.62)
    return {
        "type": "FeatureCollection",
        "features": [
            feature(DISTRICT, whole),
            feature(SECONDARY, whole),
            feature(WEST, square(113.60, border)),
            feature(EAST, square(border, 113.62)),
            *more,
        ],
    }


def take(hub: Hub, wanted: dict[str, Any], **how: Any) -> GridChange:
    with hub.pool.connection() as conn:
        change = import_grid(conn, hub, wanted, **{"dry_run": False} | how)
    refresh_grid(hub, None)
    return change


def where(hub: Hub, at: Any = None) -> str | None:
    cell = hub.grid.locate(SPOT, at)
    return cell.code if cell else None


def test_an_import_says_what_it_changes_and_a_dry_run_changes_nothing(
    hub: Hub, clock: Clock
) -> None:
    would = take(hub, document(), dry_run=True)
    assert (would.done, len(would.new), hub.grid.cells) == (False, 4, {})

    take(hub, document())
    clock.move(3600)
    change = take(hub, document(113.615), dry_run=True)

    assert (change.new, change.changed, change.ended, change.unchanged) == ((), (WEST, EAST), (), 2)
    assert where(hub) == EAST


def test_a_border_that_moves_leaves_events_in_the_cell_they_were_in(hub: Hub, clock: Clock) -> None:
    take(hub, document())
    begun = clock.at
    assistant = Actor("Zhao Lei", Role.ASSISTANT)

    def reported(at: Any) -> str | None:
        said = ManualReport(
            assistant, "a lamp is out", SPOT, Category.URBAN_MANAGEMENT, occurred_at=at
        )
        with hub.pool.connection() as conn:
            return report_manually(conn, hub, said).cell

    before = reported(begun)
    clock.move(30 * 86_400)
    take(hub, document(113.615))
    clock.move(86_400)

    assert before == EAST
    with hub.pool.connection() as conn:
        kept = conn.execute("SELECT cell FROM grid_event").fetchall()
    assert kept == [(EAST,)]
    assert reported(clock.at) == WEST
    assert reported(begun + timedelta(days=10)) == EAST  # told late: as the border lay then
    assert (where(hub), where(hub, begun)) == (WEST, EAST)


def test_outlines_that_begin_later_are_taken_when_their_time_has_come(
    hub: Hub, clock: Clock
) -> None:
    take(hub, document())
    take(hub, document(113.615), valid_from=clock.at + HOUR)
    assert where(hub) == EAST
    seen = refresh_grid(hub, None)

    clock.move(3600)

    assert refresh_grid(hub, seen) != seen
    assert where(hub) == WEST
    with pytest.raises(InvalidError, match=f"cell {WEST} has the outline of .* name a later time"):
        take(hub, document(113.605), valid_from=clock.at - HOUR / 2)


def test_a_cell_that_is_not_in_the_file_ends_and_may_come_back(hub: Hub, clock: Clock) -> None:
    third = "410105001001003"
    take(hub, document(113.61, feature(third, square(113.61, 113.62, 34.71, 34.72))))
    begun = clock.at
    clock.move(3600)

    part = take(hub, {**document(), "features": document()["features"][:3]}, whole=False)
    assert (part.ended, part.unchanged) == ((), 3)
    gone = take(hub, document())
    assert gone.ended == (third,)
    assert third not in hub.grid.cells
    north = Point(113.615, 34.715)
    there = hub.grid.locate(north, begun)
    assert (hub.grid.locate(north), there and there.code) == (None, third)

    clock.move(3600)
    back = take(hub, document(113.61, feature(third, square(113.61, 113.62, 34.71, 34.72))))
    assert back.new == (third,)
    here = hub.grid.locate(north)
    assert here is not None
    assert hub.grid.locate(north, begun + HOUR) is None
    with hub.pool.connection() as conn:
        ended = [c for c in load_cells(conn, clock.at) if c.code == third]
    assert len(ended) == 2


def test_a_file_with_a_fault_changes_nothing_and_names_feature_and_property(hub: Hub) -> None:
    take(hub, document())
    for features, told in (
        ([feature(WEST, square(0, 1), name_en=None)], r"feature 1 .*`name_en` is missing"),
        ([feature(WEST, square(0, 1), name_zh=7.5)], r"feature 1 .*`name_zh` is 7.5"),
        ([feature(WEST, square(0, 1), name_en="\ud800")], r"`name_en` is no name: '\\ud800'"),
        ([feature("4101", square(0, 1))], r"feature 1 of the grid \(4101\): grid code"),
        ([feature(DISTRICT, square(441000, 442000))], r"\(410105\).*no degrees.*EPSG:4326"),
        ([feature(DISTRICT, {"type": "Point", "coordinates": [1, 2]})], "has a Point for a poly"),
        ([feature(DISTRICT, {"type": "Polygon"})], r"`geometry` cannot be read"),
        ([feature(DISTRICT, {"type": "Polygon", "coordinates": []})], "null says that nobody"),
        ([feature(DISTRICT, {"type": "Polygon", "coordinates": [[[1, 2]]]})], "cannot be read"),
        ([{"type": "Feature"}], "feature 1 of the grid has no `properties`"),
        ([7], "entry 1 of the grid is no GeoJSON Feature"),
        ([feature(WEST, square(0, 1))], "has no parent: add a feature 410105001001"),
    ):
        with pytest.raises(GridError, match=told) as caught:
            take(hub, {"type": "FeatureCollection", "features": features})
        assert "\n" not in str(caught.value)
    with pytest.raises(GridError, match="export it in WGS 84"):
        take(hub, document() | {"crs": {"properties": {"name": "urn:ogc:def:crs:EPSG::4526"}}})

    assert len(hub.grid.cells) == 4


def test_who_may_act_in_some_cells_changes_the_outlines_of_no_others(hub: Hub) -> None:
    take(hub, document())
    master = Actor("zhao", Role.MASTER, cells=(EAST,))
    with pytest.raises(ForbiddenError, match=f"what changes lies in cell {WEST}"):
        take(hub, document(113.615), actor=master)
    third = feature("410105001001003", None)
    with pytest.raises(ForbiddenError):
        take(hub, document(113.61, third), actor=master)
    renamed = document()
    renamed["features"][3]["properties"]["name_en"] = "Garden"
    assert take(hub, renamed, actor=master).changed == (EAST,)


def test_a_running_hub_takes_an_import_by_another_process_over(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.grid_watch.EVERY_S", 0.05)
    with running(lambda stop: watch_grid(hub, stop)):
        with hub.pool.connection() as conn:
            import_grid(conn, hub, document(), dry_run=False)
        eventually(lambda: len(hub.grid.cells), 4)


def test_the_report_names_gaps_overlaps_what_sticks_out_and_cells_nobody_owns(hub: Hub) -> None:
    third = feature("410105001001003", square(113.613, 113.625))
    with hub.pool.connection() as conn:
        take(hub, document())
        hire(conn, "zhao", Role.ASSISTANT, WEST)
        hire(conn, "sun", Role.LEADER, SECONDARY)
    wanted = document(113.61, third)
    wanted["features"][2]["geometry"] = square(113.601, 113.61)

    faults = {(f.kind, f.cells): f for f in take(hub, wanted, dry_run=True).faults}

    assert set(faults) == {
        (FaultKind.GAP, (SECONDARY,)),
        (FaultKind.OVERLAP, (EAST, "410105001001003")),
        (FaultKind.OUTSIDE, ("410105001001003", SECONDARY)),
        (FaultKind.NO_OWNER, (EAST,)),
        (FaultKind.NO_OWNER, ("410105001001003",)),
    }
    gap = faults[FaultKind.GAP, (SECONDARY,)]
    strip = box(113.60, 34.70, 113.601, 34.71)
    assert gap.area_m2 == pytest.approx(area_m2(strip), rel=1e-6)
    assert gap.area_m2 == pytest.approx(91.4 * 1112, rel=0.01)  # 0.001 by 0.01 degrees there
    assert gap.geometry is not None


def test_cells_that_meet_to_the_last_digit_have_no_fault_and_a_cell_may_be_unsurveyed() -> None:
    cells = cells_from_geojson(document(113.6100001))
    assert check(cells, owned=None) == []

    bare = Cell(
        "410105001002",
        "New",
        "新",
        cells_from_geojson({"type": "FeatureCollection", "features": [feature(DISTRICT, None)]})[
            0
        ].polygon,
    )
    kinds = [f.kind for f in check([*cells, bare], owned=None)]
    assert kinds == [FaultKind.NO_POLYGON, FaultKind.NO_PARTS]
