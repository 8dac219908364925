"""From frames to the spool: a pool of workers, each taking the stream that has waited longest."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from contract.messages import Look
from contract.taxonomy import CameraState, Lane
from edge.capture import Camera
from edge.errors import SpoolError
from edge.said_once import SaidOnce
from edge.settings import StreamSettings
from edge.spool import Entry, Spool
from edge.watching import StreamWatch

log = logging.getLogger(__name__)

STOP_S = 1.5


class Stream:
    """A camera, its detectors, and whose turn it is. The lock guards the detectors."""

    def __init__(self, settings: StreamSettings, camera: Camera, watch: StreamWatch) -> None:
        self.settings = settings
        self.camera = camera
        self.watch = watch
        self.lock = threading.Lock()
        self.last_at: datetime | None = None  # capture time of the last frame looked at
        self.over = False  # nothing more will come, and it was told so
        self._left_out = 0  # frames that nobody could look at
        self._reason = ""  # why the last of them was left out
        self._said = SaidOnce()

    def use(self, commanded: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Go on with these parameters; what of it is refused. Any thread."""
        with self.lock:
            return self.watch.use(commanded)

    def look(self, look: Look, at: datetime) -> list[Entry]:
        """Look at a place again; what can be answered at once. Any thread."""
        with self.lock:
            return self.watch.look(look, at)

    def fault(self) -> str:
        """Which detectors were switched off, what frames were left out, and why; "" for none."""
        left_out = f"{self._left_out} frames left out, the last by {self._reason}"
        return "; ".join(x for x in (self.watch.fault(), left_out if self._left_out else "") if x)

    def leave_out(self, e: Exception) -> bool:
        """A frame failed outside its detectors: counted. Whether this reason is new."""
        self._left_out += 1
        self._reason = f"{type(e).__name__}: {e}"
        return self._said.is_new(self._reason)


class Pipeline:
    """Runs the detectors of all streams."""

    def __init__(self, spool: Spool, taken: Callable[[], None]) -> None:
        """taken: called when the spool has taken something."""
        self._spool = spool
        self._taken = taken
        self.streams: dict[str, Stream] = {}
        self._turn = threading.Condition()
        self._waiting: deque[str] = deque()  # streams with something new; bounded by their number
        self._busy: set[str] = set()
        self._again: set[str] = set()  # something new came while it was worked on
        self._stopping = False
        self._threads: list[threading.Thread] = []
        self._dropped = dict.fromkeys(Lane, 0)  # records the spool could not take
        self._dropped_lock = threading.Lock()
        self._refusing = False  # whether the spool took nothing when last asked

    def add(self, stream: Stream) -> None:
        """Work on this stream too. Before `start`."""
        self.streams[stream.settings.id] = stream

    def start(self, workers: int) -> None:
        """Begin with that many threads."""
        for number in range(workers):
            thread = threading.Thread(target=self._work, name=f"worker-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def fresh(self, stream: str) -> None:
        """There is something new on a stream. Safe from any thread; returns at once."""
        with self._turn:
            if stream in self._busy:
                self._again.add(stream)
            elif stream not in self._waiting and not self._stopping:
                self._waiting.append(stream)
                self._turn.notify()

    def stop(self) -> None:
        """Finish what is being looked at, tell the scores gathered so far."""
        with self._turn:
            self._stopping = True
            self._turn.notify_all()
        for thread in self._threads:
            thread.join(STOP_S)
        for stream in self.streams.values():
            with stream.lock:
                self.take(stream.watch.flush())

    def dropped(self) -> Mapping[Lane, int]:
        """Records that the spool could not take, per lane."""
        with self._dropped_lock:
            return dict(self._dropped)

    def take(self, entries: Sequence[Entry]) -> None:
        """Spool these in one transaction; what cannot be taken is counted."""
        if not entries:
            return
        try:
            self._spool.append(entries)
        except SpoolError as e:
            with self._dropped_lock:
                for entry in entries:
                    self._dropped[entry.lane] += 1
                first, self._refusing = not self._refusing, True
            if first:  # one line, whatever else is not taken until something is again
                log.error("records are not taken: %s", e)
            return
        if self._refusing:
            self._refusing = False
            log.warning("records are taken again; %d were not", sum(self.dropped().values()))
        self._taken()

    def _work(self) -> None:
        while True:
            with self._turn:
                while not self._waiting and not self._stopping:
                    self._turn.wait()
                if self._stopping:
                    return
                name = self._waiting.popleft()
                self._busy.add(name)
            try:
                self._step(self.streams[name])
            except Exception as e:  # the worker serves all streams: none may cost the others it
                if self.streams[name].leave_out(e):
                    log.exception("stream %s: frames are left out", name)
            with self._turn:
                self._busy.discard(name)
                if name in self._again:
                    self._again.discard(name)
                    self._waiting.append(name)
                    self._turn.notify()

    def _step(self, stream: Stream) -> None:
        """Look at the newest frame of a stream, if one is there and anybody wants it."""
        over = stream.camera.ended  # asked first: its last frame comes before its end
        with stream.lock:
            at = stream.camera.waiting_at()
            if at is not None:
                stream.last_at = at
                if stream.watch.wants(at):
                    frame = stream.camera.take()
                    if frame is not None:
                        self.take(stream.watch.observe(frame))
                else:
                    stream.camera.skip()
            if over and not stream.over:
                stream.over = True
                if stream.last_at is not None:
                    told = stream.camera.report().detail or "the video was played to its end"
                    self.take(stream.watch.end(stream.last_at, told))


def camera_state(stream: Stream, told: CameraState) -> CameraState:
    """The state of a camera: what the pictures show counts where the connection is fine."""
    if told is not CameraState.ONLINE:
        return told
    return stream.watch.camera_state() or told
