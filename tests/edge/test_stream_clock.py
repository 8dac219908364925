"""The time of live frames: the stream's clock between frames, the wall clock for the day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from itertools import pairwise

import pytest

from edge.sources.clock import StreamClock
from tests.edge.builders import T0


def captured(stamps_and_arrivals: Iterable[tuple[float, float]]) -> list[float]:
    """Capture times in seconds after T0; arrivals are such seconds too."""
    clock = StreamClock()
    return [
        (clock.captured_at(stamp_s, T0 + timedelta(seconds=arrival_s)) - T0).total_seconds()
        for stamp_s, arrival_s in stamps_and_arrivals
    ]


def test_frames_that_a_stalled_network_delivers_at_once_keep_their_distances() -> None:
    even = [(500.0 + n / 10, n / 10) for n in range(10)]
    stalled = [(501.0 + n / 10, 2.0) for n in range(10)]
    times = captured(even + stalled)
    assert times == pytest.approx([n / 10 for n in range(20)], abs=0.002)


def test_a_frame_is_never_later_than_it_arrived() -> None:
    # the first was under way for long: the next shows that the stream is ahead of the first tie
    times = captured([(0.0, 3.0), (1.0, 3.1), (2.0, 3.2)])
    assert times == pytest.approx([3.0, 3.1, 3.2])


@pytest.mark.parametrize("stamp_s", [0.0, 3600.0, 95_000.0])
def test_stamps_that_start_again_or_jump_are_tied_anew(stamp_s: float) -> None:
    before = [(7200.0 + n / 10, n / 10) for n in range(10)]
    after = [(stamp_s + n / 10, 1.0 + n / 10) for n in range(10)]
    assert captured(before + after) == pytest.approx([n / 10 for n in range(20)], abs=0.002)


def test_a_camera_that_paused_goes_on_at_the_time_its_stamps_say() -> None:
    times = captured([(10.0, 0.0), (10.1, 0.1), (70.1, 60.1), (70.2, 60.2)])
    assert times == pytest.approx([0.0, 0.1, 60.1, 60.2], abs=0.002)


def test_a_stream_whose_stamps_stand_still_is_timed_by_arrival_in_the_end() -> None:
    times = captured((5.0, n / 2) for n in range(200))
    assert times[-1] == pytest.approx(99.5)
    assert max(b - a for a, b in pairwise(times[60:])) == pytest.approx(0.5)


def test_a_clock_that_runs_slow_for_a_day_does_not_fall_behind() -> None:
    ten_minutes = [(n * 60.0 * 0.9998, n * 60.0) for n in range(24 * 60)]
    lag_s = [n * 60.0 - at for n, at in enumerate(captured(ten_minutes))]
    assert max(lag_s) < 0.1
