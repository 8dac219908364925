"""A replay of recorded scores is the live run, or refuses to be one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contract.messages import Detection
from contract.taxonomy import Phase
from detectors.kit.params import ParameterError
from detectors.kit.registry import detector
from detectors.kit.types import Frame
from edge.watching import StreamWatch
from gridwarden.evaluation import recording as recordings
from gridwarden.evaluation import report
from gridwarden.evaluation.errors import RecordingError
from gridwarden.evaluation.evaluating import load_all
from gridwarden.evaluation.labels import ClipLabel
from gridwarden.evaluation.recorder import (
    AGENT,
    ENDED,
    STREAM,
    detections,
    record_frames,
    settings_of,
)
from gridwarden.evaluation.recording import EPOCH, Recording
from gridwarden.evaluation.replaying import alarms, can_change, difference, replay
from tests.gridwarden.evaluation_clips import recorded, scene_frames

BEGIN_S, SECONDS = 2.0, 16.0  # of the fire scene: 2 s before it catches
FIRE = ClipLabel(file="fire.avi", cat="fire", onset_flame=30)


def live(**flame: Any) -> list[Detection]:
    """What the agent tells, without anybody listening."""
    watch = StreamWatch(AGENT, settings_of({"flame": flame}), detector)
    told: list[Detection] = []
    last = None
    for frame in scene_frames("fire", BEGIN_S, SECONDS):
        told += detections(watch.observe(frame))
        last = frame.captured_at
    assert last is not None
    return told + list(detections(watch.end(last, ENDED)))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """The fire as it was recorded, saved and loaded."""
    found, _ = record_frames(
        scene_frames("fire", BEGIN_S, SECONDS), FIRE, {"flame": {}, "camera_health": {}}
    )
    path = tmp_path_factory.mktemp("recording") / "fire.npz"
    recordings.save(found, path)
    return recordings.load(path)


def test_a_replay_tells_what_the_agent_told_bit_by_bit(recording: Recording) -> None:
    told = live()
    assert told[0].phase is Phase.RAISED
    assert difference(replay(recording, {}, only="flame"), told) == ""


def test_a_replay_at_another_threshold_is_the_live_run_at_that_threshold(
    recording: Recording,
) -> None:
    other = {"threshold": 0.2, "confirm_s": 1.0}
    told = live(**other)
    assert difference(replay(recording, {"flame": other}, only="flame"), told) == ""
    assert difference(replay(recording, {}, only="flame"), told) != ""


def test_a_parameter_that_the_scores_were_made_with_is_not_replayed(recording: Recording) -> None:
    with pytest.raises(RecordingError, match=r"flame\.min_area changes the scores themselves"):
        replay(recording, {"flame": {"min_area": 0.01}})
    with pytest.raises(RecordingError, match=r"camera_health\.dark_luma changes the scores"):
        replay(recording, {"camera_health": {"dark_luma": 40.0}})


def test_which_parameters_a_score_depends_on_is_heard_not_declared(recording: Recording) -> None:
    flame = next(n for n in recording.header.detectors if n.kind == "flame")
    changeable = {name for name in flame.parameters if can_change(flame, name)}
    assert changeable == {"threshold", "confirm_s", "off_delay_s", "confirmation"}


def test_a_misspelt_parameter_is_refused_by_name(recording: Recording) -> None:
    with pytest.raises(ParameterError, match="thresold"):
        replay(recording, {"flame": {"thresold": 0.4}})


def test_a_detector_that_was_not_recorded_is_refused(recording: Recording) -> None:
    with pytest.raises(RecordingError, match="no scores of 'smoke'"):
        replay(recording, {"smoke": {"threshold": 0.4}})


def test_scores_of_another_version_are_refused() -> None:
    old = recorded(FIRE, [0.0], threshold=0.5)
    note = old.header.detectors[0].__class__("flame", "0", {}, ())
    header = recordings.Header(old.header.format, "c", FIRE, (note,), old.header.subjects, (), 0)
    stale = Recording(header, *(getattr(old, name) for name in recordings.COLUMNS))
    with pytest.raises(RecordingError, match="of version 0: evaluate anew"):
        replay(stale, {})


def test_a_detector_that_fails_is_noted_and_nothing_of_it_counts() -> None:
    def breaks_off() -> Iterator[Frame]:
        burning = list(scene_frames("fire", BEGIN_S, SECONDS))
        yield from burning
        at = EPOCH + timedelta(seconds=SECONDS)
        yield Frame(np.zeros((0, 0, 3), np.uint8), at, STREAM, len(burning))

    found, told = record_frames(breaks_off(), FIRE, {"flame": {}})
    (note,) = found.header.detectors
    assert note.fault.startswith("flame was switched off: ")
    assert told == []
    assert replay(found, {}) == []
    assert found.score.max() >= 0.5, "it had seen the fire before it failed"
    told_of_it = report.build([found], {})
    assert told_of_it.verdicts == ()
    assert told_of_it.splits[0].kinds[0].false_alarms.hours == 0.0
    assert told_of_it.not_measured == {"fire.avi": note.fault}


def test_the_alarm_says_when_and_why(recording: Recording) -> None:
    (alarm,) = [a for a in alarms(recording, replay(recording, {})) if a.kind == "flame"]
    assert alarm.raised_s > 2.0
    assert "at or above 0.50 for" in alarm.reason
    assert alarm.peak_score >= 0.5


def test_a_clip_that_is_recorded_twice_is_not_counted_twice(
    recording: Recording, tmp_path: Path
) -> None:
    for name in ("a.npz", "b.npz"):
        recordings.save(recording, tmp_path / name)
    with pytest.raises(RecordingError, match=r"b\.npz is a second recording of fire\.avi"):
        load_all(tmp_path)


def test_a_file_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.npz"
    wrong.write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(RecordingError, match="no recording"):
        recordings.load(wrong)
    with pytest.raises(RecordingError, match="cannot be read"):
        recordings.load(tmp_path / "none.npz")
