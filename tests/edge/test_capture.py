"""Cameras decoded in child processes."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from contract.taxonomy import CameraState
from detectors.kit.types import Frame
from edge.capture import Camera
from edge.settings import CaptureSettings
from tests.edge.builders import eventually, now, stream, write_video

SETTINGS = CaptureSettings(retry_min_s=0.1, retry_max_s=0.5, stale_after_s=1.0)


def kill_each(made: Camera) -> None:
    """Kill the decoder whenever there is one."""
    if made.pid is not None:
        with suppress(ProcessLookupError):
            os.kill(made.pid, signal.SIGKILL)


@contextmanager
def camera(source: str, loop: bool = True) -> Iterator[Camera]:
    made = Camera(replace(stream(source), loop=loop), SETTINGS, now, lambda _: None)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def collect(made: Camera, count: int) -> list[Frame]:
    frames: list[Frame] = []

    def more() -> bool:
        frame = made.take()
        if frame is not None:
            frames.append(frame)
        return len(frames) >= count

    eventually(more)
    return frames


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_the_newest_frame_wins_and_the_older_ones_are_counted() -> None:
    with camera("scene:fire") as made:
        first = collect(made, 1)[0]
        time.sleep(0.6)
        (second,) = collect(made, 1)
        assert second.number >= first.number + 4
        assert second.captured_at > first.captured_at
        assert made.report().captured > second.number
        assert made.report().state is CameraState.ONLINE


def test_a_frame_is_a_picture_of_its_own_that_nobody_can_write_to() -> None:
    with camera("scene:fire") as made:
        one, two = collect(made, 2)
        before = one.image.tobytes()
        collect(made, 3)
        assert one.image.tobytes() == before != two.image.tobytes()
        with pytest.raises(ValueError, match="read-only"):
            one.image[0, 0, 0] = 1


def test_a_camera_whose_frames_nobody_asks_for_tells_their_hash_all_the_same() -> None:
    with camera("scene:fire") as made:

        def hash_now() -> str:
            made.skip()
            return made.report().frame_hash

        eventually(hash_now)
        first = hash_now()
        eventually(lambda: hash_now() != first)


def test_no_picture_is_torn(tmp_path: Path) -> None:
    # every picture is of one brightness: a torn one would show two
    path = write_video(tmp_path / "a.avi", 200, fps=200.0, size=(640, 480))
    with camera(str(path)) as made:
        for frame in collect(made, 60):
            assert int(frame.image.max()) - int(frame.image.min()) <= 6


def test_a_file_played_once_ends_and_its_last_frame_can_still_be_read(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", 10)
    with camera(str(path), loop=False) as made:
        eventually(lambda: made.ended and made.pid is None)
        frame = made.take()
        assert frame is not None
        assert frame.number == 9
        assert made.report().captured == 10
        assert made.report().restarts == 0


def test_a_killed_child_is_told_and_started_again_and_time_and_number_go_on() -> None:
    with camera("scene:fire") as made:
        before = collect(made, 2)[-1]
        first = made.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        eventually(lambda: made.report().restarts == 1)
        eventually(lambda: made.pid not in (None, first))
        after = collect(made, 3)[-1]
        assert after.number > before.number
        assert after.captured_at > before.captured_at
        eventually(lambda: made.report().state is CameraState.ONLINE)


def test_a_file_played_once_that_always_ends_its_decoder_is_given_up(tmp_path: Path) -> None:
    with camera(str(write_video(tmp_path / "a.avi", 500)), loop=False) as made:

        def over() -> bool:
            kill_each(made)
            return made.ended

        eventually(over)
        told = made.report()
        assert told.state is CameraState.LOST
        assert "given up after 5 attempts" in told.detail
        assert told.restarts == 4


def test_a_file_played_once_whose_decoder_is_killed_begins_again_and_ends(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", 30)
    with camera(str(path), loop=False) as made:
        before = collect(made, 3)[-1]
        assert made.pid is not None
        os.kill(made.pid, signal.SIGKILL)
        eventually(lambda: made.ended)
        report = made.report()
        assert report.restarts == 1
        assert report.captured >= before.number + 1 + 30
        last = made.take()
        assert last is not None
        assert last.captured_at > before.captured_at


def test_a_machine_without_room_for_a_decoder_is_told_and_tried_again() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))  # all three are taken
    try:
        with camera("scene:fire") as made:
            eventually(lambda: made.report().state is CameraState.LOST)
            assert "cannot be started: [Errno 24]" in made.report().detail
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            eventually(lambda: made.report().state is CameraState.ONLINE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_stopped_child_makes_the_camera_stale_and_its_age_grows() -> None:
    with camera("scene:fire") as made:
        collect(made, 1)
        pid = made.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            eventually(lambda: made.report().state is CameraState.STALE)
            age_s = made.report().frame_age_s
            assert age_s is not None
            assert age_s > SETTINGS.stale_after_s
        finally:
            os.kill(pid, signal.SIGCONT)
        eventually(lambda: made.report().state is CameraState.ONLINE)


def test_a_camera_that_is_not_there_is_lost_with_the_reason(tmp_path: Path) -> None:
    with camera(str(tmp_path / "none.mp4")) as made:
        eventually(lambda: made.report().state is CameraState.LOST)
        assert "is not there" in made.report().detail
        assert made.report().frame_age_s is None


def test_a_password_is_not_seen_in_the_list_of_processes() -> None:
    with camera("rtsp://me:secret@127.0.0.1:9/x") as made:
        eventually(lambda: made.pid is not None)
        pid = made.pid
        assert pid is not None
        assert "secret" not in " ".join(psutil.Process(pid).cmdline())


def test_stopping_ends_the_child() -> None:
    with camera("scene:fire") as made:
        collect(made, 1)
        pid = made.pid
        assert pid is not None
    eventually(lambda: not alive(pid))


def test_kill_9_of_the_agent_leaves_no_child_and_no_shared_memory() -> None:
    script = (
        "import time\n"
        "from tests.edge.test_capture import camera, collect\n"
        "with camera('scene:fire') as made:\n"
        "    collect(made, 2)\n"
        "    print(made.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=root
    ) as agent:
        assert agent.stdout is not None
        child = int(agent.stdout.readline())
        assert alive(child)
        agent.kill()
        agent.wait()
    eventually(lambda: not alive(child), 5.0)
    assert not [p for p in Path("/dev/shm").iterdir() if p.name.startswith(("gridwarden", "psm_"))]
