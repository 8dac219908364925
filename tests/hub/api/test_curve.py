"""The curve of a detection's scores."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.api.curve import HEIGHT, WIDTH, score_curve


def test_the_moment_it_fired_lies_where_its_second_lies() -> None:
    curve = score_curve([(-6.0, 0.0), (0.0, 0.5), (2.0, 1.0)], 0.5)
    assert curve is not None
    assert curve.raised_x == WIDTH * 6 / 8
    assert curve.raised_y == curve.threshold_y
    assert curve.points.split()[0] == "0.0,80.0"
    assert curve.points.split()[-1] == f"{WIDTH},8.0"


def test_one_sample_is_no_curve() -> None:
    assert score_curve([(0.0, 0.9)], 0.5) is None
    assert score_curve([], 0.5) is None


@given(
    st.lists(st.tuples(st.floats(-1e308, 1e308), st.floats(0, 1)), min_size=2, max_size=256).map(
        sorted
    ),
    st.floats(0, 1),
)
def test_whatever_an_agent_sends_stays_within_the_drawing(
    scores: list[tuple[float, float]], threshold: float
) -> None:
    curve = score_curve(scores, threshold)
    if curve is None:
        return
    for point in curve.points.split():
        x, y = map(float, point.split(","))
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT
    assert len(curve.ticks) <= 8
