"""A detection gets its place and cell from what its camera sees of the ground."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from contract.control import encode_control
from contract.geometry import Box, Point
from contract.messages import GroundPoint, Manifest, StreamManifest
from contract.topics import Topic, Up
from hub.domain.footprint import View, footprint_of, ground_at, place_of
from hub.grid_watch import refresh_grid
from hub.ingest.births import take_control
from hub.services.context import Hub
from hub.services.record_detections import record_detections
from hub.store import views
from hub.store.detections import Change
from tests.hub.builders import START, detection, fresh, rows
from tests.hub.staff import EAST, WEST, small_grid

POLE = Point(113.609, 34.705)  # in the west cell, looking east; the border is 91 m ahead
M_LON, M_LAT = 1 / (111_195.08 * math.cos(math.radians(34.705))), 1 / 111_195.08


def ahead(east_m: float, north_m: float) -> Point:
    return Point(POLE.lon + east_m * M_LON, POLE.lat + north_m * M_LAT)


def shown(east_m: float, north_m: float) -> tuple[float, float]:
    """Where a camera 6 m up, looking east and 10 degrees down, shows a spot of the ground."""
    tilt = math.radians(10)
    depth = east_m * math.cos(tilt) + 6 * math.sin(tilt)
    below = 6 * math.cos(tilt) - east_m * math.sin(tilt)
    return 0.5 - 0.8 * north_m / depth, 0.5 + 1.2 * below / depth


def point(east_m: float, north_m: float) -> GroundPoint:
    place, (x, y) = ahead(east_m, north_m), shown(east_m, north_m)
    return GroundPoint(x, y, place.lon, place.lat)


KNOWN = [point(15, -4), point(15, 4), point(120, -30), point(120, 30), point(60, 0)]


@pytest.mark.parametrize(("east_m", "north_m"), [(15, 4), (40, -10), (95, 12), (160, -20)])
def test_a_calibrated_camera_tells_where_on_the_ground_a_point_of_its_picture_lies(
    east_m: float, north_m: float
) -> None:
    found = ground_at(KNOWN, *shown(east_m, north_m))
    assert found is not None
    assert found.distance_m(ahead(east_m, north_m)) < 0.05


def test_the_sky_and_what_is_out_of_reach_have_no_place() -> None:
    assert ground_at(KNOWN, 0.5, 0.05) is None
    assert ground_at(KNOWN, *shown(2000, 0)) is None
    line = [GroundPoint(0.1 * n, 0.5, 113.6 + n / 1e4, 34.7) for n in range(5)]
    assert ground_at(line, 0.5, 0.5) is None


def test_what_lies_outside_the_footprint_is_somewhere_inside_it() -> None:
    ring = [ahead(10, -20), ahead(50, -20), ahead(50, 20), ahead(10, 20)]
    footprint = footprint_of(ring)
    assert footprint is not None
    x, y = shown(95, 0)
    inside = place_of(View(footprint, tuple(KNOWN)), (x, y - 0.1, 0.0, 0.1))
    assert inside is not None
    assert inside.distance_m(ahead(30, 0)) < 25
    assert place_of(View(footprint, ()), None) is not None
    assert place_of(View(None, ()), (0.1, 0.1, 0.1, 0.1)) is None
    assert footprint_of([ring[0], ring[2], ring[1], ring[3]]) is None  # crosses itself
    assert footprint_of(ring[:2]) is None


def event_cell(
    hub: Hub, ground: Sequence[GroundPoint], footprint: Sequence[Point], box: Box
) -> str | None:
    agent, boot = fresh("agent"), fresh("boot")
    stream = StreamManifest(
        stream="cam-01", position=POLE, ground=list(ground), footprint=list(footprint)
    )
    born = Manifest(
        boot=boot, started_at=START, published_at=START, software="test", streams=[stream]
    )
    seen = detection(at=hub.now(), position=None)
    seen = type(seen)(**{f: getattr(seen, f) for f in seen.__struct_fields__} | {"box": box})
    with hub.pool.connection() as conn:
        take_control(conn, hub, str(Topic("demo", agent, Up.BIRTH)), encode_control(born))
        change = Change("demo", agent, boot, 1, seen, hub.now())
        assert record_detections(conn, hub, [change]) == []
        (row,) = views.streams(conn, agent)
        corners = row.footprint["coordinates"][0][:-1] if row.footprint else []
        assert [tuple(c) for c in corners] == [(p.lon, p.lat) for p in footprint]
    ((cell,),) = rows(
        hub.config.database.url,
        "SELECT e.cell FROM grid_event e JOIN detection d ON d.event = e.id WHERE d.agent = %s",
        agent,
    )
    return None if cell is None else str(cell)


def test_an_event_lies_in_the_cell_that_the_camera_looks_into(hub: Hub) -> None:
    with hub.pool.connection() as conn:
        small_grid(conn)
    refresh_grid(hub, None)
    x, y = shown(110, 5)  # beyond the border
    box = Box(x - 0.02, y - 0.08, 0.04, 0.08)
    over_there = [ahead(95, -10), ahead(130, -10), ahead(130, 10), ahead(95, 10)]

    assert event_cell(hub, KNOWN, [], box) == EAST
    assert event_cell(hub, [], over_there, box) == EAST
    assert event_cell(hub, [], [], box) == WEST  # where the camera stands
