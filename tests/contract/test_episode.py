from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.episode import SERIES_LENGTH, Episode, EpisodeChange, EpisodePolicy, Sample, Subject
from contract.geometry import Box
from contract.rules import Decision, KOfN
from contract.taxonomy import Phase

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
FLAME = Subject("gate-1", "cam-1", "flame", "flame")
RULE = KOfN(k=2, n=3, threshold=0.5, max_gap_s=5.0)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def an_episode(
    rule: KOfN = RULE, off_delay_s: float = 10.0, update_every_s: float = 5.0
) -> Episode:
    return Episode(FLAME, rule.build(), EpisodePolicy(off_delay_s, update_every_s))


def play(
    episode: Episode, *parts: tuple[float, float, float], every_s: float = 1.0
) -> list[EpisodeChange]:
    """Feed (from second, to second, score) parts at one sample each `every_s`."""
    changes = []
    for begin, end, score in parts:
        second = begin
        while second < end:
            change = episode.step(Sample(at(second), score, frame=round(second * 10)))
            if change is not None:
                changes.append(change)
            second += every_s
    return changes


def test_it_is_raised_updated_and_cleared_under_one_name_with_rising_revisions() -> None:
    changes = play(an_episode(), (0, 5, 0.0), (5, 12, 0.9), (12, 40, 0.0))
    assert [c.phase for c in changes] == [Phase.RAISED, Phase.UPDATED, Phase.CLEARED]
    assert [c.revision for c in changes] == [1, 2, 3]
    assert len({c.episode for c in changes}) == 1


def test_it_starts_at_the_first_sample_of_the_run_that_raised_it() -> None:
    (raised,) = play(an_episode(), (0, 5, 0.0), (5, 7, 0.9))
    assert (raised.started_at, raised.raised_at, raised.raised_frame) == (at(5), at(6), 60)


def test_a_few_misses_within_a_run_do_not_move_its_start() -> None:
    episode = an_episode(KOfN(k=4, n=8, threshold=0.5))
    (raised,) = play(episode, (0, 3, 0.0), (3, 5, 0.9), (5, 8, 0.1), (8, 10, 0.9))
    assert raised.started_at == at(3)


def test_hits_before_a_long_gap_in_the_samples_do_not_belong_to_the_run() -> None:
    """The camera was away for ten minutes: what it showed before is another story."""
    changes = play(an_episode(), (0, 1, 0.9), (600, 602, 0.9))
    assert [c.started_at for c in changes] == [at(600)]


def test_a_pause_shorter_than_the_off_delay_leaves_it_the_same_episode() -> None:
    changes = play(an_episode(), (0, 5, 0.9), (5, 13, 0.0), (13, 20, 0.9))
    assert Phase.CLEARED not in [c.phase for c in changes]
    assert len({c.episode for c in changes}) == 1


def test_a_pause_longer_than_the_off_delay_makes_the_next_one_another_episode() -> None:
    changes = play(an_episode(), (0, 5, 0.9), (5, 20, 0.0), (20, 25, 0.9))
    assert [c.phase for c in changes if c.phase is not Phase.UPDATED] == [
        Phase.RAISED,
        Phase.CLEARED,
        Phase.RAISED,
    ]
    assert len({c.episode for c in changes}) == 2
    assert changes[-1].revision == 1


def test_it_clears_once_it_was_quiet_for_the_off_delay_and_says_so() -> None:
    cleared = play(an_episode(off_delay_s=10.0), (0, 5, 0.9), (5, 40, 0.0))[-1]
    # the rule of 2 in 3 is active for one more sample after the last hit
    assert cleared.at == at(5 + 10)
    assert cleared.reason.startswith("quiet for 10.0 s: ")


def test_it_is_told_again_at_most_once_in_the_update_time() -> None:
    changes = play(an_episode(update_every_s=5.0), (0, 21, 0.9), every_s=0.1)
    told = [c.at for c in changes]
    assert all(b - a >= timedelta(seconds=5) for a, b in pairwise(told))
    assert len(told) == 5


def test_it_keeps_its_highest_score() -> None:
    changes = play(an_episode(), (0, 2, 0.6), (2, 3, 0.95), (3, 30, 0.0))
    assert (changes[-1].phase, changes[-1].peak_score) == (Phase.CLEARED, 0.95)


def test_an_alarm_shows_the_quiet_before_it() -> None:
    (raised,) = play(an_episode(), (0, 5, 0.1), (5, 7, 0.9))
    assert [s.score for s in raised.series] == [0.1] * 5 + [0.9] * 2


def test_a_rule_that_looks_far_back_says_the_true_start() -> None:
    episode = an_episode(KOfN(k=80, n=100, threshold=0.5))
    (raised,) = play(episode, (0, 5, 0.0), (5, 85, 0.9))
    assert raised.started_at == at(5)


def test_a_far_looking_rule_put_in_force_during_an_alarm_does_not_clear_it() -> None:
    episode = an_episode()
    play(episode, (0, 120, 0.9))
    episode.use_rule(KOfN(k=80, n=100, threshold=0.5).build())
    changes = play(episode, (120, 150, 0.9))
    assert {c.phase for c in changes} == {Phase.UPDATED}


def test_the_series_is_bounded_however_long_the_alarm_lasts() -> None:
    changes = play(an_episode(), (0, 500, 0.9))
    assert max(len(c.series) for c in changes) == SERIES_LENGTH


def test_the_box_of_the_raising_sample_is_told() -> None:
    episode, box = an_episode(KOfN(k=1, n=1)), Box(0.1, 0.2, 0.3, 0.4)
    change = episode.step(Sample(START, 0.9, box))
    assert change is not None
    assert change.box == box


def test_an_ended_stream_clears_what_is_open_and_nothing_else() -> None:
    episode = an_episode()
    assert episode.end(START, "stream ended") is None
    play(episode, (0, 3, 0.9))
    cleared = episode.end(at(3), "stream ended")
    assert cleared is not None
    assert (cleared.phase, cleared.reason) == (Phase.CLEARED, "stream ended")
    assert not episode.active
    assert episode.end(at(4), "stream ended") is None


def test_what_comes_after_an_end_starts_a_run_of_its_own() -> None:
    episode = an_episode()
    play(episode, (0, 3, 0.9))
    episode.end(at(3), "stream ended")
    (raised,) = play(episode, (3, 5, 0.9))
    assert raised.started_at == at(3)
    assert [s.at for s in raised.series] == [at(3), at(4)]


def test_an_open_episode_outlives_a_change_of_the_threshold() -> None:
    episode = an_episode()
    (raised,) = play(episode, (0, 4, 0.9))
    episode.use_rule(KOfN(k=2, n=3, threshold=0.8).build())
    changes = play(episode, (4, 10, 0.9))
    assert {c.episode for c in changes} == {raised.episode}
    assert {c.phase for c in changes} == {Phase.UPDATED}


def test_a_new_rule_that_needs_longer_than_the_off_delay_does_not_clear_what_still_burns() -> None:
    episode = an_episode(off_delay_s=10.0)
    play(episode, (0, 60, 0.9))
    episode.use_rule(KOfN(k=30, n=40, threshold=0.5).build())
    assert Phase.CLEARED not in [c.phase for c in play(episode, (60, 120, 0.9))]


def test_a_raised_bar_that_the_scores_do_not_reach_ends_it_after_the_off_delay() -> None:
    episode = an_episode()
    play(episode, (0, 10, 0.6))
    episode.use_rule(KOfN(k=2, n=3, threshold=0.9).build())
    assert [c.phase for c in play(episode, (10, 30, 0.6))] == [Phase.CLEARED]


class AtOnce:
    """A rule that decides by the latest sample and does not say what else it rests on."""

    threshold = 0.5

    def step(self, at: datetime, score: float) -> Decision:
        return Decision(score >= self.threshold, "at once")

    def reset(self) -> None:
        """It remembers nothing."""


def test_the_run_of_the_next_episode_does_not_reach_into_the_one_before() -> None:
    episode = Episode(FLAME, AtOnce(), EpisodePolicy(off_delay_s=0.0))
    changes = play(episode, (0, 3, 0.9), (3, 5, 0.0), (5, 7, 0.9))
    raised = [c for c in changes if c.phase is Phase.RAISED]
    assert [c.started_at for c in raised] == [at(0), at(5)]


def test_two_agents_that_see_the_same_name_it_differently() -> None:
    names = set()
    for agent in ("gate-1", "gate-2"):
        subject = Subject(agent, "cam-1", "flame", "flame")
        change = Episode(subject, KOfN(k=1, n=1).build(), EpisodePolicy()).step(Sample(START, 0.9))
        assert change is not None
        names.add(change.episode)
    assert len(names) == 2


@given(st.lists(st.floats(0, 1), max_size=150))
def test_a_replay_of_the_scores_gives_the_same_changes(scores: list[float]) -> None:
    def run() -> list[EpisodeChange]:
        episode = an_episode()
        steps = (episode.step(Sample(at(i), s, frame=i)) for i, s in enumerate(scores))
        return [c for c in steps if c is not None]

    assert run() == run()


@given(st.lists(st.floats(0, 1), max_size=150))
def test_every_episode_is_raised_once_first_and_cleared_at_most_once_last(
    scores: list[float],
) -> None:
    episode = an_episode()
    steps = (episode.step(Sample(at(i), s, frame=i)) for i, s in enumerate(scores))
    told: dict[str, list[EpisodeChange]] = {}
    for change in steps:
        if change is not None:
            told.setdefault(change.episode, []).append(change)
    for changes in told.values():
        assert [c.revision for c in changes] == list(range(1, len(changes) + 1))
        assert [c.phase is Phase.RAISED for c in changes] == [True] + [False] * (len(changes) - 1)
        assert all(c.phase is Phase.UPDATED for c in changes[1:-1])
        for change in changes:
            assert change.started_at <= change.raised_at <= change.at
            assert change.score <= change.peak_score


def test_a_score_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="score must lie in"):
        an_episode().step(Sample(START, 1.5))
