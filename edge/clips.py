"""The seconds around an alarm: the last pictures of each camera, and the clips cut from them.

A ring holds the pictures of the last seconds, small and already encoded: at four a second and the
usual 25 kB about 1 MB a camera, and never more than 40 kB (`keeping.SIZE`) a picture. A raised
detection opens a clip; another one soon after joins it and draws its end out. A finished clip goes
to the encoder by a queue that has a size.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contract.fields import MAX_EPISODES
from edge.settings import ClipSettings

LATE_S = 5.0  # pictures that have not come so long after a clip's end do not come any more
JOINED_S = 20.0  # a clip is drawn out by so much at most


@dataclass(frozen=True, slots=True)
class Kept:
    """A small picture, private parts painted over."""

    at: datetime
    jpeg: bytes


@dataclass(slots=True)
class Cut:
    """The pictures of a clip, and the episodes it shows."""

    stream: str
    latest_end: datetime
    until: datetime
    pictures: list[Kept]
    episodes: list[str]
    waits_until_s: float  # monotonic: then it is finished with what is there


@dataclass(slots=True)
class ClipRing:
    """One camera's last pictures and the clips being gathered. Safe to use from several threads."""

    stream: str
    settings: ClipSettings
    finished: Callable[[Cut], None]
    _pictures: deque[Kept] = field(default_factory=deque)
    _open: list[Cut] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, at: datetime, jpeg: bytes) -> None:
        """A picture was kept; clips that end before it are finished."""
        kept = Kept(at, jpeg)
        with self._lock:
            over = [cut for cut in self._open if cut.until < at]
            self._open = [cut for cut in self._open if cut.until >= at]
            for cut in self._open:
                cut.pictures.append(kept)
            self._pictures.append(kept)
            oldest = at - timedelta(seconds=self.settings.before_s)
            most = round(self.settings.before_s * self.settings.fps) + 2
            while self._pictures[0].at < oldest or len(self._pictures) > most:
                self._pictures.popleft()
        self._finish(over)

    def raised(self, at: datetime, episode: str) -> None:
        """A detection was raised: it joins the clip that is being gathered, or begins one."""
        s = self.settings
        until = at + timedelta(seconds=s.after_s)
        waits_until_s = time.monotonic() + s.after_s + LATE_S
        with self._lock:
            for cut in self._open:
                if until <= cut.latest_end and len(cut.episodes) < MAX_EPISODES:
                    cut.until = max(cut.until, until)
                    cut.waits_until_s = max(cut.waits_until_s, waits_until_s)
                    cut.episodes.append(episode)
                    return
            begun = at - timedelta(seconds=s.before_s)
            pictures = [kept for kept in self._pictures if kept.at >= begun]
            latest_end = until + timedelta(seconds=JOINED_S)
            cut = Cut(self.stream, latest_end, until, pictures, [episode], waits_until_s)
            self._open.append(cut)

    def look(self) -> None:
        """Finish what waits for pictures that do not come: the camera is lost, or was played."""
        now_s = time.monotonic()
        with self._lock:
            over = [cut for cut in self._open if cut.waits_until_s < now_s]
            self._open = [cut for cut in self._open if cut.waits_until_s >= now_s]
        self._finish(over)

    def unfinished(self) -> int:
        """Clips that are being gathered."""
        return len(self._open)

    def _finish(self, over: list[Cut]) -> None:
        for cut in over:
            self.finished(cut)
