from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from contract.episode import Episode, EpisodePolicy, Sample, Subject
from contract.share_of_time import ShareOfTime, ShareOfTimeRule

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def raised_after(rule: ShareOfTimeRule, fps: float, seconds: float = 6.0) -> float:
    """Seconds of a score that is up all the time, after three seconds in which it was not."""
    for number in range(round((3.0 + seconds) * fps)):
        second = number / fps
        if rule.step(at(second), 0.9 if second >= 3.0 else 0.1).active:
            return second - 3.0
    return seconds


@pytest.mark.parametrize("fps", [4.0, 5.0, 8.0, 10.0, 12.5, 30.0])
def test_it_takes_as_long_at_any_frame_rate(fps: float) -> None:
    took = raised_after(ShareOfTime(duration_s=2.0, share=0.8).build(), fps)
    assert took == pytest.approx(1.6, abs=1.01 / fps)


@pytest.mark.parametrize(("down", "raised"), [(4, True), (5, False)])
def test_it_raises_only_while_the_share_of_the_time_is_up(down: int, raised: bool) -> None:
    rule = ShareOfTime(duration_s=2.0, share=0.8).build()
    scores = [0.1] * 20 + [0.1 if number < down else 0.9 for number in range(20)]
    assert rule.step(at(-0.1), 0.1).active is False
    told = [rule.step(at(number / 10), score).active for number, score in enumerate(scores)]
    assert told == [False] * 39 + [raised]


def test_once_raised_it_holds_at_the_lower_bar() -> None:
    rule = ShareOfTime(duration_s=1.0, share=1.0, threshold=0.5, hold_ratio=0.8).build()
    scores = [0.5] * 11 + [0.4] * 10 + [0.39]
    told = [rule.step(at(number / 10), score).active for number, score in enumerate(scores)]
    assert told == [False] * 10 + [True] * 11 + [False]


def test_time_in_which_nothing_was_looked_at_speaks_for_nothing() -> None:
    """One frame a second: each speaks for a quarter of one."""
    rule = ShareOfTime(duration_s=2.0, share=0.8).build()
    assert not any(rule.step(at(second), 1.0).active for second in range(20))


@pytest.mark.parametrize("gap_s", [5.1, -0.1])
def test_a_long_gap_or_a_clock_that_goes_back_begins_the_time_anew(gap_s: float) -> None:
    rule = ShareOfTime(duration_s=1.0, share=0.8, max_gap_s=5.0).build()
    assert [rule.step(at(number / 10), 0.9).active for number in range(11)][-1]
    assert not rule.step(at(1.0 + gap_s), 0.9).active


def test_an_episode_starts_no_earlier_than_the_time_it_was_raised_on() -> None:
    rule = ShareOfTime(duration_s=1.0, share=0.8).build()
    episode = Episode(Subject("a", "s", "flame", "flame"), rule, EpisodePolicy())
    changes = [
        episode.step(Sample(at(number / 10), 0.9 if number >= 30 else 0.0)) for number in range(38)
    ]
    (raised,) = [change for change in changes if change is not None]
    assert raised.at == at(3.7)
    assert at(2.7) < raised.started_at <= at(3.0)


def test_the_reason_names_the_bar_the_time_and_what_was_needed() -> None:
    rule = ShareOfTime(duration_s=2.0, share=0.8, threshold=0.5).build()
    for number in range(4):
        decision = rule.step(at(number / 10), 0.9)
    assert decision.reason == "at or above 0.50 for 0.3 of the last 2.0 s (1.6 s needed)"


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"duration_s": 0.0}, "duration_s must be above 0 s, got 0"),
        ({"share": 1.1}, r"share must lie in \(0, 1\], got 1.1"),
        ({"threshold": 0.0}, "threshold must lie"),
    ],
)
def test_settings_that_make_no_rule_are_refused(settings: dict[str, float], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        ShareOfTime(**settings)
