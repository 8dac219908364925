"""A folder of pictures as a source: one that a camera or a program drops stills into.

Looped (the default) it is live: it begins with the newest picture there and goes on with each that
appears or is written anew. Played once, every picture that is there is shown, in order.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np

from contract.taxonomy import CameraState
from detectors.kit.types import Frame, Image
from edge.sources.backoff import Backoff
from edge.sources.opening import SourceSettings
from edge.sources.source import Canvas, Tell

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
LOOK_S = 0.25  # between two looks into the folder
PACE_S = 1.0  # between two pictures played once
LOOKS_UNSAID = 40  # a folder that stays quiet says so, lest its reader seem to hang
BROKEN_S = 10.0  # a file that is not a whole picture after so long is left out
RECENT_S = 60.0  # a file older than this when first seen was copied: it says no time of capture
ENDINGS = {".jpg": b"\xff\xd9", ".jpeg": b"\xff\xd9", ".png": b"IEND\xaeB\x60\x82"}
TAIL = 64  # bytes in which a file's ending stands; some writers pad it


@dataclass(frozen=True, slots=True)
class _Found:
    """A file as it was seen."""

    path: Path
    mtime_ns: int
    size: int


class StillsSource:
    """Shows the pictures of a folder."""

    def __init__(
        self,
        settings: SourceSettings,
        tell: Tell,
        canvas: Canvas,
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._folder = Path(settings.source.removeprefix("stills:"))
        self._tell = tell
        self._canvas = canvas
        self._now = now
        self._sleep = sleep
        self._missing = f"folder {self._folder} is not there: make it"
        self._number = 0
        self._last_at: datetime | None = None
        self._told: tuple[CameraState, str] | None = None
        self._unsaid = 0  # words in a row that were left out as nothing new

    def frames(self) -> Iterator[Frame]:
        """Frames; a live folder never ends."""
        if self._settings.loop:
            yield from self._follow()
        else:
            yield from self._play_once()

    def _play_once(self) -> Iterator[Frame]:
        s = self._settings
        backoff = Backoff(s.retry_min_s, s.retry_max_s)
        while (listed := self._list()) is None:
            wait_s = backoff.next_s()
            self._tell(CameraState.LOST, f"{self._missing}; trying again in {wait_s:.1f} s")
            self._sleep(wait_s)
        for number, found in enumerate(listed):
            image = _read(found.path)
            if image is None:
                self._say(CameraState.ONLINE, f"{found.path.name} is no whole picture: left out")
                continue
            if number and s.pace == "paced":
                self._sleep(PACE_S)
            yield from self._show(image, self._now())
        self._tell(CameraState.ENDED, "played to its end")

    def _follow(self) -> Iterator[Frame]:
        s = self._settings
        backoff = Backoff(s.retry_min_s, s.retry_max_s)
        shown: dict[Path, tuple[int, int]] = {}  # what was shown or given up, as it was
        pending: dict[Path, tuple[_Found, float]] = {}  # what may be half-written, since when
        first = True
        while True:
            listed = self._list()
            if listed is None:
                self._say(CameraState.LOST, self._missing)
                self._sleep(backoff.next_s())
                continue
            backoff.reset()
            self._say(CameraState.ONLINE if listed else CameraState.CONNECTING, "")
            if first and listed:
                newest = max(listed, key=lambda f: (f.mtime_ns, f.path.name))
                shown = {f.path: (f.mtime_ns, f.size) for f in listed if f is not newest}
            first = False
            there = {f.path for f in listed}
            shown = {path: seen for path, seen in shown.items() if path in there}
            pending = {path: seen for path, seen in pending.items() if path in there}
            for found in listed:
                if shown.get(found.path) == (found.mtime_ns, found.size):
                    continue
                before, since_s = pending.get(found.path, (None, time.monotonic()))
                if before != found:  # new, or still growing
                    if before is not None:
                        since_s = time.monotonic()
                    pending[found.path] = found, since_s
                    continue
                image = _read(found.path)
                broken = image is None and time.monotonic() - since_s > BROKEN_S
                if image is None and not broken:
                    continue
                del pending[found.path]
                shown[found.path] = found.mtime_ns, found.size
                if image is None:
                    self._say(CameraState.ONLINE, f"{found.path.name} is no whole picture")
                    continue
                yield from self._show(image, self._time_of(found))
            self._sleep(LOOK_S)

    def _list(self) -> list[_Found] | None:
        """The pictures there, in order; None where there is no folder."""
        try:
            with os.scandir(self._folder) as entries:
                found = [
                    _Found(Path(entry.path), stat.st_mtime_ns, stat.st_size)
                    for entry in entries
                    if Path(entry.name).suffix.lower() in SUFFIXES and entry.name[0] != "."
                    if (stat := _stat(entry)) is not None
                ]
        except OSError:
            return None
        if self._settings.order == "time":
            return sorted(found, key=lambda f: (f.mtime_ns, f.path.name))
        return sorted(found, key=lambda f: f.path.name)

    def _time_of(self, found: _Found) -> datetime:
        """When the picture was taken: when its file was written, unless that was long ago."""
        written = datetime.fromtimestamp(found.mtime_ns / 1e9, UTC)
        now = self._now()
        return written if timedelta(0) <= now - written <= timedelta(seconds=RECENT_S) else now

    def _show(self, image: Image, at: datetime) -> Iterator[Frame]:
        if self._last_at is not None and at <= self._last_at:
            at = self._last_at + timedelta(milliseconds=1)
        self._last_at = at
        number = self._number
        self._number += 1
        self._say(CameraState.ONLINE, "")
        height, width = image.shape[:2]
        canvas = self._canvas(height, width)
        if canvas is not None:
            np.copyto(canvas, image)
            yield Frame(canvas, at, self._settings.stream, number)

    def _say(self, state: CameraState, detail: str) -> None:
        self._unsaid += 1
        if self._told != (state, detail) or self._unsaid >= LOOKS_UNSAID:
            self._told, self._unsaid = (state, detail), 0
            self._tell(state, detail)


def _stat(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat()
    except OSError:  # it went between two calls
        return None


def _read(path: Path) -> Image | None:
    """The picture in a file; None where it is none, or only its beginning is there yet.

    A decoder fills what is missing of a JPEG with grey: the end of the file tells.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return None
    ending = ENDINGS.get(path.suffix.lower())
    if not data or (ending is not None and ending not in data[-TAIL:]):
        return None
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return None if image is None else np.asarray(image, np.uint8)
