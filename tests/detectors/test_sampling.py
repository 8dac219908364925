from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from detectors.kit.sampling import Sampling

START = datetime(2026, 3, 1, tzinfo=UTC)


def shown(sampling: Sampling, seconds: list[float]) -> list[float]:
    out = []
    for second in seconds:
        at = START + timedelta(seconds=second)
        if sampling.is_due(at):
            sampling.looked(at)
            out.append(second)
    return out


@pytest.mark.parametrize(("fps", "count"), [(0.0, 250), (5.0, 50), (12.5, 125), (100.0, 250)])
def test_the_rate_holds_over_ten_seconds_at_25_frames_a_second(fps: float, count: int) -> None:
    assert len(shown(Sampling(fps), [n / 25 for n in range(250)])) == count


def test_a_frame_that_jitters_early_is_not_left_out() -> None:
    seconds = [0.0, 0.19, 0.41, 0.59, 0.8]
    assert shown(Sampling(5.0), seconds) == seconds


def test_after_a_pause_the_frames_missed_are_not_made_up_for() -> None:
    seconds = [0.0, 10.0, 10.04, 10.08, 10.2]
    assert shown(Sampling(5.0), seconds) == [0.0, 10.0, 10.2]
