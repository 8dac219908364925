"""Live cameras on real servers: RTSP over TCP, HTTP MJPEG."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from contract.taxonomy import CameraState
from edge.capture import Camera
from edge.settings import CaptureSettings
from tests.edge.builders import eventually, now, stream

SERVER = Path(__file__).with_name("rtsp_server.py")
SETTINGS = CaptureSettings(
    open_timeout_s=5.0, read_timeout_s=2.0, retry_min_s=0.1, retry_max_s=0.5, stale_after_s=30.0
)
PARTS = "import gi; gi.require_version('GstRtspServer', '1.0'); gi.require_version('Gst', '1.0')"
ELEMENTS = (
    "from gi.repository import Gst; Gst.init(None); assert Gst.ElementFactory.find('x264enc')"
)


@pytest.fixture(scope="module")
def gstreamer() -> None:
    try:
        command = ["/usr/bin/python3", "-c", f"{PARTS}; {ELEMENTS}"]
        there = subprocess.run(command, capture_output=True, timeout=20).returncode == 0
    except FileNotFoundError:
        there = False
    if not there:
        pytest.skip("no GStreamer RTSP server: Debian's gir1.2-gst-rtsp-server-1.0 and plugins")


@contextmanager
def rtsp_server(port: int = 0) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = ["/usr/bin/python3", str(SERVER), str(port or free_port())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server, int(server.stdout.readline())
        finally:
            server.kill()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def camera(source: str) -> Iterator[Camera]:
    made = Camera(stream(source), SETTINGS, now, lambda _: None)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def state(made: Camera) -> CameraState:
    return made.report().state


def test_an_rtsp_camera_that_dies_is_lost_and_comes_back_by_itself(gstreamer: None) -> None:
    with rtsp_server() as (server, port), camera(f"rtsp://127.0.0.1:{port}/live") as made:
        eventually(lambda: made.report().captured > 5)
        frame = made.take()
        assert frame is not None
        assert frame.image.shape == (120, 160, 3)
        assert float(frame.image.std()) > 20.0  # the colour bars
        server.kill()
        eventually(lambda: state(made) is CameraState.LOST)
        before = made.report().captured
        with rtsp_server(port):
            eventually(lambda: state(made) is CameraState.ONLINE)
            eventually(lambda: made.report().captured > before + 5)
        assert made.report().restarts == 0  # reconnected by the same process


def test_a_server_that_accepts_and_stays_silent_times_out() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        camera(f"rtsp://127.0.0.1:{silent.getsockname()[1]}/live") as made,
    ):
        eventually(lambda: state(made) is CameraState.LOST)
        assert made.report().restarts == 0


class Mjpeg(BaseHTTPRequestHandler):
    """Pictures one after another, as network cameras send them over HTTP."""

    stopped = threading.Event()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), 120, np.uint8))[1].tobytes()
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        with suppress(OSError):
            while not self.stopped.wait(0.03):
                self.wfile.write(head.encode() + jpeg + b"\r\n")

    def log_message(self, format: str, *args: object) -> None:
        """Not into the tests' output."""


def test_mjpeg_over_http_is_shown() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Mjpeg) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with camera(f"http://127.0.0.1:{server.server_port}/video.mjpg") as made:
            eventually(lambda: made.report().captured > 5)
            frame = made.take()
        Mjpeg.stopped.set()
        server.shutdown()
    assert frame is not None
    assert frame.image.shape == (48, 64, 3)
    assert float(frame.image.mean()) == pytest.approx(120.0, abs=3.0)
