from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from contract.episode import Episode, EpisodePolicy, Sample, Subject
from contract.sustained import Sustained, SustainedRule

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def active(rule: SustainedRule, scores: list[float], gap_s: float = 60.0) -> list[bool]:
    return [rule.step(at(i * gap_s), score).active for i, score in enumerate(scores)]


def test_it_raises_once_every_sample_of_the_duration_was_at_or_above_the_threshold() -> None:
    rule = Sustained(duration_s=120.0, threshold=0.5).build()
    assert active(rule, [0.5, 0.9, 0.4, 0.5, 0.5, 0.5]) == [False] * 5 + [True]


def test_without_a_duration_the_first_sample_raises() -> None:
    assert active(Sustained().build(), [0.4, 0.5]) == [False, True]


def test_once_raised_it_holds_at_the_lower_bar() -> None:
    rule = Sustained(threshold=0.5, hold_ratio=0.8).build()
    assert active(rule, [0.5, 0.4, 0.39, 0.4]) == [True, True, False, False]


@pytest.mark.parametrize("gap_s", [101.0, -1.0])
def test_a_long_gap_or_a_clock_that_goes_back_begins_the_time_anew(gap_s: float) -> None:
    rule = Sustained(duration_s=60.0, max_gap_s=100.0).build()
    assert active(rule, [0.9, 0.9])[-1]
    assert not rule.step(at(60.0 + gap_s), 0.9).active


def test_an_episode_starts_where_the_time_began_and_not_before_a_long_gap() -> None:
    """The sensor was silent for a day: what it showed before is another story."""
    rule = Sustained(duration_s=60.0, max_gap_s=100.0).build()
    episode = Episode(Subject("a", "s", "reading_limit", "level.high"), rule, EpisodePolicy())
    day = 86_400.0
    changes = [episode.step(Sample(at(second), 0.9)) for second in (0.0, day, day + 60.0)]
    raised = changes[-1]
    assert changes[:-1] == [None, None]
    assert raised is not None
    assert raised.started_at == at(day)


def test_the_reason_names_the_score_the_bar_and_what_was_needed() -> None:
    rule = Sustained(duration_s=60.0, threshold=0.5).build()
    rule.step(at(0), 0.9)
    assert rule.step(at(30), 0.8).reason == "0.80, at or above 0.50 for 30 s (60 s needed)"
    assert rule.step(at(40), 0.3).reason == "0.30 is below 0.50"


@pytest.mark.parametrize("score", [-0.01, 1.01, math.nan])
def test_a_score_that_is_none_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match="score must lie in"):
        Sustained().build().step(START, score)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"duration_s": -1.0}, "duration_s"),
        ({"duration_s": math.nan}, "duration_s"),
        ({"threshold": 0.0}, "threshold"),
        ({"hold_ratio": 1.5}, "hold_ratio"),
        ({"max_gap_s": 0.0}, "max_gap_s"),
    ],
)
def test_settings_that_make_no_rule_are_refused_by_name(
    settings: dict[str, float], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        Sustained(**settings)
