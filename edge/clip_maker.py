"""Encodes finished clips, one at a time, off the workers, and spools them as evidence."""

from __future__ import annotations

import logging
import queue
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import msgspec

from edge.clip_encoder import Recipe
from edge.clips import ClipRing, Cut, Kept
from edge.evidence import CLIP, Evidence
from edge.said_once import SaidOnce
from edge.settings import ClipSettings
from edge.spool import Entry

log = logging.getLogger(__name__)

LOOK_S = 1.0
ENCODE_S = 120.0  # a clip that takes longer is given up
STOP_S = 1.0
ENCODER = (sys.executable, "-m", "edge.clip_encoder")


@dataclass(frozen=True, slots=True)
class ClipReport:
    """What became of clips since the start."""

    made: int
    waiting: int  # finished, not yet encoded
    left_out: int  # the queue was full
    failed: int  # the encoder crashed or hung


class ClipMaker:
    """One thread, one encoding process at a time. `ring` for each camera, then `start`, `stop`."""

    def __init__(
        self,
        settings: ClipSettings,
        take: Callable[[Sequence[Entry]], None],
        encoder: Sequence[str] = ENCODER,
    ) -> None:
        """take: spools entries. encoder: the command that encodes (edge/clip_encoder.py)."""
        self._settings = settings
        self._take = take
        self._encoder = tuple(encoder)
        self._rings: dict[str, ClipRing] = {}
        self._queue: queue.Queue[Cut] = queue.Queue(settings.queue)
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        self._left_out: Counter[str] = Counter()  # by stream
        self._failed: Counter[str] = Counter()
        self._reason: dict[str, str] = {}
        self._said = SaidOnce()
        self._thread = threading.Thread(target=self._run, name="clips", daemon=True)

    def ring(self, stream: str) -> ClipRing:
        """A new ring for a camera."""
        self._rings[stream] = ClipRing(stream, self._settings, self._offer)
        return self._rings[stream]

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Give up what is not yet spooled, and say how much that is."""
        self._stopping.set()
        process = self._process
        if process is not None:
            process.kill()
        if self._thread.ident is not None:
            self._thread.join(STOP_S)
        unfinished = self._queue.qsize() + sum(r.unfinished() for r in self._rings.values())
        if unfinished:
            log.warning("%d clips were not finished when the agent stopped", unfinished)

    def report(self) -> ClipReport:
        """What became of clips since the start."""
        return ClipReport(
            self._made,
            self._queue.qsize(),
            self._left_out.total(),
            self._failed.total(),
        )

    def fault(self, stream: str) -> str:
        """What clips of a camera were not made, and why; "" for none."""
        parts = []
        if self._left_out[stream]:
            parts.append(f"{self._left_out[stream]} clips left out, the encoder was too busy")
        if self._failed[stream]:
            parts.append(f"{self._failed[stream]} clips failed, the last: {self._reason[stream]}")
        return "; ".join(parts)

    def _offer(self, cut: Cut) -> None:
        try:
            self._queue.put_nowait(cut)
        except queue.Full:
            self._left_out[cut.stream] += 1
            if self._said.is_new("left out"):
                log.warning(
                    "stream %s: a clip is left out, %d wait", cut.stream, self._queue.maxsize
                )

    def _run(self) -> None:
        while not self._stopping.is_set():
            for ring in self._rings.values():
                ring.look()
            try:
                cut = self._queue.get(timeout=LOOK_S)
            except queue.Empty:
                continue
            try:
                self._make(cut)
            except Exception as e:  # noqa: BLE001 - the thread serves all cameras
                self._fail(cut, f"{type(e).__name__}: {e}")

    def _make(self, cut: Cut) -> None:
        if not cut.pictures:
            self._fail(cut, "no picture was kept")
            return
        begun = cut.pictures[0].at
        try:
            webm = self._encode(cut.pictures)
        except (OSError, subprocess.SubprocessError) as e:
            if not self._stopping.is_set():
                self._fail(cut, str(e))
            return
        clip = Evidence(webm, CLIP, begun, cut.stream, "clip", tuple(cut.episodes))
        self._take(list(clip.entries()))
        self._made += 1

    def _encode(self, pictures: Sequence[Kept]) -> bytes:
        """WebM of the pictures; raises OSError or SubprocessError where the encoder fails."""
        offsets = list(_ascending((p.at - pictures[0].at).total_seconds() for p in pictures))
        recipe = msgspec.json.encode(Recipe(offsets, [len(p.jpeg) for p in pictures]))
        pipe = subprocess.PIPE
        with subprocess.Popen(self._encoder, stdin=pipe, stdout=pipe, stderr=pipe) as process:
            self._process = process
            try:
                told = b"".join((recipe, b"\n", *(p.jpeg for p in pictures)))
                webm, complaints = process.communicate(told, ENCODE_S)
            except subprocess.TimeoutExpired:
                raise OSError(f"the encoder took longer than {ENCODE_S:.0f} s") from None
            finally:
                process.kill()
                self._process = None
        if process.returncode != 0 or not webm:
            last = complaints.decode(errors="replace").strip().rpartition("\n")[2]
            raise OSError(f"the encoder ended with {process.returncode}: {last[:200]}")
        return webm

    def _fail(self, cut: Cut, reason: str) -> None:
        self._failed[cut.stream] += 1
        self._reason[cut.stream] = reason
        if self._said.is_new(reason):
            log.error("stream %s: a clip could not be made: %s", cut.stream, reason)


def _ascending(seconds: Iterable[float]) -> Iterable[int]:
    """Milliseconds, each later than the one before."""
    last = -1
    for value in seconds:
        last = max(last + 1, round(value * 1000.0))
        yield last
