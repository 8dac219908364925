"""A camera as the agent sees it: its state and its newest frame.

Each camera is decoded in a child process of its own (edge/sources/decoder.py), watched by one
thread here that starts it again, with growing waits, when it dies or hangs. A file that is to be
played once then begins again at its start, with later times and numbers: to see a part twice is
better than to call a file played that nobody saw the rest of. One that ends its decoder every time
is given up after TRIES: it is over, LOST with the reason, and never called played.
"""

from __future__ import annotations

import logging
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from contract.taxonomy import CameraState
from detectors.kit.types import Frame
from edge.settings import CaptureSettings, StreamSettings
from edge.sources import wire
from edge.sources.backoff import Backoff
from edge.sources.decoding import Decoding
from edge.sources.opening import SourceSettings, is_live

log = logging.getLogger(__name__)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HANG_MARGIN_S = 15.0  # beyond the child's own time-outs
STEADY_S = 30.0  # a child that lived this long was no failing start
TRIES = 5  # of a file that is to be played once
STOP_S = 1.0
HASHED_EVERY = timedelta(seconds=1)  # of the stream: frames nobody asks for are read so often


@dataclass(frozen=True, slots=True)
class CameraReport:
    """How a camera fares at one moment."""

    state: CameraState
    since: datetime
    detail: str
    captured: int
    restarts: int
    frame_age_s: float | None
    frame_hash: str


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A frame that nobody has read yet."""

    run: Decoding
    shown: wire.Shown
    number: int
    at: datetime


class Camera:
    """One stream's newest frame, newest wins. Safe to use from several threads."""

    def __init__(
        self,
        stream: StreamSettings,
        settings: CaptureSettings,
        now: Callable[[], datetime],
        fresh: Callable[[str], None],
        keep_fps: float = 0.0,
        kept: Callable[[datetime, bytes], None] = lambda at, jpeg: None,
    ) -> None:
        """fresh: called with the stream's id when there is a frame to read or the stream ended.

        kept: given `keep_fps` small pictures a second, as JPEG, private parts painted over.
        """
        self.id = stream.id
        self._kept = kept
        self._source = SourceSettings(
            stream.id,
            stream.source,
            stream.loop,
            settings.open_timeout_s,
            settings.read_timeout_s,
            settings.retry_min_s,
            settings.retry_max_s,
            keep_fps,
            stream.privacy,
            stream.pace,
            stream.order,
        )
        self._settings = settings
        self._now = now
        self._fresh = fresh
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._child: Decoding | None = None
        self._waiting: _Waiting | None = None
        self._state = CameraState.CONNECTING
        self._detail = ""
        self._since = now()
        self._captured = 0
        self._restarts = 0
        self._once = not stream.loop and not is_live(stream.source)
        self._given_up = False
        self._seen_at: float | None = None  # monotonic, of the last frame
        self._last: Frame | None = None
        self._thread = threading.Thread(target=self._run, name=f"capture-{stream.id}", daemon=True)

    @property
    def pid(self) -> int | None:
        """The decoding process, None while there is none."""
        child = self._child
        return child.process.pid if child is not None else None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come: it was played once, to its end, or given up."""
        return self._given_up or self._state is CameraState.ENDED

    def start(self) -> None:
        """Begin to read the camera."""
        self._thread.start()

    def stop(self) -> None:
        """End the child process and the thread that watches it."""
        self._stop.set()
        child = self._child
        if child is not None:
            child.process.terminate()
        if self._thread.ident is not None:
            self._thread.join(STOP_S * 2)

    def waiting_at(self) -> datetime | None:
        """Capture time of the frame that waits to be read, None where none does."""
        waiting = self._waiting
        return waiting.at if waiting is not None else None

    def take(self) -> Frame | None:
        """A copy of the newest frame that was not read yet; None where there is none."""
        with self._lock:
            waiting, self._waiting = self._waiting, None
        if waiting is None:
            return None
        image = waiting.run.copy(waiting.shown)
        if image is None:
            return None
        self._last = Frame(image, waiting.at, self.id, waiting.number)
        return self._last

    def skip(self) -> None:
        """Let the waiting frame go; one a second is read nonetheless, for its hash."""
        last, at = self._last, self.waiting_at()
        if at is not None and (last is None or at - last.captured_at >= HASHED_EVERY):
            self.take()
            return
        with self._lock:
            waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.run.give_back(waiting.shown)

    def report(self) -> CameraReport:
        """How it fares. The age is that of the last real frame, the hash of the last one read."""
        with self._lock:
            seen_at, state, since = self._seen_at, self._state, self._since
        age_s = None if seen_at is None else time.monotonic() - seen_at
        late_s = self._settings.stale_after_s
        if state is CameraState.ONLINE and age_s is not None and age_s > late_s:
            state, since = CameraState.STALE, self._now() - timedelta(seconds=age_s)
        last = self._last
        digest = "" if last is None else f"{zlib.crc32(last.image.data):08x}"
        return CameraReport(
            state, since, self._detail, self._captured, self._restarts, age_s, digest
        )

    def _run(self) -> None:
        s = self._settings
        backoff = Backoff(s.retry_min_s, s.retry_max_s)
        while not self._stop.is_set():
            begun = time.monotonic()
            reason = self._watch()
            if self.ended or self._stop.is_set():
                return
            if time.monotonic() - begun > STEADY_S:
                backoff.reset()
            if self._once and self._restarts + 1 >= TRIES:
                self._give_up(f"{reason}; given up after {TRIES} attempts")
                return
            wait_s = backoff.next_s()
            self._restarts += 1
            log.warning("camera %s: %s; starting it again in %.1f s", self.id, reason, wait_s)
            self._set_state(CameraState.LOST, f"{reason}; starting it again in {wait_s:.1f} s")
            self._stop.wait(wait_s)

    def _give_up(self, reason: str) -> None:
        log.error("camera %s: %s", self.id, reason)
        self._given_up = True
        self._set_state(CameraState.LOST, reason)

    def _watch(self) -> str:
        """Run one child until it is gone; returns why."""
        try:
            child = Decoding(self._source)
        except OSError as e:
            return f"its decoder cannot be started: {e}"
        self._child = child
        try:
            with child:
                return self._listen(child)
        finally:
            self._child = None

    def _listen(self, child: Decoding) -> str:
        """Take what a child tells until it is gone; returns why."""
        s = self._settings
        first_number = self._captured
        shift: timedelta | None = None
        child.socket.settimeout(s.open_timeout_s + s.read_timeout_s + s.retry_max_s + HANG_MARGIN_S)
        while not self._stop.is_set():
            try:
                received = child.receive()
            except TimeoutError:
                return "its decoder hangs"
            except (OSError, msgspec.MsgspecError) as e:
                return f"its decoder cannot be understood: {e}"
            if received is None:
                break
            message, rest = received
            if isinstance(message, wire.Told):
                self._set_state(message.state, message.detail)
            elif isinstance(message, wire.Shown | wire.Kept):
                at = EPOCH + timedelta(microseconds=message.at_us)
                if shift is None:
                    shift = self._shift(at)
                if isinstance(message, wire.Kept):
                    self._kept(at + shift, rest)
                    continue
                number = first_number + message.number
                self._offer(_Waiting(child, message, number, at + shift))
        return f"its decoder ended with {child.end()}"

    def _shift(self, at: datetime) -> timedelta:
        """What to add to a new child's times so that the stream does not go back."""
        last = self._last
        if last is None or at > last.captured_at:
            return timedelta(0)
        return last.captured_at - at + timedelta(milliseconds=1)

    def _offer(self, waiting: _Waiting) -> None:
        with self._lock:
            older, self._waiting = self._waiting, waiting
            self._captured = waiting.number + 1
            self._seen_at = time.monotonic()
        if older is not None:
            older.run.give_back(older.shown)
        self._fresh(self.id)

    def _set_state(self, state: CameraState, detail: str) -> None:
        with self._lock:
            if state is not self._state:
                self._state, self._since = state, self._now()
            self._detail = detail
        self._fresh(self.id)
