"""Video through OpenCV: files, RTSP over TCP, HTTP, webcams.

A file is played at the pace of its own time stamps. A live camera is read as fast as it sends and
opened again, with growing waits, whenever it fails.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np

from contract.taxonomy import CameraState
from detectors.kit.types import Frame, Image
from edge.errors import SourceError as SourceError
from edge.sources.backoff import Backoff
from edge.sources.clock import StreamClock
from edge.sources.opening import SourceSettings, is_live, without_credentials
from edge.sources.source import Canvas, Tell

FALLBACK_FPS = 25.0  # for files that do not say
LONGEST_GAP_S = 10.0  # a longer jump between two time stamps of a file is a fault of the file
CLOCK_STEP_S = 2.0  # the wall clock was set forward by more than this: go along
PROBE_S = 5.0
STAMPED = ("rtsp:", "rtsps:", "rtmp:")  # HTTP's pictures carry no time of their own
PORTS = {"rtsp": 554, "rtsps": 322, "rtmp": 1935, "http": 80, "https": 443}

os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")


class VideoSource:
    """Plays a file, an address or a webcam."""

    def __init__(
        self,
        settings: SourceSettings,
        tell: Tell,
        canvas: Canvas,
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._tell = tell
        self._canvas = canvas
        self._now = now
        self._sleep = sleep
        self._live = is_live(settings.source)
        self._number = 0
        self._last_at: datetime | None = None

    def frames(self) -> Iterator[Frame]:
        """Frames until a file to be played once has ended; a live camera never ends."""
        s = self._settings
        backoff = Backoff(s.retry_min_s, s.retry_max_s)
        while True:
            before = self._number
            reason = "the end of the file"
            try:
                capture = _open(s.source, s.open_timeout_s, s.read_timeout_s)
            except SourceError as e:
                reason = str(e)
            else:
                try:
                    yield from self._play(capture)
                finally:
                    capture.release()
            played = self._number > before
            if played:
                backoff.reset()
            if played and not self._live:
                if not s.loop:
                    self._tell(CameraState.ENDED, "played to its end")
                    return
                continue
            if played:
                reason = f"no frame from {without_credentials(s.source)}"
            wait_s = backoff.next_s()
            self._tell(CameraState.LOST, f"{reason}; trying again in {wait_s:.1f} s")
            self._sleep(wait_s)

    def _play(self, capture: cv2.VideoCapture) -> Iterator[Frame]:
        pace = self._pace(capture)
        online = False
        while capture.grab():
            at, wait_s = pace.next()
            if wait_s > 0.0 and self._settings.pace == "paced":
                self._sleep(wait_s)
            if self._last_at is not None and at <= self._last_at:
                at = self._last_at + timedelta(milliseconds=1)
            self._last_at = at
            number = self._number
            self._number += 1
            if not online:
                online = True
                self._tell(CameraState.ONLINE, "")
            image = self._retrieve(capture)
            if image is not None:
                yield Frame(image, at, self._settings.stream, number)

    def _pace(self, capture: cv2.VideoCapture) -> _LivePace | _FilePace:
        if not self._live:
            return _FilePace(capture, self._now, self._last_at)
        stamped = self._settings.source.lower().startswith(STAMPED)
        stamp = (lambda: capture.get(cv2.CAP_PROP_POS_MSEC)) if stamped else None
        return _LivePace(self._now, stamp)

    def _retrieve(self, capture: cv2.VideoCapture) -> Image | None:
        """The picture just grabbed, straight into the canvas where its size is as announced."""
        height = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        width = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        canvas = self._canvas(height, width) if height > 0 and width > 0 else None
        if canvas is None and height > 0:
            return None
        there, image = capture.retrieve() if canvas is None else capture.retrieve(canvas)
        if not there or image is None or image.ndim != 3:
            return None
        return np.asarray(image, np.uint8)


class _LivePace:
    """Live frames: when they arrived, or where their stream has a clock of its own, by that.

    The wall clock may jump, this does not go back.
    """

    def __init__(self, now: Callable[[], datetime], stamp_ms: Callable[[], float] | None) -> None:
        """stamp_ms: the time stamp of the frame just grabbed; None: the stream has none."""
        self._stamp_ms = stamp_ms
        self._clock = StreamClock()
        self._now = now
        self._wall = now()
        self._steady = time.monotonic()

    def next(self) -> tuple[datetime, float]:
        """(capture time, seconds to wait before showing it)."""
        at = self._wall + timedelta(seconds=time.monotonic() - self._steady)
        if (self._now() - at).total_seconds() > CLOCK_STEP_S:
            self._wall, self._steady = self._now(), time.monotonic()
            at = self._wall
        if self._stamp_ms is not None:
            at = self._clock.captured_at(self._stamp_ms() / 1000.0, at)
        return at, 0.0


class _FilePace:
    """The frames of a file at the pace of their own time stamps."""

    def __init__(
        self, capture: cv2.VideoCapture, now: Callable[[], datetime], after: datetime | None
    ) -> None:
        self._capture = capture
        fps = capture.get(cv2.CAP_PROP_FPS)
        self._frame_s = 1.0 / (fps if 0.0 < fps < 1000.0 else FALLBACK_FPS)
        self._wall = now()
        if after is not None:  # a loop goes on where the last round ended
            self._wall = max(self._wall, after + timedelta(seconds=self._frame_s))
        self._begun = time.monotonic() + max(0.0, (self._wall - now()).total_seconds())
        self._stamp_s: float | None = None
        self._stream_s = 0.0

    def next(self) -> tuple[datetime, float]:
        """(capture time, seconds to wait before showing it)."""
        stamp_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
        if self._stamp_s is not None:
            gap_s = stamp_s - self._stamp_s
            # files without time stamps say 0 for ever, broken ones jump: then the rate decides
            self._stream_s += gap_s if 0.0 < gap_s < LONGEST_GAP_S else self._frame_s
        self._stamp_s = stamp_s
        wait_s = self._begun + self._stream_s - time.monotonic()
        return self._wall + timedelta(seconds=self._stream_s), wait_s


def probe(source: str, timeout_s: float = PROBE_S) -> None:
    """Play one frame, so that a person is told before anything starts; scenes always play.

    Raises SourceError with one line: a missing file, an address that refuses, nothing to decode.
    """
    if source.startswith("scene:"):
        return
    cv2.setNumThreads(1)
    capture = _open(source, timeout_s, timeout_s)
    try:
        for _ in range(100):
            if not capture.grab():
                break
            there, image = capture.retrieve()
            if there and image is not None and image.size:
                return
    finally:
        capture.release()
    raise SourceError(
        f"{without_credentials(source)} opens but holds no picture that can be decoded: "
        "check it with another player"
    )


def _open(source: str, open_timeout_s: float, read_timeout_s: float) -> cv2.VideoCapture:
    shown = without_credentials(source)
    if source.startswith("webcam:"):
        capture = cv2.VideoCapture(int(source[7:]))
        if not capture.isOpened():
            raise SourceError(f"no webcam {source[7:]} on this machine: try another number")
        return capture
    if is_live(source):
        _knock(source, open_timeout_s)
    elif not Path(source).is_file():
        what = (
            "is a folder (for its pictures write stills:PATH)"
            if Path(source).is_dir()
            else "is not there"
        )
        raise SourceError(f"video {shown} {what}: give the path of a video file")
    options = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        round(open_timeout_s * 1000),
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        round(read_timeout_s * 1000),
        cv2.CAP_PROP_N_THREADS,
        1,
    ]
    capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, options)
    if not capture.isOpened():
        capture.release()
        raise SourceError(f"{shown} is no video that can be decoded: check it with another player")
    return capture


def _knock(source: str, timeout_s: float) -> None:
    """Whether anybody listens there: FFmpeg's own answer would not say what is wrong."""
    parts = urlsplit(source)
    try:
        port = parts.port or PORTS.get(parts.scheme, 0)
        host = parts.hostname
    except ValueError:
        raise SourceError(f"{without_credentials(source)} is no address: check its port") from None
    if not host:
        raise SourceError(f"{without_credentials(source)} names no host")
    if not port or parts.scheme == "udp":
        return
    try:
        socket.create_connection((host, port), timeout=timeout_s).close()
    except OSError as e:
        raise SourceError(
            f"{host}:{port} does not answer ({e.strerror or e}): check the address "
            f"{without_credentials(source)} and that the camera is on"
        ) from None
