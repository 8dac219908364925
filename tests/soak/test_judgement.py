"""What a soak calls flat, and what it does not."""

from __future__ import annotations

import random
import subprocess
import sys

import psutil
import pytest

from tests.soak.judgement import TooShortError, judge
from tests.soak.processes import children_of, use_of

EVERY_S = 5.0
AT_S = [n * EVERY_S for n in range(360)]  # half an hour


def noisy(per_hour: float, warm_up: float = 0.0) -> list[float]:
    """A noisy series around 200: `warm_up` is gained over the first third, `per_hour` always."""
    noise = random.Random(1)
    return [
        200.0 + per_hour * t / 3600 + warm_up * min(t / 600, 1.0) + noise.gauss(0.0, 2.0)
        for t in AT_S
    ]


def test_a_noisy_series_that_stays_where_it_is_is_flat() -> None:
    assert judge("memory", "MiB", 4.0, AT_S, noisy(0.0)).flat


def test_what_is_gained_in_the_first_half_is_warm_up() -> None:
    assert judge("memory", "MiB", 4.0, AT_S, noisy(0.0, warm_up=80.0)).flat


def test_a_slow_leak_under_the_noise_is_found() -> None:
    verdict = judge("memory", "MiB", 4.0, AT_S, noisy(24.0))

    assert not verdict.flat
    assert verdict.slope == pytest.approx(24.0, abs=5.0)
    assert verdict.bound == pytest.approx(16.0, abs=0.2)
    assert str(verdict).startswith("GROWS")


def test_what_shrinks_is_flat() -> None:
    assert judge("memory", "MiB", 4.0, AT_S, noisy(-50.0)).flat


def test_one_more_thread_every_ten_minutes_is_found() -> None:
    threads = [40.0 + t // 600 for t in AT_S]

    assert not judge("threads", "", 0.5, AT_S, threads).flat


def test_a_run_too_short_to_judge_says_so() -> None:
    with pytest.raises(TooShortError, match="let it run longer"):
        judge("memory", "MiB", 4.0, AT_S[:10], [1.0] * 10)


def test_what_a_running_process_uses_is_seen_and_an_ended_one_uses_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        mine = [p for p in children_of(psutil.Process().pid) if p.pid == child.pid]
        running = use_of(mine)
        child.kill()

    assert running.processes == 1
    assert running.rss_mib > 1.0
    assert running.files >= 3
    assert use_of(mine).processes == 0
