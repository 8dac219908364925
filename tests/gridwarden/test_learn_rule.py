"""A confirmation rule learnt from recordings, replayed and put in force on a running agent."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from contract.rule_text import read_rule
from detectors.kit.registry import detector
from edge.watching import StreamWatch
from gridwarden.cli import main
from gridwarden.evaluation import recording as recordings
from gridwarden.evaluation.errors import EvaluationError
from gridwarden.evaluation.labels import ClipLabel, LabelledEvent
from gridwarden.evaluation.learning import learn, series_of
from gridwarden.evaluation.recorder import settings_of
from gridwarden.evaluation.recording import Recording
from gridwarden.evaluation.replaying import alarms, replay
from tests.gridwarden.evaluation_clips import recorded

KIND = "dumping"
QUIET_FRAMES = 400


def clip(name: str, there: bool) -> Recording:
    """A weak detector: its mean score is 0.3 without the thing and 0.5 with it."""
    draw = random.Random(name)
    scores = [draw.betavariate(3, 7) for _ in range(QUIET_FRAMES)]
    if there:
        scores += [draw.betavariate(5, 5) for _ in range(100)]
    events = (LabelledEvent(KIND, QUIET_FRAMES),) if there else ()
    label = ClipLabel(file=name, events=events, absent=() if there else (KIND,))
    return recorded(label, scores, kind=KIND, confirmation="")


CLIPS = [clip(f"{n}.avi", there=n % 2 == 0) for n in range(8)]


def test_a_learnt_rule_tells_the_events_and_nothing_else_of_what_it_learnt_from() -> None:
    learnt = learn(CLIPS, KIND)
    assert (learnt.told, learnt.events) == (4, 4)
    assert (learnt.with_it, learnt.without) == (400, 8 * QUIET_FRAMES)
    for one in CLIPS:
        found = alarms(one, replay(one, {KIND: {"confirmation": learnt.text}}))
        expected = 1 if one.header.label.events else 0
        assert len(found) == expected, one.header.clip
        assert all("evidence" in alarm.reason for alarm in found)


def test_it_holds_on_clips_it_did_not_learn_from() -> None:
    text = learn(CLIPS, KIND).text
    fresh = [clip(f"new-{n}.avi", there=n % 2 == 0) for n in range(8)]
    found = [len(alarms(c, replay(c, {KIND: {"confirmation": text}}))) for c in fresh]
    assert [n > 0 for n in found] == [True, False] * 4
    own = [len(alarms(c, replay(c, {}))) for c in fresh]
    assert sum(own) == 0, "the detector's own rule finds none of them at 0.8"


def test_what_a_label_does_not_say_teaches_nothing() -> None:
    unknown = recorded(ClipLabel(file="u.avi"), [0.9] * 100, kind=KIND)
    assert list(series_of(unknown, KIND)) == []


def test_after_the_end_of_an_event_the_thing_is_gone() -> None:
    label = ClipLabel(file="e.avi", events=(LabelledEvent(KIND, 2, 3),))
    found = list(series_of(recorded(label, [0.1, 0.1, 0.9, 0.9, 0.2], kind=KIND), KIND))
    assert [(s.score, s.there) for s in found] == [
        ((0.1, 0.1), False),
        ((0.9, 0.9), True),
        ((0.2,), False),
    ]


def test_too_few_scores_are_refused_with_the_numbers() -> None:
    with pytest.raises(EvaluationError, match="0 labelled scores of dumping with it and 400"):
        learn([CLIPS[1]], KIND)


def test_the_command_prints_the_block_to_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for n, one in enumerate(CLIPS):
        recordings.save(one, tmp_path / f"{n}.npz")
    assert main(["learn-rule", str(tmp_path), "--detector", KIND]) == 0
    printed = capsys.readouterr().out
    assert "4 of 4 events told" in printed
    block = printed[printed.index("[stream.detectors.dumping]") :].splitlines()
    read_rule(block[1].removeprefix('confirmation = "').removesuffix('"'))
    assert main(["learn-rule", str(tmp_path), "--detector", "smke"]) == 1
    assert "no scores of 'smke'" in capsys.readouterr().err


def test_a_rule_is_put_in_force_and_taken_back_by_a_command() -> None:
    watch = StreamWatch("a", settings_of({KIND: {}}), detector)
    text = "window_sum n=6 c=2.5"
    assert watch.use({KIND: {"confirmation": text}}) == []
    assert watch.manifests()[0].parameters["confirmation"] == text
    (refused,) = watch.use({KIND: {"confirmation": "window_sum n=2 c=9"}})
    assert "c must lie in (0, n]" in refused
    assert watch.manifests()[0].parameters["confirmation"] == ""
