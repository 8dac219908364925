"""Finding what lies near, among what lies in strips."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from contract.geometry import Point
from hub.domain.strips import Strips

places = st.builds(
    Point, lon=st.floats(113.60, 113.70), lat=st.floats(34.70, 34.75) | st.floats(-89.9, 89.9)
)


@given(st.lists(places, max_size=30), places, st.floats(20.0, 3000.0))
def test_nothing_within_the_radius_is_missed(
    lying: list[Point], position: Point, radius_m: float
) -> None:
    strips = Strips[int](radius_m)
    for n, place in enumerate(lying):
        strips.put(place, n)
    found = {n for _, n in strips.around(position)}
    assert found >= {n for n, p in enumerate(lying) if position.distance_m(p) <= radius_m}


def test_what_lies_far_off_is_not_looked_at_and_what_lies_twice_is_found_once_a_place() -> None:
    strips = Strips[str](100.0)
    here, beside, far = Point(113.65, 34.72), Point(113.6505, 34.72), Point(113.69, 34.72)
    for place in (here, here, beside, far):
        strips.put(place, "fire")
    assert list(strips.around(here)) == [(here, "fire"), (beside, "fire")]
