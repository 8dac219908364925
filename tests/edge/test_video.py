"""Video files, addresses and webcams."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from contract.taxonomy import CameraState
from detectors.kit.types import Image
from edge.sources.opening import SourceSettings, is_live, without_credentials
from edge.sources.source import own_canvas
from edge.sources.video import SourceError, VideoSource, probe
from tests.edge.builders import T0, write_video


class Player:
    """A source whose waits are noted instead of waited."""

    def __init__(
        self, settings: SourceSettings, waiting: Callable[[int], None] = lambda _: None
    ) -> None:
        """waiting: called with the number of waits so far."""
        self.told: list[tuple[CameraState, str]] = []
        self.waits: list[float] = []
        self._waiting = waiting
        self.source = VideoSource(settings, self._tell, own_canvas, self._now, self._wait)

    def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self._waiting(len(self.waits))

    def _tell(self, state: CameraState, detail: str) -> None:
        self.told.append((state, detail))

    @staticmethod
    def _now() -> datetime:
        return T0


def test_a_file_played_once_gives_all_its_frames_at_their_own_times(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", 12, fps=10.0)
    player = Player(SourceSettings("cam", str(path), loop=False))
    frames = list(player.source.frames())
    assert [f.number for f in frames] == list(range(12))
    assert [round((f.captured_at - T0).total_seconds(), 3) for f in frames] == [
        n / 10 for n in range(12)
    ]
    assert [state for state, _ in player.told] == [CameraState.ONLINE, CameraState.ENDED]


@pytest.mark.parametrize(("pace", "waits"), [("paced", True), ("fast", False)])
def test_a_fast_file_waits_for_nothing_and_its_times_are_those_of_a_paced_one(
    tmp_path: Path, pace: str, waits: bool
) -> None:
    path = write_video(tmp_path / "a.avi", 12, fps=10.0)
    player = Player(SourceSettings("cam", str(path), loop=False, pace=pace))
    at = [round((f.captured_at - T0).total_seconds(), 3) for f in player.source.frames()]
    assert at == [n / 10 for n in range(12)]
    assert bool(player.waits) is waits


def test_a_looped_file_goes_on_in_time_and_number(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", 5, fps=10.0)
    frames = []
    for frame in Player(SourceSettings("cam", str(path))).source.frames():
        frames.append(frame)
        if len(frames) == 12:
            break
    assert [f.number for f in frames] == list(range(12))
    gaps = np.diff([f.captured_at.timestamp() for f in frames])
    assert gaps == pytest.approx(np.full(11, 0.1), abs=0.06)


def test_a_picture_is_decoded_straight_into_the_canvas(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", 3)
    canvas = own_canvas(64, 96)
    source = VideoSource(
        SourceSettings("cam", str(path), loop=False),
        lambda *_: None,
        lambda h, w: canvas,
        lambda: T0,
    )
    for frame in source.frames():
        assert frame.image is canvas or np.shares_memory(frame.image, canvas)


def test_a_frame_for_which_there_is_no_room_is_counted_and_left_out(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", 6)
    asked: list[int] = []

    def every_other(height: int, width: int) -> Image | None:
        asked.append(1)
        return own_canvas(height, width) if len(asked) % 2 else None

    source = VideoSource(
        SourceSettings("cam", str(path), loop=False), lambda *_: None, every_other, lambda: T0
    )
    assert [f.number for f in source.frames()] == [0, 2, 4]


def test_a_missing_file_is_a_state_that_is_tried_again_with_growing_waits(tmp_path: Path) -> None:
    path = tmp_path / "later.avi"
    settings = SourceSettings("cam", str(path), loop=False, retry_min_s=1.0, retry_max_s=8.0)

    def appear(waits: int) -> None:
        if waits == 6:
            write_video(path, 2)

    player = Player(settings, appear)
    assert len(list(player.source.frames())) == 2
    waits = player.waits[:6]
    for wait, base in zip(waits, (1, 2, 4, 8, 8, 8), strict=True):
        assert base / 2 <= wait <= base
    assert player.told[0][0] is CameraState.LOST
    assert "is not there" in player.told[0][1]
    assert player.told[-1][0] is CameraState.ENDED


def test_a_refusing_address_is_a_state_and_never_shows_its_password() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

    class EnoughError(Exception):
        pass

    def give_up(_: int) -> None:
        raise EnoughError

    player = Player(SourceSettings("cam", f"rtsp://me:secret@127.0.0.1:{port}/live"), give_up)
    with pytest.raises(EnoughError):
        next(player.source.frames())
    (state, detail), *_ = player.told
    assert state is CameraState.LOST
    assert "does not answer" in detail
    assert "secret" not in detail


def test_probe_says_in_one_line_what_cannot_be_played(tmp_path: Path) -> None:
    probe("scene:fire")
    probe(str(write_video(tmp_path / "good.avi", 2)))
    corrupt = tmp_path / "corrupt.mp4"
    corrupt.write_bytes(bytes(range(256)) * 40)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    for source, said in (
        (str(tmp_path / "none.mp4"), "is not there"),
        (str(tmp_path), "is a folder"),
        (str(corrupt), "no video that can be decoded"),
        (f"http://127.0.0.1:{port}/a.mp4", "does not answer"),
    ):
        with pytest.raises(SourceError, match=said) as refused:
            probe(source)
        assert "\n" not in str(refused.value)


def test_a_truncated_clip_plays_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.avi", 40)
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    frames = list(Player(SourceSettings("cam", str(cut), loop=False)).source.frames())
    assert 0 < len(frames) < 40


def test_sources_are_shown_without_user_password_and_query() -> None:
    assert without_credentials("rtsp://u:p@h:554/s?token=1") == "rtsp://h:554/s"
    assert without_credentials("/a/b.mp4") == "/a/b.mp4"
    assert is_live("http://h/x")
    assert is_live("webcam:0")
    assert not is_live("/a/b.mp4")


def test_times_never_go_back_when_the_clock_does(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", 4, fps=10.0)
    clock = [T0]

    def falling() -> datetime:
        clock[0] -= timedelta(hours=1)
        return clock[0]

    source = VideoSource(
        SourceSettings("cam", str(path)), lambda *_: None, own_canvas, falling, lambda _: None
    )
    times = []
    for frame in source.frames():
        times.append(frame.captured_at)
        if len(times) == 12:
            break
    assert times == sorted(set(times))
