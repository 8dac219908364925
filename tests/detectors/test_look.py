from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from detectors.look import VideoError, at_rate, frames, main
from tests.detectors.scenes import car, film


@pytest.fixture
def road(tmp_path: Path) -> Path:
    """A real video file: two cars drive down."""
    path = tmp_path / "road.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (320, 180))
    for frame in film(
        9, car(0.5, lambda s: s * 0.25 - 0.3), car(0.5, lambda s: s * 0.25 - 0.9), fps=25.0
    ):
        writer.write(frame.image)
    writer.release()
    return path


def test_a_video_is_timed_by_its_frame_rate(road: Path) -> None:
    shown = list(frames(road))
    assert [f.number for f in shown] == list(range(225))
    assert (shown[-1].captured_at - shown[0].captured_at).total_seconds() == pytest.approx(8.96)


def test_a_detector_is_shown_as_many_frames_as_it_asked_for(road: Path) -> None:
    assert len(list(at_rate(frames(road), 5.0))) == 45
    assert len(list(at_rate(frames(road), 0.0))) == 225
    assert len(list(at_rate(frames(road), 100.0))) == 225


def test_each_crossing_is_printed_with_its_frame_and_the_total(
    road: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(road), "--detector", "traffic_flow", "--param", "line=0.5", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [x["label"] for x in lines[:-1]] == ["down", "down"]
    assert [x["frame"] for x in lines[:-1]] == sorted(x["frame"] for x in lines[:-1])
    assert lines[-1]["total"]["vehicle_crossing down"] == 2


def test_the_same_for_people(road: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(road), "--detector", "traffic_flow"]) == 0
    assert "vehicle_crossing down: 2" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nowhere.mp4"], "no video at nowhere.mp4"),
        (["nowhere.mp4", "--detector", "smke"], "no detector 'smke'; available: "),
        (["nowhere.mp4", "--param", "treshold=0.4"], "did you mean 'threshold'?"),
        (["nowhere.mp4", "--param", "threshold=4"], "threshold must lie in 0.05 to 1.0"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_an_exit_code(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert reason in told.err
    assert (told.out, told.err.count("\n")) == ("", 1)


def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("not a video")
    with pytest.raises(VideoError, match="holds no picture that can be decoded"):
        list(frames(path))
